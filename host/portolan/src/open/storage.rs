//! The handle of a connection that is an object store.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::path::Path;
use portolan_contract::{Operation, SubPath};
use portolan_data::{Unfinished, UnfinishedUpload};

use super::OpenOptions;
use super::follow::Following;
use super::gate::HandleGate;
use super::pinned::Pinned;
use crate::access::Actor;
use crate::host::Shared;
use crate::{Error, SqlState};

/// How often a waiting handle looks for changes that other processes made.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An open connection: an object store below the connection's path and the sub-path of the URL.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on.
#[derive(Debug, Clone)]
pub struct StorageConnection {
    gate: Arc<HandleGate>,
    store: Arc<dyn ObjectStore>,
}

/// What an object store can do beyond reading, writing, listing and deleting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// What the connection may be used for.
    pub operations: Vec<Operation>,
    /// Whether `PutMode::Create` is atomic: it fails where there is an object already.
    pub create_if_absent: bool,
    /// Whether `PutMode::Update` replaces an object only if it is the one that was read.
    pub update_if_unchanged: bool,
    /// Whether objects keep attributes.
    pub attributes: bool,
    /// Whether an upload in parts becomes visible as a whole.
    pub atomic_multipart: bool,
}

impl StorageConnection {
    pub(crate) async fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        known: bool,
        path: &SubPath,
        operation: Operation,
        OpenOptions { follow }: OpenOptions,
    ) -> Result<Self, Error> {
        let sub_path = object_path(path)?;
        let gate = HandleGate::new(host, actor, pinned, sub_path, operation, follow);
        let gate = Arc::new(gate);
        let first = gate.first_store(known).await?;
        host.handles.add(&gate);
        let store: Arc<dyn ObjectStore> = if follow {
            Arc::new(Following::new(Arc::clone(&gate), first))
        } else {
            first
        };
        Ok(Self { gate, store })
    }

    /// The object store. Paths are relative to the URL that was opened; each operation fails once
    /// the handle may not be used any more.
    #[must_use]
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// The same store, for uploads in parts with `put_multipart`: an object of any size in constant
    /// memory, visible as a whole once it is complete.
    #[must_use]
    pub fn multipart(&self) -> Arc<dyn ObjectStore> {
        self.object_store()
    }

    /// What the store can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        let pinned = self.gate.pinned();
        let backend = pinned.plan().object_store();
        // A file has no place for attributes, and no call replaces it only if it is unchanged.
        let is_file = backend.is_some_and(|store| store.backend == "nodelocal");
        Capabilities {
            operations: pinned.plan().operations(),
            create_if_absent: true,
            update_if_unchanged: !is_file,
            attributes: !is_file,
            atomic_multipart: true,
        }
    }

    /// The uploads in parts below the handle's URL that were begun and neither completed nor given up;
    /// none where the service keeps none, or the files are this host's own. Uploads that somebody goes
    /// on with are among them.
    ///
    /// # Errors
    /// The handle may not be used any more, or the service does not tell.
    pub async fn unfinished_uploads(&self) -> Result<Option<Unfinished>, Error> {
        match self.gate.uploads().await? {
            Some(uploads) => Ok(Some(uploads.list().await?)),
            None => Ok(None),
        }
    }

    /// Gives an upload up that [`unfinished_uploads`](Self::unfinished_uploads) told of and that has an
    /// id: its parts are removed. Whoever goes on with it fails.
    ///
    /// # Errors
    /// The handle may not be used any more, or the service does not do it.
    pub async fn give_up(&self, upload: &UnfinishedUpload) -> Result<(), Error> {
        match self.gate.uploads().await? {
            Some(uploads) => Ok(uploads.give_up(upload).await?),
            None => Err(Error::new(
                SqlState::FeatureNotSupported,
                "this storage keeps no unfinished uploads",
            )),
        }
    }

    /// The version of the connection that the handle uses.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.gate.pinned().connection.version
    }

    /// Whether the handle may be used and its version is the newest. A handle that follows takes
    /// the newest with this.
    pub async fn is_current(&self) -> bool {
        self.gate.refresh().await.is_ok() && self.gate.is_newest()
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub async fn changed(&self) {
        let mut revisions = self.gate.catalog.subscribe();
        let mut policies = self.gate.egress.policy().subscribe();
        let version = self.version();
        while self.is_current().await && self.version() == version {
            tokio::select! {
                _ = revisions.changed() => {}
                _ = policies.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }
}

/// The path of objects that a sub-path is.
fn object_path(path: &SubPath) -> Result<Path, Error> {
    Path::parse(path.segments().join("/")).map_err(|_| {
        Error::new(
            SqlState::InvalidParameterValue,
            "the path of the URL cannot be one of objects",
        )
        .with_hint("leave control characters out of the path")
    })
}
