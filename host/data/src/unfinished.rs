//! Uploads in parts that nobody finished.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use object_store::Result;
use object_store::path::Path;

use crate::confined::relative_error;

/// The most uploads that a store behind a network tells of at once.
pub(crate) const MOST_UPLOADS: usize = 1_000;

/// A store that can tell what uploads left behind: they take up room, and no list shows them.
///
/// `object_store` has no such question. A store answers it where its service keeps unfinished
/// uploads; one whose service drops them at once has no need to.
#[async_trait]
pub trait UnfinishedUploads: fmt::Debug + Send + Sync {
    /// The unfinished uploads below `prefix`. Where the store can tell, those that somebody goes on
    /// with are not among them: of a local store they are not, of a service they are.
    ///
    /// # Errors
    ///
    /// The store cannot be asked.
    async fn unfinished_uploads(&self, prefix: &Path) -> Result<Unfinished>;

    /// Gives an upload up that [`unfinished_uploads`](Self::unfinished_uploads) told of, where it has
    /// an [`id`](UnfinishedUpload::id): its parts are removed. Whoever goes on with it fails.
    ///
    /// # Errors
    ///
    /// The store cannot do it.
    async fn give_up(&self, upload: &UnfinishedUpload) -> Result<()>;
}

/// What a store says of its unfinished uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The uploads, in the order of their paths.
    pub uploads: Vec<UnfinishedUpload>,
    /// Whether these are all: a store behind a network tells of 1,000 at most, and does not look
    /// through any number of objects for them.
    pub complete: bool,
    /// What becomes of them where nobody does anything.
    pub fate: Fate,
}

/// What becomes of unfinished uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// They stay.
    Stay,
    /// The service drops them a week after the last part.
    DroppedAfterAWeek,
}

/// An upload that was begun and neither completed nor given up.
#[derive(Clone, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// Where it lies: the object that it was to be, or for nodelocal the hidden file's path below the
    /// external I/O directory.
    pub path: String,
    /// Its size in bytes, where the store tells it.
    pub size: Option<u64>,
    /// When it was begun or last written, where the store tells it.
    pub since: Option<SystemTime>,
    /// What the service knows it by, where it can be given up.
    pub id: Option<String>,
}

impl fmt::Debug for UnfinishedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnfinishedUpload")
            .field("path", &self.path)
            .field("size", &self.size)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// The unfinished uploads of one connection: paths are relative to its prefix.
#[derive(Debug)]
pub struct ConfinedUploads {
    prefix: Path,
    store: Arc<dyn UnfinishedUploads>,
}

impl ConfinedUploads {
    pub(crate) fn new(prefix: Path, store: Arc<dyn UnfinishedUploads>) -> Self {
        Self { prefix, store }
    }

    /// The unfinished uploads below the prefix.
    ///
    /// # Errors
    ///
    /// As [`UnfinishedUploads::unfinished_uploads`].
    pub async fn list(&self) -> Result<Unfinished> {
        let told = self.store.unfinished_uploads(&self.prefix).await;
        let mut unfinished = told.map_err(|error| relative_error(&self.prefix, error))?;
        let below = below(&self.prefix);
        // What a server tells of beside it is not there.
        unfinished
            .uploads
            .retain(|upload| upload.path.starts_with(&below) && upload.path.len() > below.len());
        for upload in &mut unfinished.uploads {
            upload.path.drain(..below.len());
        }
        Ok(unfinished)
    }

    /// Gives an upload up that [`list`](Self::list) told of.
    ///
    /// # Errors
    ///
    /// As [`UnfinishedUploads::give_up`].
    pub async fn give_up(&self, upload: &UnfinishedUpload) -> Result<()> {
        let full = UnfinishedUpload {
            path: below(&self.prefix) + &upload.path,
            ..upload.clone()
        };
        let given_up = self.store.give_up(&full).await;
        given_up.map_err(|error| relative_error(&self.prefix, error))
    }
}

/// What the names of all objects below a prefix begin with.
pub(crate) fn below(prefix: &Path) -> String {
    match prefix.as_ref() {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells of these paths, whatever it is asked for.
    #[derive(Debug)]
    struct Told(&'static [&'static str]);

    #[async_trait]
    impl UnfinishedUploads for Told {
        async fn unfinished_uploads(&self, _: &Path) -> Result<Unfinished> {
            let uploads = self.0.iter().map(|path| UnfinishedUpload {
                path: (*path).to_owned(),
                size: None,
                since: None,
                id: Some("id".to_owned()),
            });
            Ok(Unfinished {
                uploads: uploads.collect(),
                complete: true,
                fate: Fate::Stay,
            })
        }

        async fn give_up(&self, upload: &UnfinishedUpload) -> Result<()> {
            assert_eq!(upload.path, "in/the/harbour");
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_lies_beside_the_prefix_is_not_told_and_paths_begin_behind_it() {
        let told = Told(&["in/the/harbour", "in2/a", "in/", "other", "in"]);
        let uploads = ConfinedUploads::new(Path::from("in"), Arc::new(told));
        let listed = uploads.list().await.expect("told");
        assert_eq!(listed.uploads.len(), 1);
        assert_eq!(listed.uploads[0].path, "the/harbour");
        uploads.give_up(&listed.uploads[0]).await.expect("given up");
        assert!(!format!("{listed:?}").contains("id"), "ids are not shown");
    }
}
