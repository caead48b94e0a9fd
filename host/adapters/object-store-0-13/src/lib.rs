//! A store of `object_store` 0.14 for programs that still speak 0.13, as DataFusion 55 and delta-rs
//! 1.1 do.
//!
//! The two versions have the same calls with the same meaning; only the types are others. So each
//! call is handed on, and what goes in and out is turned into the other version's type. Bytes are
//! not copied.
//!
//! ```
//! use std::sync::Arc;
//!
//! use object_store_0_13::ObjectStoreExt;
//! use portolan_object_store_0_13::Adapted;
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! // Where a server has `StorageConnection::object_store()`, this example has a store in memory.
//! let store = Adapted::new(Arc::new(object_store::memory::InMemory::new()));
//! let path = object_store_0_13::path::Path::from("greeting");
//! store.put(&path, "hello".into()).await?;
//! assert_eq!(&store.get(&path).await?.bytes().await?[..], b"hello");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layout
//!
//! * [`Adapted`]: the store.
//! * `convert`: one function for each type, named after where it leads: `newer` or `older`.
//! * `upload`: a multipart upload.

mod convert;
mod upload;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store_0_13::path::Path;
use object_store_0_13::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use convert::{newer, older};

/// A store of 0.14 that speaks 0.13.
#[derive(Debug, Clone)]
pub struct Adapted {
    store: Arc<dyn object_store::ObjectStore>,
}

impl Adapted {
    /// Lets `store` speak 0.13.
    #[must_use]
    pub fn new(store: Arc<dyn object_store::ObjectStore>) -> Self {
        Self { store }
    }

    /// The store behind it.
    #[must_use]
    pub fn into_inner(self) -> Arc<dyn object_store::ObjectStore> {
        self.store
    }
}

impl fmt::Display for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Adapted {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let location = newer::path(location)?;
        let (payload, options) = (newer::payload(payload), newer::put_options(options));
        let put = self.store.put_opts(&location, payload, options).await;
        put.map(older::put_result).map_err(older::error)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self
            .store
            .put_multipart_opts(&newer::path(location)?, newer::multipart_options(options))
            .await
            .map_err(older::error)?;
        Ok(Box::new(upload::Adapted(upload)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let got = self
            .store
            .get_opts(&newer::path(location)?, newer::get_options(options))
            .await
            .map_err(older::error)?;
        older::get_result(got)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let got = self.store.get_ranges(&newer::path(location)?, ranges).await;
        got.map_err(older::error)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let locations = locations.map(|location| {
            let location = location.map_err(newer::error)?;
            newer::path(&location).map_err(newer::error)
        });
        self.store
            .delete_stream(locations.boxed())
            .map_err(older::error)
            .and_then(|path| futures::future::ready(older::path(&path)))
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match prefix.map(newer::path).transpose() {
            Ok(prefix) => metas(self.store.list(prefix.as_ref())),
            Err(error) => failed(error),
        }
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        match (prefix.map(newer::path).transpose(), newer::path(offset)) {
            (Ok(prefix), Ok(offset)) => {
                metas(self.store.list_with_offset(prefix.as_ref(), &offset))
            }
            (Err(error), _) | (_, Err(error)) => failed(error),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.map(newer::path).transpose()?;
        let listed = self.store.list_with_delimiter(prefix.as_ref()).await;
        older::list_result(listed.map_err(older::error)?)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (from, to) = (newer::path(from)?, newer::path(to)?);
        let copied = self
            .store
            .copy_opts(&from, &to, newer::copy_options(options));
        copied.await.map_err(older::error)
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let (from, to) = (newer::path(from)?, newer::path(to)?);
        let renamed = self
            .store
            .rename_opts(&from, &to, newer::rename_options(options));
        renamed.await.map_err(older::error)
    }
}

fn metas(
    listed: BoxStream<'static, object_store::Result<object_store::ObjectMeta>>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    listed
        .map(|meta| older::meta(meta.map_err(older::error)?))
        .boxed()
}

fn failed(error: object_store_0_13::Error) -> BoxStream<'static, Result<ObjectMeta>> {
    futures::stream::once(futures::future::ready(Err(error))).boxed()
}
