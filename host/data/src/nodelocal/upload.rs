//! Multipart uploads: parts in any order into one hidden file, which is published at the end.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};

use super::error::NodelocalError;
use super::staged::{Existing, Staged};
use super::task;

/// An upload under way. Parts are written at their offset as they come, several at a time;
/// nothing is visible before `complete`, and abort or drop leaves nothing behind.
#[derive(Debug)]
pub(super) struct Upload {
    progress: Arc<Mutex<Progress>>,
    location: Path,
    offset: u64,
}

#[derive(Debug)]
struct Progress {
    /// Absent once the upload is over.
    staged: Option<Staged>,
    /// Parts that were handed out and are not written yet.
    unwritten: u64,
}

impl Upload {
    pub(super) fn new(staged: Staged, location: Path) -> Self {
        Self {
            progress: Arc::new(Mutex::new(Progress {
                staged: Some(staged),
                unwritten: 0,
            })),
            location,
            offset: 0,
        }
    }

    fn over(&self) -> NodelocalError {
        over(&self.location)
    }
}

fn over(location: &Path) -> NodelocalError {
    NodelocalError::UploadOver {
        path: location.to_string(),
    }
}

fn with<V>(progress: &Mutex<Progress>, work: impl FnOnce(&mut Progress) -> V) -> V {
    work(&mut progress.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Writes at an offset without a shared cursor, so that parts need not wait for each other.
fn write_at(file: &File, payload: &PutPayload, mut offset: u64) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    for bytes in payload {
        file.write_all_at(bytes, offset)?;
        offset += bytes.len() as u64;
    }
    Ok(())
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.offset;
        self.offset += data.content_length() as u64;
        with(&self.progress, |progress| progress.unwritten += 1);
        let progress = Arc::clone(&self.progress);
        let location = self.location.clone();
        async move {
            task::start(move || {
                let file = with(&progress, |progress| match &progress.staged {
                    Some(staged) => staged
                        .file()?
                        .try_clone()
                        .map_err(|source| staged.error("write", source)),
                    None => Err(over(&location)),
                })?;
                write_at(&file, &data, offset)
                    .map_err(|source| NodelocalError::io("write", &location, source))?;
                with(&progress, |progress| progress.unwritten -= 1);
                Ok(())
            })
            .await
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let staged = with(&self.progress, |progress| match progress.staged.take() {
            // A part that failed, or was never awaited, would be a hole in the object.
            Some(_) if progress.unwritten > 0 => None,
            other => other,
        })
        .ok_or_else(|| self.over())?;
        task::start(move || Ok(staged.publish(Existing::Replace)?)).await
    }

    async fn abort(&mut self) -> Result<()> {
        let staged =
            with(&self.progress, |progress| progress.staged.take()).ok_or_else(|| self.over())?;
        task::start(move || {
            drop(staged);
            Ok(())
        })
        .await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(staged) = with(&self.progress, |progress| progress.staged.take()) {
            // The removal blocks, so it goes to a thread for that; nobody waits for it.
            drop(task::start(move || {
                drop(staged);
                Ok(())
            }));
        }
    }
}
