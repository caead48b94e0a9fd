//! The object of a pass, which is gone afterwards, whatever became of the pass.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt, Result};
use uuid::Uuid;

/// What the names of the objects begin with.
const PREFIX: &str = "cockroach-storage-test-";

/// An object that has to be deleted.
pub(super) struct Leftover {
    store: Arc<dyn ObjectStore>,
    path: Path,
    upload: Option<Box<dyn MultipartUpload>>,
    /// Whether there is an object, or may be one.
    there: bool,
}

impl Leftover {
    /// Chooses a name that nobody has.
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            path: Path::from(format!("{PREFIX}{}", Uuid::new_v4().simple())),
            upload: None,
            there: false,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the object at once.
    pub(super) async fn put(&mut self, payload: object_store::PutPayload) -> Result<()> {
        self.there = true;
        self.store.put(&self.path, payload).await?;
        Ok(())
    }

    /// Keeps the upload that writes the object.
    pub(super) fn uploading(
        &mut self,
        upload: Box<dyn MultipartUpload>,
    ) -> &mut dyn MultipartUpload {
        &mut **self.upload.insert(upload)
    }

    /// Completes the upload.
    pub(super) async fn complete(&mut self) -> Result<()> {
        if let Some(upload) = &mut self.upload {
            // If this is cancelled, nobody knows whether the object is there.
            self.there = true;
            upload.complete().await?;
            self.upload = None;
        }
        Ok(())
    }

    /// Deletes what there is.
    pub(super) async fn clean(mut self) -> Result<()> {
        let unfinished = self.upload.is_some();
        if let Some(upload) = &mut self.upload {
            // Its error is of no use: an upload that is over by now cannot be given up.
            let _ = upload.abort().await;
        }
        if !self.there {
            return Ok(());
        }
        match self.store.delete(&self.path).await {
            Err(Error::NotFound { .. }) if unfinished => Ok(()),
            other => other,
        }
    }
}
