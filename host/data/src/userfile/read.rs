//! Reading an object: whole, in ranges, as a stream of bounded chunks.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, GetResultPayload, Result};
use portolan_files::{OpenFile, UserFiles, UserFilesError};

use super::meta::object_meta;
use super::{attributes, start, told};

/// Opens an object and reads the first chunk of what was asked for.
pub(super) fn get(
    files: &Arc<dyn UserFiles>,
    set: &str,
    location: &Path,
    options: &GetOptions,
) -> Result<GetResult> {
    let mut file = files.open(set, location.as_ref()).map_err(told)?;
    let meta = object_meta(&file.meta).ok_or_else(|| missing(location))?;
    options.check_preconditions(&meta)?;
    let range = match &options.range {
        Some(range) => resolve(range, meta.size)?,
        None => 0..meta.size,
    };
    let attributes = attributes::of_files(std::mem::take(&mut file.attributes));
    let payload = if options.head || range.is_empty() {
        stream::empty().boxed()
    } else {
        Chunks::start(Arc::clone(files), file, range.clone())?.into_stream()
    };
    Ok(GetResult {
        payload: GetResultPayload::Stream(payload),
        meta,
        range,
        attributes,
        extensions: object_store::Extensions::default(),
    })
}

/// Reads several ranges of one version of an object.
pub(super) fn get_ranges(
    files: &dyn UserFiles,
    set: &str,
    location: &Path,
    ranges: &[Range<u64>],
) -> Result<Vec<Bytes>> {
    let file = files.open(set, location.as_ref()).map_err(told)?;
    ranges
        .iter()
        .map(|range| {
            let mut range = resolve(&GetRange::Bounded(range.clone()), file.meta.size)?;
            let mut whole = BytesMut::new();
            while !range.is_empty() {
                let chunk = next_chunk(files, &file, &mut range)?;
                if range.is_empty() && whole.is_empty() {
                    return Ok(chunk);
                }
                whole.extend_from_slice(&chunk);
            }
            Ok(whole.freeze())
        })
        .collect()
}

fn missing(location: &Path) -> Error {
    told(UserFilesError::Missing {
        path: location.to_string(),
    })
}

fn resolve(range: &GetRange, size: u64) -> Result<Range<u64>> {
    range.as_range(size).map_err(|source| Error::Generic {
        store: super::NAME,
        source: Box::new(source),
    })
}

/// Reads the beginning of what is left of a range, and takes it off.
fn next_chunk(files: &dyn UserFiles, file: &OpenFile, range: &mut Range<u64>) -> Result<Bytes> {
    let mut chunk = files.read(file, range.start).map_err(told)?;
    let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    chunk.truncate(left);
    range.start += chunk.len() as u64;
    Ok(chunk)
}

/// A file that is read forward, one chunk ahead of its consumer, so that a stream holds two at most.
struct Chunks {
    ready: BoxFuture<'static, Result<(Bytes, Range<u64>)>>,
    files: Arc<dyn UserFiles>,
    file: Arc<OpenFile>,
}

impl Chunks {
    fn start(files: Arc<dyn UserFiles>, file: OpenFile, mut range: Range<u64>) -> Result<Self> {
        let chunk = next_chunk(&*files, &file, &mut range)?;
        Ok(Self {
            ready: Box::pin(futures::future::ready(Ok((chunk, range)))),
            files,
            file: Arc::new(file),
        })
    }

    fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        stream::try_unfold(Some(self), async |chunks| {
            let Some(Self { ready, files, file }) = chunks else {
                return Ok(None);
            };
            let (chunk, left) = ready.await?;
            let rest = (!left.is_empty()).then(|| Self::next(files, file, left));
            Ok(Some((chunk, rest)))
        })
        .boxed()
    }

    fn next(files: Arc<dyn UserFiles>, file: Arc<OpenFile>, mut range: Range<u64>) -> Self {
        let ready = {
            let (files, file) = (Arc::clone(&files), Arc::clone(&file));
            start(move || Ok((next_chunk(&*files, &file, &mut range)?, range)))
        };
        Self { ready, files, file }
    }
}
