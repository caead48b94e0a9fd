//! A store whose errors are all ours.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::HeaderValue;
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, RenameOptions, Result,
};
use tokio::sync::OnceCell;

use super::error::own;
use super::upload::CloudUpload;
use super::{CloudError, resume};

/// How many objects of a delete stream are deleted at the same time.
const DELETES_AT_ONCE: usize = 20;

/// Makes a store that cannot be made without asking somebody: where a bucket lies, say.
#[async_trait]
pub(crate) trait Open: fmt::Debug + Send + Sync {
    /// Makes the store. It is asked again at the next operation where it fails.
    async fn open(&self) -> std::result::Result<Arc<dyn ObjectStore>, CloudError>;
}

/// A store of `object_store` behind a network, whose errors all have a [`CloudError`] as their
/// source, and name the path that the caller gave. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct CloudStore {
    /// The backend's name.
    name: &'static str,
    store: Arc<OnceCell<Arc<dyn ObjectStore>>>,
    opener: Option<Arc<dyn Open>>,
    /// Whether the store below deletes many objects together, its errors being ours.
    deletes_many: bool,
}

impl CloudStore {
    /// Wraps a store of this backend.
    pub(crate) fn new(name: &'static str, store: Arc<dyn ObjectStore>) -> Self {
        Self {
            name,
            store: Arc::new(OnceCell::new_with(Some(store))),
            opener: None,
            deletes_many: false,
        }
    }

    /// Wraps a store that is made at its first operation.
    pub(crate) fn opening(name: &'static str, opener: Arc<dyn Open>) -> Self {
        Self {
            name,
            store: Arc::new(OnceCell::new()),
            opener: Some(opener),
            deletes_many: false,
        }
    }

    /// The same, and deleting is left to the store below, whose errors are ours and name the path
    /// that the caller gave.
    #[must_use]
    pub(crate) fn deleting_many(mut self) -> Self {
        self.deletes_many = true;
        self
    }

    async fn opened(&self) -> std::result::Result<&Arc<dyn ObjectStore>, CloudError> {
        let opening = async || match &self.opener {
            Some(opener) => opener.open().await,
            None => Err(CloudError::Unreadable),
        };
        self.store.get_or_try_init(opening).await
    }

    async fn store(&self, path: &str) -> Result<&Arc<dyn ObjectStore>> {
        let opened = self.opened().await;
        opened.map_err(|error| error.into_store(self.name, path))
    }

    /// Deletes through the store below.
    fn delete_together(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let deleting = async move {
            match this.opened().await {
                Ok(store) => store.delete_stream(locations),
                // It is told of each object.
                Err(error) => locations
                    .map(move |location| {
                        Err(error.clone().into_store(this.name, location?.as_ref()))
                    })
                    .boxed(),
            }
        };
        futures::stream::once(deleting).flatten().boxed()
    }

    fn own(&self, location: &Path) -> impl Fn(Error) -> Error + use<> {
        let name = self.name;
        let path = location.to_string();
        move |error| own(error, name, &path)
    }

    /// The list below `path` that `start` begins once the store is there. What a server lists beside
    /// it is not there.
    fn listed<F>(&self, path: &Path, start: F) -> BoxStream<'static, Result<ObjectMeta>>
    where
        F: FnOnce(&dyn ObjectStore) -> BoxStream<'static, Result<ObjectMeta>> + Send + 'static,
    {
        let this = self.clone();
        let below = path.clone();
        futures::stream::once(async move {
            let store = this.store(below.as_ref()).await?;
            let listed = start(&**store);
            Ok::<_, Error>(listed.and_then(move |meta| {
                let checked = this.check_below(&below, &meta.location);
                futures::future::ready(checked.map(|()| meta))
            }))
        })
        .try_flatten()
        .map_err(self.own(path))
        .boxed()
    }

    fn check_below(&self, path: &Path, listed: &Path) -> Result<()> {
        match listed.prefix_matches(path) {
            true => Ok(()),
            false => Err(CloudError::Unreadable.into_store(self.name, path.as_ref())),
        }
    }

