//! The object of a pass, which is gone afterwards, whatever became of the pass.

use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, Result};
use portolan_data::GateError;
use uuid::Uuid;

use super::target::Storage;

/// What the names of the objects begin with.
const PREFIX: &str = "cockroach-storage-test-";

/// An object that has to be deleted.
pub(super) struct Leftover {
    storage: Storage,
    path: Path,
    upload: Option<Box<dyn MultipartUpload>>,
    /// Whether there is an object, or may be one.
    there: bool,
}

impl Leftover {
    /// Chooses a name that nobody has.
    pub(super) fn new(storage: Storage) -> Self {
        Self {
            storage,
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
        self.storage.gated.put(&self.path, payload).await?;
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

    /// Deletes the object by the way that the work is done.
    pub(super) async fn delete(&mut self) -> Result<()> {
        let deleted = self.storage.gated.delete(&self.path).await;
        // Whom the storage refuses it refuses again, but whom the gate refused did not ask it.
        self.there = matches!(&deleted, Err(error) if GateError::find(error).is_some());
        deleted
    }

    /// Removes what is left, though the connection may not be used any more by now.
    pub(super) async fn clean(mut self) {
        if let Some(upload) = &mut self.upload {
            // Its error is of no use: an upload that is over by now cannot be given up.
            let _ = upload.abort().await;
        }
        if self.there {
            // Neither is this one: the pass failed before, and maybe nothing was written.
            let _ = self.storage.below.delete(&self.path).await;
        }
    }
}
