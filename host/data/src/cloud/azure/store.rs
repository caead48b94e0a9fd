//! The store of `object_store`, which would delete in batches, and take a copy that has begun for done.
//!
//! A batch has credentials in its body, and the library takes the places in its answer from the
//! server as they are. So objects are deleted here, each by a request of its own.

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{Method, StatusCode};
use object_store::azure::MicrosoftAzure;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result,
};

use super::NAME;
use super::container::Container;
use crate::cloud::CloudError;

/// How many objects of a stream are deleted at the same time.
const DELETES_AT_ONCE: usize = 20;

/// One container. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct AzureStore {
    pub(super) store: MicrosoftAzure,
    pub(super) container: Container,
}

impl AzureStore {
    async fn delete_one(&self, location: &Path) -> std::result::Result<(), CloudError> {
        let name = location.as_ref();
        let answer = self.container.send(Method::DELETE, name, "", []).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Err(CloudError::Missing),
            _ => Err(CloudError::Changed),
        }
    }
}

impl fmt::Display for AzureStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for AzureStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.store.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        locations
            .map(move |location| {
                let this = this.clone();
                async move {
                    let location = location?;
                    let deleted = this.delete_one(&location).await;
                    deleted.map_err(|error| error.into_store(NAME, location.as_ref()))?;
                    Ok(location)
                }
            })
            .buffered(DELETES_AT_ONCE)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let overwrite = options.mode == CopyMode::Overwrite;
        let copied = self.container.copy(from, to, overwrite).await;
        copied.map_err(|error| {
            let path = match error {
                CloudError::Exists | CloudError::Changed => to,
                _ => from,
            };
            error.into_store(NAME, path.as_ref())
        })
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        // The library's own would delete in a batch.
        let mode = match options.target_mode {
            RenameTargetMode::Overwrite => CopyMode::Overwrite,
            RenameTargetMode::Create => CopyMode::Create,
        };
        let copy = CopyOptions::new().with_mode(mode);
        self.copy_opts(from, to, copy).await?;
        let deleted = self.delete_one(from).await;
        deleted.map_err(|error| error.into_store(NAME, from.as_ref()))
    }
}
