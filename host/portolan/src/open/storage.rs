//! The handle of a connection that is an object store.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;
use portolan_contract::{Operation, SubPath};
use portolan_data::{
    Backends, Confined, ConfinedUploads, Gate, OpenGate, Unfinished, UnfinishedUpload,
};
use tokio::runtime::Handle;

use super::OpenOptions;
use super::follow::Following;
use super::gate::{HandleGate, Worker};
use super::pinned::Pinned;
use crate::access::Actor;
use crate::host::Shared;
use crate::probing::interrupted;
use crate::{Error, SqlState};

/// An open connection: an object store below the connection's path and the sub-path of the URL.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on.
#[derive(Debug, Clone)]
pub struct StorageConnection {
    gate: Arc<HandleGate>,
    builder: Builder,
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
        options: OpenOptions,
    ) -> Result<Self, Error> {
        let builder = Builder::new(host, path)?;
        let worker = Worker::Host;
        let gate = HandleGate::new(host, actor, Arc::clone(&pinned), operation, worker, options);
        let asked: Arc<dyn Gate> = match options.follow {
            // What follows asks the gate before it takes the store.
            true => Arc::new(OpenGate),
            false => Arc::<HandleGate>::clone(&gate),
        };
        let first = builder.first(&pinned, asked, known).await?;
        host.handles.add(&gate);
        let store: Arc<dyn ObjectStore> = match options.follow {
            true => Arc::new(Following::new(
                Arc::clone(&gate),
                builder.clone(),
                pinned,
                first,
            )),
            false => first,
        };
        Ok(Self {
            gate,
            builder,
            store,
        })
    }

    /// The object store. Paths are relative to the URL that was opened; each operation fails once
    /// the handle may not be used any more.
    #[must_use]
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// The same store, for uploads in parts with `put_multipart`: an object of any size in constant
    /// memory, visible as a whole once it is complete. One that is dropped before is given up, as
    /// far as the runtime that it was begun in goes on.
    #[must_use]
    pub fn multipart(&self) -> Arc<dyn ObjectStore> {
        self.object_store()
    }

    /// The same store below the gate, which nothing ends: for whoever removes what the host itself
    /// wrote through the handle, and for nothing else.
    pub(crate) async fn below_gate(&self) -> Result<Arc<dyn ObjectStore>, Error> {
        let pinned = self.gate.pinned();
        let built = self.builder.build(&pinned, Arc::new(OpenGate)).await?;
        Ok(built)
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
        match self.uploads().await? {
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
        match self.uploads().await? {
            Some(uploads) => Ok(uploads.give_up(upload).await?),
            None => Err(Error::new(
                SqlState::FeatureNotSupported,
                "this storage keeps no unfinished uploads",
            )),
        }
    }

    async fn uploads(&self) -> Result<Option<ConfinedUploads>, Error> {
        let pinned = self.gate.pass().await?;
        self.builder.uploads(pinned).await
    }

    /// The version of the connection that the handle uses.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.gate.version()
    }

    /// Whether the handle may be used and its version is the newest. A handle that follows takes
    /// the newest with this.
    pub async fn is_current(&self) -> bool {
        self.gate.is_current().await
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub async fn changed(&self) {
        self.gate.changed().await;
    }
}

/// What a store is built from, beside a plan.
#[derive(Debug, Clone)]
pub(super) struct Builder {
    backends: Backends,
    runtime: Handle,
    sub_path: Path,
}

impl Builder {
    /// Builds stores of the host at this path of their connection.
    pub(super) fn new(host: &Shared, path: &SubPath) -> Result<Self, Error> {
        Ok(Self {
            backends: host.backends.clone(),
            runtime: host.runtime.clone(),
            sub_path: object_path(path)?,
        })
    }

    /// The store that a handle begins with, behind its gate. `known` says that a store of the plan
    /// was built before.
    async fn first(
        &self,
        pinned: &Arc<Pinned>,
        gate: Arc<dyn Gate>,
        known: bool,
    ) -> Result<Arc<Confined>, Error> {
        let Self {
            backends,
            runtime,
            sub_path,
        } = self;
        if known && !backends.opens_directory(&pinned.stored) {
            // Its certificates were read then, so there is nothing left that could take long.
            let _runtime = runtime.enter();
            let built = backends.build_confined(&pinned.stored, sub_path, gate)?;
            return Ok(Arc::new(built));
        }
        self.build(pinned, gate).await
    }

    /// The store of a version of the connection, behind a gate.
    pub(super) async fn build(
        &self,
        pinned: &Arc<Pinned>,
        gate: Arc<dyn Gate>,
    ) -> Result<Arc<Confined>, Error> {
        let backends = self.backends.clone();
        let pinned = Arc::clone(pinned);
        let sub_path = self.sub_path.clone();
        let built = self
            .runtime
            .spawn_blocking(move || backends.build_confined(&pinned.stored, &sub_path, gate))
            .await
            .map_err(|_| interrupted())?;
        Ok(Arc::new(built?))
    }

    /// What tells of the unfinished uploads below the handle's URL.
    async fn uploads(&self, pinned: Arc<Pinned>) -> Result<Option<ConfinedUploads>, Error> {
        let (backends, sub_path) = (self.backends.clone(), self.sub_path.clone());
        let built = self
            .runtime
            .spawn_blocking(move || backends.unfinished_uploads(&pinned.stored, &sub_path))
            .await
            .map_err(|_| interrupted())?;
        Ok(built?)
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
