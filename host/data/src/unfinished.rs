//! Uploads in parts that nobody finished.

use std::time::SystemTime;

use async_trait::async_trait;
use object_store::Result;
use object_store::path::Path;

/// A store that can tell what uploads left behind: they take up room, and no list shows them.
///
/// `object_store` has no such question. A store answers it where its service keeps unfinished
/// uploads; one whose service drops them by itself has no need to.
#[async_trait]
pub trait UnfinishedUploads {
    /// The uploads below `prefix` that nobody goes on with, in the order of their paths.
    ///
    /// # Errors
    ///
    /// The store cannot be asked.
    async fn abandoned_uploads(&self, prefix: &Path) -> Result<Vec<AbandonedUpload>>;
}

/// An unfinished upload that a process left behind when it was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedUpload {
    /// Where it lies: for nodelocal the hidden file's path below the external I/O directory.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: SystemTime,
}
