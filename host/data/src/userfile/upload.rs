//! Multipart uploads: parts in any order, published at the end.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use portolan_files::{Attributes, Condition, ContentId, UserFiles, UserFilesError};

use super::meta::put_result;
use super::{start, told};

/// An upload under way. Parts are written at their offset as they come; nothing is visible before
/// `complete`, and abort or drop leaves nothing behind.
#[derive(Debug)]
pub(super) struct Upload {
    files: Arc<dyn UserFiles>,
    progress: Arc<Mutex<Progress>>,
    attributes: Attributes,
    offset: u64,
}

#[derive(Debug)]
struct Progress {
    /// Absent once the upload is over.
    upload: Option<ContentId>,
    /// Parts that were handed out and are not written yet.
    unwritten: u64,
}

impl Upload {
    pub(super) fn new(
        files: Arc<dyn UserFiles>,
        upload: ContentId,
        attributes: Attributes,
    ) -> Self {
        Self {
            files,
            progress: Arc::new(Mutex::new(Progress {
                upload: Some(upload),
                unwritten: 0,
            })),
            attributes,
            offset: 0,
        }
    }
}

fn over() -> object_store::Error {
    told(UserFilesError::UploadOver)
}

fn with<V>(progress: &Mutex<Progress>, work: impl FnOnce(&mut Progress) -> V) -> V {
    work(&mut progress.lock().unwrap_or_else(PoisonError::into_inner))
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.offset;
        self.offset += data.content_length() as u64;
        with(&self.progress, |progress| progress.unwritten += 1);
        let progress = Arc::clone(&self.progress);
        let files = Arc::clone(&self.files);
        async move {
            start(move || {
                let upload = with(&progress, |progress| progress.upload).ok_or_else(over)?;
                let part: Vec<Bytes> = data.into_iter().collect();
                files.write(upload, offset, &part).map_err(told)?;
                with(&progress, |progress| progress.unwritten -= 1);
                Ok(())
            })
            .await
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let upload = with(&self.progress, |progress| match progress.unwritten {
            0 => progress.upload.take(),
            // A part that failed, or was never awaited, would be a hole in the object.
            _ => None,
        })
        .ok_or_else(over)?;
        let (files, size) = (Arc::clone(&self.files), self.offset);
        let attributes = std::mem::take(&mut self.attributes);
        start(move || {
            let meta = files
                .publish(upload, size, &attributes, Condition::Any)
                .inspect_err(|_| {
                    // The first error is the one to tell; what stays is swept.
                    let _ = files.abort(upload);
                })
                .map_err(told)?;
            Ok(put_result(&meta))
        })
        .await
    }

    async fn abort(&mut self) -> Result<()> {
        let upload = with(&self.progress, |progress| progress.upload.take()).ok_or_else(over)?;
        let files = Arc::clone(&self.files);
        start(move || files.abort(upload).map_err(told)).await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(upload) = with(&self.progress, |progress| progress.upload.take()) {
            let files = Arc::clone(&self.files);
            // The removal blocks, so it goes to a thread for that; nobody waits for it. What it does
            // not get to is swept.
            drop(start(move || files.abort(upload).map_err(told)));
        }
    }
}
