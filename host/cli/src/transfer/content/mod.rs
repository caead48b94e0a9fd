//! Bytes on their way, in parts of bounded size.
//!
//! Every part travels in a lane, and there are only so many of them in a command: a source waits
//! for a lane before it reads, and whoever has written the part gives the lane back. So memory is
//! bounded by the number of lanes, whatever the number and the size of the objects.

mod object;

pub(super) use object::of_object;

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::{BufMut, Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::engine::Tools;
use super::local;

/// The size of a part, unless that gave too many.
const PART: u64 = 8 * 1024 * 1024;

/// The most parts that every store takes for one object.
const MAX_PARTS: u64 = 10_000;

/// How much of a part lies in one piece. An allocator that has given larger ones back keeps as much
/// for each of its threads.
const PIECE: u64 = 1024 * 1024;

/// The bytes of one object, part by part.
pub(super) struct Content {
    /// The size of each part but the last, which is smaller.
    pub(super) part_size: u64,
    pub(super) parts: BoxStream<'static, Result<Part>>,
}

/// Some bytes in their lane.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) bytes: Vec<Bytes>,
    pub(super) size: u64,
    pub(super) lane: OwnedSemaphorePermit,
}

impl Part {
    fn new(bytes: Vec<Bytes>, lane: OwnedSemaphorePermit) -> Self {
        let size = bytes.iter().map(|bytes| bytes.len() as u64).sum();
        Self { bytes, size, lane }
    }
}

fn part_size(size: u64) -> u64 {
    let least = size.div_ceil(MAX_PARTS).next_multiple_of(1024 * 1024);
    PART.max(least)
}

async fn free_lane(lanes: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    Ok(Arc::clone(lanes).acquire_owned().await?)
}

/// The content of a local file that had this size when it was found.
pub(super) fn of_file(file: std::fs::File, size: u64, name: String, tools: &Tools) -> Content {
    let part_size = part_size(size);
    let state = (file, size, name, Arc::clone(&tools.lanes));
    let parts = stream::try_unfold(state, move |(file, left, name, lanes)| async move {
        let lane = free_lane(&lanes).await?;
        let (file, read) = tokio::task::spawn_blocking(move || {
            let read = read_part(&file, part_size, left);
            (file, read)
        })
        .await?;
        let pieces = read.map_err(|error| local::failed("read", &name, &error))?;
        let part = Part::new(pieces, lane);
        let left = left.saturating_sub(part.size);
        Ok((part.size > 0).then_some((part, (file, left, name, lanes))))
    });
    Content {
        part_size,
        parts: parts.boxed(),
    }
}

/// The next part of a file, of which so much is left as far as is known.
fn read_part(file: &std::fs::File, most: u64, left: u64) -> std::io::Result<Vec<Bytes>> {
    let mut pieces = Vec::new();
    let mut room = most;
    while room > 0 {
        let size = room.min(PIECE);
        let likely = size.min(left.saturating_sub(most - room));
        let mut piece = Vec::with_capacity(usize::try_from(likely).unwrap_or(0));
        let read = file.take(size).read_to_end(&mut piece)? as u64;
        room -= read;
        pieces.push(piece.into());
        if read < size {
            break;
        }
    }
    Ok(pieces)
}

/// What a pipe brings.
pub(super) fn of_reader(
    source: impl AsyncRead + Unpin + Send + 'static,
    name: &'static str,
    tools: &Tools,
) -> Content {
    let state = (source, Arc::clone(&tools.lanes));
    let parts = stream::try_unfold(state, move |(mut source, lanes)| async move {
        let lane = free_lane(&lanes).await?;
        let mut pieces = Vec::new();
        let mut room = PART;
        let mut ended = false;
        while room > 0 && !ended {
            let size = usize::try_from(room.min(PIECE))?;
            let mut piece = BytesMut::with_capacity(size);
            while piece.len() < size && !ended {
                let free = size - piece.len();
                let read = source.read_buf(&mut (&mut piece).limit(free)).await;
                ended = read.with_context(|| format!("cannot read {name}"))? == 0;
            }
            room -= piece.len() as u64;
            pieces.push(piece.freeze());
        }
        let part = Part::new(pieces, lane);
        Ok((part.size > 0).then_some((part, (source, lanes))))
    });
    Content {
        part_size: PART,
        parts: parts.boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_only_where_there_would_be_too_many() {
        assert_eq!(part_size(0), PART);
        assert_eq!(part_size(PART * MAX_PARTS), PART);
        let tebibyte = 1 << 40;
        assert!(tebibyte / part_size(tebibyte) < MAX_PARTS);
    }
}
