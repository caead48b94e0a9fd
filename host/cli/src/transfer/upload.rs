//! Content becomes an object: at once if it is small, else in parts that are sent side by side and
//! withdrawn if anything fails or the command is asked to end. Readers see the whole object or none.

use anyhow::Result;
use futures::TryStreamExt;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::{JoinError, JoinSet};

use super::content::{Content, Part};
use super::engine::Tools;
use super::place::{Place, mapped};
use crate::report::Interrupted;

/// Writes `content` to `target`, and gives its size.
pub(super) async fn upload(target: &Place, mut content: Content, tools: &Tools) -> Result<u64> {
    let Some(first) = tools.unless_asked(content.parts.try_next()).await?? else {
        return put(target, PutPayload::default(), tools).await;
    };
    if first.size < content.part_size {
        let payload = first.bytes.into_iter().collect();
        return put(target, payload, tools).await;
    }
    let upload = target
        .store
        .put_multipart(&target.path)
        .await
        .map_err(mapped)?;
    let mut parts = Parts {
        upload,
        running: JoinSet::new(),
        total: 0,
    };
    let sent = parts.send_all(first, content, tools).await;
    let completed = match sent {
        Ok(()) => parts.upload.complete().await.map(drop).map_err(mapped),
        Err(error) => Err(error),
    };
    match completed {
        Ok(()) => Ok(parts.total),
        Err(error) => {
            parts.abort().await;
            Err(error)
        }
    }
}

/// A small object is sent to the end: whether a put that was cut off took place is hard to say.
async fn put(target: &Place, payload: PutPayload, tools: &Tools) -> Result<u64> {
    let size = payload.content_length() as u64;
    target
        .store
        .put(&target.path, payload)
        .await
        .map_err(mapped)?;
    tools.progress.advance(size);
    Ok(size)
}

/// An upload in parts, until it is completed or aborted.
struct Parts {
    upload: Box<dyn MultipartUpload>,
    running: JoinSet<object_store::Result<()>>,
    total: u64,
}

impl Parts {
    async fn send_all(&mut self, first: Part, mut content: Content, tools: &Tools) -> Result<()> {
        self.send(first, tools);
        loop {
            tokio::select! {
                biased;
                () = tools.interrupt.asked() => return Err(Interrupted::default().into()),
                Some(sent) = self.running.join_next() => joined(sent)?,
                part = content.parts.try_next() => match part? {
                    Some(part) => self.send(part, tools),
                    None => break,
                },
            }
        }
        while let Some(sent) = tools.unless_asked(self.running.join_next()).await? {
            joined(sent)?;
        }
        Ok(())
    }

    /// Starts a part. The store is told of the parts in their order; they may arrive in any.
    fn send(&mut self, part: Part, tools: &Tools) {
        let Part { bytes, size, lane } = part;
        self.total += size;
        let sending = self.upload.put_part(bytes.into_iter().collect());
        let progress = tools.progress.clone();
        self.running.spawn(async move {
            let sent = sending.await;
            progress.advance(size);
            drop(lane);
            sent
        });
    }

    async fn abort(&mut self) {
        self.running.shutdown().await;
        // The first error is the one to tell; what an abort left is found by `doctor`.
        let _ = self.upload.abort().await;
    }
}

fn joined(sent: Result<object_store::Result<()>, JoinError>) -> Result<()> {
    sent?.map_err(mapped)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::super::content;
    use super::super::selection::Object;
    use super::*;

    fn place(path: &str) -> Place {
        Place {
            store: Arc::new(InMemory::new()),
            path: Path::from(path),
            base: "external://b".into(),
        }
    }

    fn file_of(size: usize) -> (std::fs::File, Vec<u8>) {
        let bytes: Vec<u8> = (0..size).map(|place| (place % 251) as u8).collect();
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(&bytes).expect("write");
        std::io::Seek::rewind(&mut file).expect("rewind");
        (file, bytes)
    }

    #[tokio::test]
    async fn content_of_every_size_goes_there_and_back_in_one_lane() {
        const PART: usize = 8 << 20;
        for size in [0, 1, PART - 1, PART, PART + 1, 2 * PART + 7] {
            for lanes in [1, 4] {
                let tools = Tools::for_tests(lanes);
                let place = place("x");
                let (file, bytes) = file_of(size);
                let source = content::of_file(file, size as u64, "x".to_owned(), &tools);
                let sent = upload(&place, source, &tools).await.expect("sent");
                assert_eq!(sent, size as u64);
                let object = Object {
                    place: place.clone(),
                    size: sent,
                };
                let content = content::of_object(&object, &tools).await.expect("opened");
                let back: Vec<u8> = content
                    .parts
                    .map_ok(|part| part.bytes.concat())
                    .try_concat()
                    .await
                    .expect("read");
                assert!(back == bytes, "{size} bytes in {lanes} lanes");
                assert_eq!(tools.lanes.available_permits(), lanes);
            }
        }
    }

    #[tokio::test]
    async fn an_upload_whose_source_fails_leaves_nothing() {
        let root = tempfile::tempdir().expect("a directory");
        let tools = Tools::for_tests(2);
        let place = Place {
            store: Arc::new(portolan_data::NodelocalStore::open(root.path()).expect("a store")),
            ..place("x")
        };
        let (file, bytes) = file_of(20 << 20);
        let mut content = content::of_file(file, bytes.len() as u64, "x".to_owned(), &tools);
        let broken = futures::stream::iter([Err(anyhow::anyhow!("the disk is gone"))]);
        content.parts = futures::StreamExt::boxed(futures::StreamExt::chain(
            futures::StreamExt::take(content.parts, 2),
            broken,
        ));
        let error = upload(&place, content, &tools).await.expect_err("broken");
        assert_eq!(error.to_string(), "the disk is gone");
        assert_eq!(std::fs::read_dir(root.path()).expect("read").count(), 0);
        assert_eq!(tools.lanes.available_permits(), 2);
    }

    #[tokio::test]
    async fn an_upload_that_is_asked_to_end_is_withdrawn() {
        let root = tempfile::tempdir().expect("a directory");
        let (sender, interrupt) = crate::interrupt::Interrupt::by_hand();
        let tools = Tools {
            interrupt,
            ..Tools::for_tests(2)
        };
        let place = Place {
            store: Arc::new(portolan_data::NodelocalStore::open(root.path()).expect("a store")),
            ..place("x")
        };
        let (file, bytes) = file_of(20 << 20);
        let mut content = content::of_file(file, bytes.len() as u64, "x".to_owned(), &tools);
        let stuck = futures::stream::once(async move {
            sender.send_replace(1);
            std::future::pending().await
        });
        content.parts = futures::StreamExt::boxed(futures::StreamExt::chain(
            futures::StreamExt::take(content.parts, 2),
            stuck,
        ));
        let error = upload(&place, content, &tools).await.expect_err("asked");
        assert!(error.is::<Interrupted>(), "{error}");
        assert_eq!(std::fs::read_dir(root.path()).expect("read").count(), 0);
    }
}
