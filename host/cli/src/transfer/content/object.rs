//! Objects as content: a small one as one answer of the store, a large one in ranges.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::engine::Tools;
use super::super::place::mapped;
use super::super::selection::Object;
use super::{Content, Part, free_lane, part_size};
use crate::report::Failure;

/// The content of an object: a large one in ranges that are read ahead of each other.
pub(in crate::transfer) async fn of_object(object: &Object, tools: &Tools) -> Result<Content> {
    let part_size = part_size(object.size);
    if object.size <= part_size {
        return whole(object, tools).await;
    }
    let ranges = Arc::new(Ranges {
        object: object.clone(),
        part_size,
        lanes: Arc::clone(&tools.lanes),
        version: OnceLock::new(),
    });
    let lane = free_lane(&ranges.lanes).await?;
    let first = match ranges.open(0).await {
        Err(
            object_store::Error::NotSupported { .. } | object_store::Error::NotImplemented { .. },
        ) => {
            drop(lane);
            return whole(object, tools).await;
        }
        opened => ranges.read(opened.map_err(mapped)?, 0, lane).await,
    };
    let count = object.size.div_ceil(part_size);
    let rest = stream::iter(1..count)
        .map(move |number| {
            let ranges = Arc::clone(&ranges);
            async move {
                let lane = free_lane(&ranges.lanes).await?;
                let opened = ranges.open(number).await.map_err(mapped)?;
                ranges.read(opened, number, lane).await
            }
        })
        .buffered(tools.parallel);
    Ok(Content {
        part_size,
        parts: stream::iter([first]).chain(rest).boxed(),
    })
}

/// An object that is read in ranges.
struct Ranges {
    object: Object,
    part_size: u64,
    lanes: Arc<Semaphore>,
    /// What the first range said that it is a part of.
    version: OnceLock<ObjectMeta>,
}

impl Ranges {
    fn range(&self, number: u64) -> Range<u64> {
        let start = number * self.part_size;
        start..(start + self.part_size).min(self.object.size)
    }

    async fn open(&self, number: u64) -> object_store::Result<GetResult> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(self.range(number))),
            ..GetOptions::default()
        };
        let place = &self.object.place;
        place.store.get_opts(&place.path, options).await
    }

    async fn read(
        &self,
        opened: GetResult,
        number: u64,
        lane: OwnedSemaphorePermit,
    ) -> Result<Part> {
        // Ranges of two versions would make an object that never was.
        let version = self.version.get_or_init(|| opened.meta.clone());
        let same = version.e_tag == opened.meta.e_tag
            && version.last_modified == opened.meta.last_modified
            && self.object.size == opened.meta.size;
        if !same {
            return Err(Failure::new(
                "40001",
                format!("{} has changed while it was read", self.object.place),
            )
            .hint("try it again")
            .into());
        }
        let range = self.range(number);
        let mut body = Body::new(opened, range.end - range.start, &self.object);
        let bytes = body.take(self.part_size).await?;
        Ok(Part::new(bytes, lane))
    }
}

/// The content of an object as one answer of the store.
async fn whole(object: &Object, tools: &Tools) -> Result<Content> {
    let lanes = Arc::clone(&tools.lanes);
    let place = &object.place;
    let opened = place.store.get(&place.path).await.map_err(mapped)?;
    let size = opened.meta.size;
    let part_size = part_size(size);
    let body = Body::new(opened, size, object);
    let parts = stream::try_unfold((body, lanes), move |(mut body, lanes)| async move {
        let lane = free_lane(&lanes).await?;
        let bytes = body.take(part_size).await?;
        Ok((!bytes.is_empty()).then(|| (Part::new(bytes, lane), (body, lanes))))
    });
    Ok(Content {
        part_size,
        parts: parts.boxed(),
    })
}

/// An answer of a store that must have the length that it said, no less and no more.
struct Body {
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
    left: u64,
    /// What came with the last chunk and belongs to the next part.
    over: Bytes,
    name: String,
}

impl Body {
    fn new(opened: GetResult, length: u64, object: &Object) -> Self {
        Self {
            bytes: opened.into_stream(),
            left: length,
            over: Bytes::new(),
            name: object.place.to_string(),
        }
    }

    /// The next bytes, this many unless the answer is at its end.
    async fn take(&mut self, most: u64) -> Result<Vec<Bytes>> {
        let mut taken = Vec::new();
        let mut room = most;
        while room > 0 {
            let mut chunk = std::mem::take(&mut self.over);
            if chunk.is_empty() {
                match self.bytes.try_next().await.map_err(mapped)? {
                    Some(next) => chunk = next,
                    None if self.left == 0 => break,
                    None => return Err(self.wrong("less")),
                }
                if chunk.len() as u64 > self.left {
                    return Err(self.wrong("more"));
                }
                self.left -= chunk.len() as u64;
            }
            let fits = usize::try_from(room).map_or(chunk.len(), |room| room.min(chunk.len()));
            self.over = chunk.split_off(fits);
            room -= fits as u64;
            taken.push(chunk);
        }
        Ok(taken)
    }

    fn wrong(&self, how: &str) -> anyhow::Error {
        Failure::new(
            "08P01",
            format!(
                "the store sent {how} of {} than it had announced",
                self.name
            ),
        )
        .hint("try it again; if it stays so, the store or something before it is broken")
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(chunks: &[&'static str], length: u64) -> Body {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))
            .collect();
        Body {
            bytes: stream::iter(chunks).boxed(),
            left: length,
            over: Bytes::new(),
            name: "external://b/x".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_answer_is_cut_into_parts_wherever_its_chunks_end() {
        let mut body = body(&["ab", "", "cdefg", "h"], 8);
        let mut parts = Vec::new();
        loop {
            let part = body.take(3).await.expect("a part").concat();
            if part.is_empty() {
                break;
            }
            parts.push(String::from_utf8(part).expect("text"));
        }
        assert_eq!(parts, ["abc", "def", "gh"]);
    }

    #[tokio::test]
    async fn an_answer_that_is_shorter_or_longer_than_it_said_is_an_error() {
        for (length, word) in [(4, "less"), (2, "more")] {
            let error = body(&["abc"], length).take(10).await.expect_err(word);
            assert!(error.to_string().contains(word), "{error}");
        }
        // One that does not end at all is noticed after the bytes that were asked for.
        let endless = stream::repeat_with(|| Ok(Bytes::from_static(b"x"))).boxed();
        let mut body = body(&[], 100);
        body.bytes = endless;
        body.take(100).await.expect("as many as it said");
        assert!(body.take(100).await.is_err());
    }
}