    /// Attributes become headers, and `object_store` panics where one cannot.
    fn check(&self, location: &Path, attributes: &Attributes) -> Result<()> {
        let sendable = |(_, value): (_, &object_store::AttributeValue)| {
            HeaderValue::from_str(value.as_ref()).is_ok()
        };
        match attributes.iter().all(sendable) {
            true => Ok(()),
            false => Err(CloudError::BadAttribute.into_store(self.name, location.as_ref())),
        }
    }
}

impl fmt::Display for CloudStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for CloudStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.check(location, &options.attributes)?;
        let store = self.store(location.as_ref()).await?;
        let put = store.put_opts(location, payload, options).await;
        put.map_err(self.own(location))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check(location, &options.attributes)?;
        let store = self.store(location.as_ref()).await?;
        let upload = store.put_multipart_opts(location, options).await;
        let upload = upload.map_err(self.own(location))?;
        Ok(Box::new(CloudUpload::new(self.name, location, upload)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if options.range.as_ref().is_some_and(is_empty) {
            return Err(CloudError::BadRange.into_store(self.name, location.as_ref()));
        }
        let store = self.store(location.as_ref()).await?;
        let version = options.version.clone();
        let got = store.get_opts(location, options).await;
        let mut got = got.map_err(self.own(location))?;
        let meta = got.meta.clone();
        let (range, attributes) = (got.range.clone(), std::mem::take(&mut got.attributes));
        let content = resume::content(Arc::clone(store), location.clone(), version, got);
        let content = content.map_err(self.own(location)).boxed();
        Ok(GetResult {
            payload: GetResultPayload::Stream(content),
            meta,
            range,
            attributes,
            extensions: object_store::Extensions::new(),
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if ranges.iter().any(Range::is_empty) {
            return Err(CloudError::BadRange.into_store(self.name, location.as_ref()));
        }
        let store = self.store(location.as_ref()).await?;
        let got = store.get_ranges(location, ranges).await;
        got.map_err(self.own(location))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        if self.deletes_many {
            return self.delete_together(locations);
        }
        // One request for each object: where a library deletes many at once, what the service says
        // of each is text of the library, which is neither typed nor ours to show.
        let this = self.clone();
        locations
            .map(move |location| {
                let this = this.clone();
                async move {
                    // The caller's own errors are given back as they are.
                    let location = location?;
                    let store = this.store(location.as_ref()).await?;
                    store.delete(&location).await.map_err(this.own(&location))?;
                    Ok(location)
                }
            })
            .buffered(DELETES_AT_ONCE)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned();
        let path = prefix.clone().unwrap_or_default();
        self.listed(&path, move |store| store.list(prefix.as_ref()))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (prefix, offset) = (prefix.cloned(), offset.clone());
        let path = prefix.clone().unwrap_or_default();
        self.listed(&path, move |store| {
            store.list_with_offset(prefix.as_ref(), &offset)
        })
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let path = prefix.cloned().unwrap_or_default();
        let store = self.store(path.as_ref()).await?;
        let listed = store.list_with_delimiter(prefix).await;
        let listed = listed.map_err(self.own(&path))?;
        let objects = listed.objects.iter().map(|meta| &meta.location);
        for found in objects.chain(&listed.common_prefixes) {
            self.check_below(&path, found)?;
        }
        Ok(listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let store = self.store(from.as_ref()).await?;
        let copied = store.copy_opts(from, to, options).await;
        copied.map_err(|error| self.own(at(&error, from, to))(error))
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let store = self.store(from.as_ref()).await?;
        let renamed = store.rename_opts(from, to, options).await;
        renamed.map_err(|error| self.own(at(&error, from, to))(error))
    }
}

/// The path that an error of copying is about: what exists already, or has changed, is the target.
fn at<'a>(error: &Error, from: &'a Path, to: &'a Path) -> &'a Path {
    match error {
        Error::AlreadyExists { .. } | Error::Precondition { .. } => to,
        _ => from,
    }
}

fn is_empty(range: &GetRange) -> bool {
    match range {
        GetRange::Bounded(range) => range.is_empty(),
        GetRange::Offset(_) => false,
        GetRange::Suffix(length) => *length == 0,
    }
}
