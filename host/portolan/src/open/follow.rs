//! An object store that is the newest version of its connection at each operation.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use portolan_data::{Confined, GateError, OpenGate};

use super::gate::{HandleGate, refusal};
use super::made::Made;
use super::pinned::Pinned;
use super::storage::Builder;

/// How many objects of a delete stream go to the store together: as many as S3 deletes by one request.
const TOGETHER: usize = 1_000;

/// The store of a handle that follows its connection. An operation that began stays with the
/// version that it began with.
#[derive(Debug, Clone)]
pub(crate) struct Following(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    gate: Arc<HandleGate>,
    builder: Builder,
    store: Made<Arc<Confined>>,
}

/// What becomes of objects that stand beside each other in a delete stream.
enum Run {
    /// These are deleted from one version of the connection.
    Deletes(Arc<Confined>, Vec<Result<Path>>),
    /// This one is not.
    Fails(Error),
}

impl Following {
    pub(super) fn new(
        gate: Arc<HandleGate>,
        builder: Builder,
        pinned: Arc<Pinned>,
        first: Arc<Confined>,
    ) -> Self {
        Self(Arc::new(Parts {
            gate,
            builder,
            store: Made::new(pinned, first),
        }))
    }

    /// The store to use now, once the gate has agreed.
    async fn now(&self, location: &Path) -> Result<Arc<Confined>> {
        let refused = |error: GateError| Error::PermissionDenied {
            path: location.to_string(),
            source: Box::new(error),
        };
        let Parts {
            gate,
            builder,
            store,
        } = &*self.0;
        let pinned = gate.pass().await.map_err(refused)?;
        // Whoever asks for this store has asked the gate before.
        let newer = builder.build(&pinned, Arc::new(OpenGate));
        let store = store.of(&pinned, newer).await;
        store.map_err(|error| refused(refusal(&error)))
    }

    /// Deletes these objects, those of one version of the connection together. Each is an operation,
    /// before which the gate is asked.
    async fn delete_together(
        &self,
        locations: Vec<Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let mut runs: Vec<Run> = Vec::new();
        for location in locations {
            let now = match location {
                Ok(location) => self.now(&location).await.map(|store| (store, location)),
                // The caller's own errors are given back as they are, in their place.
                Err(error) => Err(error),
            };
            match (now, runs.last_mut()) {
                (Ok((store, location)), Some(Run::Deletes(last, locations)))
                    if Arc::ptr_eq(last, &store) =>
                {
                    locations.push(Ok(location));
                }
                (Ok((store, location)), _) => runs.push(Run::Deletes(store, vec![Ok(location)])),
                (Err(error), _) => runs.push(Run::Fails(error)),
            }
        }
        let deleting = runs.into_iter().map(|run| match run {
            Run::Deletes(store, locations) => store.delete_stream(stream::iter(locations).boxed()),
            Run::Fails(error) => stream::iter([Err(error)]).boxed(),
        });
        stream::iter(deleting).flatten().boxed()
    }

    fn listing<F>(&self, prefix: Option<&Path>, list: F) -> BoxStream<'static, Result<ObjectMeta>>
    where
        F: FnOnce(&Confined, Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>>
            + Send
            + 'static,
    {
        let this = self.clone();
        let prefix = prefix.cloned();
        stream::once(async move {
            let store = this.now(&prefix.clone().unwrap_or_default()).await?;
            Ok::<_, Error>(list(&store, prefix.as_ref()))
        })
        .try_flatten()
        .boxed()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Following {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let store = self.now(location).await?;
        store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let store = self.now(location).await?;
        store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.now(location).await?.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let store = self.now(location).await?;
        store.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        // What is there by then goes together: nobody waits for more.
        locations
            .ready_chunks(TOGETHER)
            .then(move |locations| {
                let this = this.clone();
                async move { this.delete_together(locations).await }
            })
            .flatten()
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix, |store, prefix| store.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let offset = offset.clone();
        self.listing(prefix, move |store, prefix| {
            store.list_with_offset(prefix, &offset)
        })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let store = self.now(&prefix.cloned().unwrap_or_default()).await?;
        store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.now(from).await?.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.now(from).await?.rename_opts(from, to, options).await
    }
}

impl fmt::Display for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Following")
    }
}
