//! Going on where a download broke off.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, ObjectStore, Result};
use portolan_egress::EgressError;

use super::retry::Attempts;
use super::{CloudError, Retries};

/// After so many bytes a download that breaks off again has all its attempts again.
const PROGRESS: u64 = 1 << 20;

/// A download of which a part is still to come.
struct Download {
    store: Arc<dyn ObjectStore>,
    location: Path,
    /// What the caller asked for, to be asked for again.
    version: Option<String>,
    /// What the object was when the download began.
    tag: Option<String>,
    /// The bytes that are still to come.
    left: Range<u64>,
    content: BoxStream<'static, Result<Bytes>>,
    attempts: Attempts,
    /// What came since the last attempt.
    came: u64,
}

/// The content of an answer. Where the connection ends before it does, the rest is asked for, if the
/// object is still the same by a strong tag.
pub(super) fn content(
    store: Arc<dyn ObjectStore>,
    location: Path,
    version: Option<String>,
    got: GetResult,
) -> BoxStream<'static, Result<Bytes>> {
    let tag = got.meta.e_tag.clone();
    let download = Download {
        store,
        location,
        version,
        tag: tag.filter(|tag| tag.starts_with('"')),
        left: got.range.clone(),
        content: got.into_stream(),
        attempts: Attempts::new(Retries::default()),
        came: 0,
    };
    stream::try_unfold(download, Download::next).boxed()
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        loop {
            match self.content.next().await {
                None => return Ok(None),
                Some(Ok(bytes)) => {
                    self.left.start += bytes.len() as u64;
                    self.came += bytes.len() as u64;
                    return Ok(Some((bytes, self)));
                }
                Some(Err(error)) if self.left.is_empty() || !broke_off(&error) => {
                    return Err(error);
                }
                Some(Err(error)) => self.resume(error).await?,
            }
        }
    }

    /// Asks for the rest; `broken` is the error where that does not help.
    async fn resume(&mut self, broken: Error) -> Result<()> {
        if self.came >= PROGRESS {
            self.attempts = Attempts::new(Retries::default());
        }
        self.came = 0;
        let (Some(tag), Some(wait)) = (&self.tag, self.attempts.next(None)) else {
            return Err(broken);
        };
        tokio::time::sleep(wait).await;
        let options = GetOptions {
            if_match: Some(tag.clone()),
            range: Some(GetRange::Bounded(self.left.clone())),
            version: self.version.clone(),
            ..GetOptions::default()
        };
        match self.store.get_opts(&self.location, options).await {
            // A server that does not heed the condition is found out by what it answers.
            Ok(rest) if rest.range == self.left && rest.meta.e_tag.as_ref() == Some(tag) => {
                self.content = rest.into_stream();
                Ok(())
            }
            _ => Err(broken),
        }
    }
}

/// Whether the connection was lost, and not something else.
fn broke_off(error: &Error) -> bool {
    matches!(
        CloudError::find(error),
        Some(CloudError::Egress(
            EgressError::Closed { .. } | EgressError::Silent { .. }
        ))
    )
}
