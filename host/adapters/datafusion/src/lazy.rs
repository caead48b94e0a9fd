//! The store of a connection that is opened when it is first used.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use portolan::{OpenOptions, Operation, Session, StorageConnection};
use portolan_data::GateError;
use tokio::sync::OnceCell;

/// A connection's root. DataFusion looks a store up where it cannot wait, so that opening has to.
/// A connection that could not be opened is asked for again at the next operation.
#[derive(Clone)]
pub(crate) struct Lazy {
    session: Session,
    url: String,
    handle: Arc<OnceCell<StorageConnection>>,
}

impl Lazy {
    pub(crate) fn new(session: Session, url: String) -> Self {
        Self {
            session,
            url,
            handle: Arc::default(),
        }
    }

    /// The store, for an operation on `location`.
    async fn store(&self, location: &Path) -> Result<Arc<dyn ObjectStore>> {
        let opened = self.handle.get_or_try_init(|| self.open()).await;
        // As a handle that is refused later does it, so that both are found in the same way.
        let handle = opened.map_err(|error| Error::PermissionDenied {
            path: location.to_string(),
            source: Box::new(refusal(&error)),
        })?;
        Ok(handle.object_store())
    }

    async fn open(&self) -> std::result::Result<StorageConnection, portolan::Error> {
        let follow = OpenOptions { follow: true };
        let opened = self
            .session
            .open_with(&self.url, Operation::Transfer, follow)
            .await?;
        opened.into_storage()
    }

    fn listing<F>(&self, prefix: Option<&Path>, list: F) -> BoxStream<'static, Result<ObjectMeta>>
    where
        F: FnOnce(&dyn ObjectStore, Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>>
            + Send
            + 'static,
    {
        let this = self.clone();
        let prefix = prefix.cloned();
        futures::stream::once(async move {
            let store = this.store(&prefix.clone().unwrap_or_default()).await?;
            Ok::<_, Error>(list(&*store, prefix.as_ref()))
        })
        .try_flatten()
        .boxed()
    }
}

fn refusal(error: &portolan::Error) -> GateError {
    let refusal = GateError::new(error.sqlstate().code(), error.message());
    match error.hint() {
        Some(hint) => refusal.with_hint(hint),
        None => refusal,
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Lazy {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let store = self.store(location).await?;
        store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let store = self.store(location).await?;
        store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let store = self.store(location).await?;
        store.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let store = self.store(location).await?;
        store.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        futures::stream::once(async move {
            let store = this.store(&Path::default()).await?;
            Ok::<_, Error>(store.delete_stream(locations))
        })
        .try_flatten()
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
        let store = self.store(&prefix.cloned().unwrap_or_default()).await?;
        store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let store = self.store(from).await?;
        store.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let store = self.store(from).await?;
        store.rename_opts(from, to, options).await
    }
}

// A URL may be one that was mistyped, with a password in it.
impl fmt::Debug for Lazy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

impl fmt::Display for Lazy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lazy")
    }
}
