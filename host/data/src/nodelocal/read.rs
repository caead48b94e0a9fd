//! Reading an object: whole, in ranges, as a stream of bounded chunks.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, GetResultPayload, Result};

use super::error::NodelocalError;
use super::task;
use super::tree::{Tree, object_meta};

/// How much one read of a stream fetches. While the consumer works on one chunk the next is
/// read, so a stream holds two at most.
const CHUNK_BYTES: u64 = 1 << 20;

/// Opens an object and reads the first chunk of what was asked for.
pub(super) fn get(tree: &Tree, location: &Path, options: &GetOptions) -> Result<GetResult> {
    let reading = |error: NodelocalError| error.for_reader(location);
    let place = tree.place(location).map_err(reading)?;
    let (metadata, file) = if options.head {
        (place.examine(location).map_err(reading)?, None)
    } else {
        let (file, metadata) = place.open(location).map_err(reading)?;
        (metadata, Some(file.into_std()))
    };
    let meta = object_meta(&metadata, location.clone());
    options.check_preconditions(&meta)?;
    let range = match &options.range {
        Some(range) => resolve(range, meta.size)?,
        None => 0..meta.size,
    };
    let payload = match file {
        Some(file) => Chunks::start(file, range.clone(), location.clone())?.into_stream(),
        None => stream::empty().boxed(),
    };
    Ok(GetResult {
        payload: GetResultPayload::Stream(payload),
        meta,
        range,
        attributes: object_store::Attributes::default(),
        extensions: object_store::Extensions::default(),
    })
}

/// Reads several ranges of an object through one opened file.
pub(super) fn get_ranges(
    tree: &Tree,
    location: &Path,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>> {
    let reading = |error: NodelocalError| error.for_reader(location);
    let place = tree.place(location).map_err(reading)?;
    let (file, metadata) = place.open(location).map_err(reading)?;
    let mut file = file.into_std();
    ranges
        .iter()
        .map(|range| {
            let range = resolve(&GetRange::Bounded(range.clone()), metadata.len())?;
            seek(&mut file, range.start, location)?;
            read_exactly(&mut file, range.end - range.start, location)
        })
        .collect()
}

fn resolve(range: &GetRange, size: u64) -> Result<Range<u64>> {
    range.as_range(size).map_err(|source| Error::Generic {
        store: super::NAME,
        source: Box::new(source),
    })
}

fn seek(file: &mut File, offset: u64, location: &Path) -> Result<()> {
    file.seek(SeekFrom::Start(offset))
        .map_err(|source| NodelocalError::io("read", location, source))?;
    Ok(())
}

fn read_exactly(file: &mut File, length: u64, location: &Path) -> Result<Bytes> {
    let capacity = usize::try_from(length).unwrap_or(usize::MAX);
    let mut buffer = Vec::with_capacity(capacity);
    let read = file
        .take(length)
        .read_to_end(&mut buffer)
        .map_err(|source| NodelocalError::io("read", location, source))?;
    if read < capacity {
        return Err(NodelocalError::Shrunk {
            path: location.to_string(),
        }
        .into());
    }
    Ok(buffer.into())
}

/// A file that is read forward, one chunk ahead of its consumer.
struct Chunks {
    ready: BoxFuture<'static, Result<(File, Bytes)>>,
    /// The bytes that are still to be read after the chunk that is under way.
    left: u64,
    location: Path,
}

impl Chunks {
    fn start(mut file: File, range: Range<u64>, location: Path) -> Result<Self> {
        let length = range.end - range.start;
        let first = length.min(CHUNK_BYTES);
        if range.start > 0 {
            seek(&mut file, range.start, &location)?;
        }
        let bytes = read_exactly(&mut file, first, &location)?;
        Ok(Self {
            ready: Box::pin(futures::future::ready(Ok((file, bytes)))),
            left: length - first,
            location,
        })
    }

    fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        stream::try_unfold(Some(self), async |chunks| {
            let Some(chunks) = chunks else {
                return Ok(None);
            };
            let (file, bytes) = chunks.ready.await?;
            let rest = (chunks.left > 0).then(|| Self::next(file, chunks.left, chunks.location));
            Ok((rest.is_some() || !bytes.is_empty()).then_some((bytes, rest)))
        })
        .boxed()
    }

    fn next(mut file: File, left: u64, location: Path) -> Self {
        let length = left.min(CHUNK_BYTES);
        let path = location.clone();
        Self {
            ready: task::start(move || {
                let bytes = read_exactly(&mut file, length, &path)?;
                Ok((file, bytes))
            }),
            left: left - length,
            location,
        }
    }
}
