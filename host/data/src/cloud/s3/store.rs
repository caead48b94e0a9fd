//! One bucket.

use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::aws::{AmazonS3, AwsCredentialProvider, S3ConditionalPut, S3CopyIfNotExists};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientOptions, CopyMode, CopyOptions, Error, GetOptions, GetResult,
    ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RenameOptions, RenameTargetMode, Result,
};

use super::credentials::{Keys, is_over};
use super::delete::{Deletes, Fate, MOST_OBJECTS};
use super::dialect::S3Dialect;
use super::settings::Settings;
use super::signer::Signer;
use crate::cloud::{CloudError, Connector, no_retries, own};

/// How many requests for many objects are under way at the same time.
const MANY_AT_ONCE: usize = 4;

/// How many requests for one object each are under way for those of such a request.
const ONE_BY_ONE: usize = 20;

/// A bucket whose objects have the storage class of the connection, however they come there.
///
/// `object_store` has an attribute for the class, which it sends with a put and with the start of an
/// upload in parts. A copy has no attributes, and S3 gives it the usual class and not that of its
/// source; so copies are made by a second store whose every request has the header, and which is
/// used for nothing else: signed, as anything that is added before the request is built.
#[derive(Debug)]
pub(super) struct Bucket {
    objects: AmazonS3,
    copies: AmazonS3,
    deletes: Arc<Deletes>,
    keys: Arc<Keys>,
    storage_class: Option<String>,
}

impl Bucket {
    pub(super) fn new(
        settings: &Settings,
        connector: &Connector,
        dialect: S3Dialect,
        keys: &Arc<Keys>,
    ) -> std::result::Result<Self, CloudError> {
        let build = |headers: HeaderMap| {
            let options = ClientOptions::new()
                .with_allow_http(settings.endpoint.tls_profile.is_none())
                .with_default_headers(headers);
            let built = settings
                .builder()
                .with_http_connector(connector.clone())
                .with_retry(no_retries())
                .with_client_options(options)
                .with_credentials(Arc::clone(keys) as AwsCredentialProvider)
                .with_conditional_put(S3ConditionalPut::ETagMatch)
                .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
                .build();
            built.map_err(|_| CloudError::Setting {
                setting: "encryption",
            })
        };
        let mut class = HeaderMap::new();
        if let Some(name) = &settings.storage_class {
            let value = HeaderValue::from_str(name).map_err(|_| CloudError::Setting {
                setting: "storage class",
            })?;
            class.insert(HeaderName::from_static("x-amz-storage-class"), value);
        }
        Ok(Self {
            objects: build(HeaderMap::new())?,
            copies: build(class)?,
            deletes: Arc::new(Deletes::new(
                settings,
                connector,
                dialect,
                Signer::new(keys, settings),
            )),
            keys: Arc::clone(keys),
            storage_class: settings.storage_class.clone(),
        })
    }

    /// What an operation gives; where the service has ended the session of the keys before its time, it
    /// is done once more with new ones.
    async fn renewing<'a, T>(
        &self,
        operation: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync,
    ) -> Result<T> {
        match operation().await {
            Err(error) if renews(&self.keys, &error) => operation().await,
            done => done,
        }
    }

    /// The same for a list, as far as its first page goes.
    fn listing<F>(&self, list: F) -> BoxStream<'static, Result<ObjectMeta>>
    where
        F: Fn(&AmazonS3) -> BoxStream<'static, Result<ObjectMeta>> + Send + 'static,
    {
        let (objects, keys) = (self.objects.clone(), Arc::clone(&self.keys));
        stream::once(async move {
            let mut listed = list(&objects).peekable();
            let over = match Pin::new(&mut listed).peek().await {
                Some(Err(error)) => renews(&keys, error),
                _ => false,
            };
            match over {
                true => list(&objects),
                false => listed.boxed(),
            }
        })
        .flatten()
        .boxed()
    }

    /// Gives an object the class of the connection, unless the caller chose one.
    fn classify(&self, attributes: &mut Attributes) {
        if let Some(class) = &self.storage_class
            && attributes.get(&Attribute::StorageClass).is_none()
        {
            attributes.insert(Attribute::StorageClass, class.clone().into());
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::NAME)
    }
}

fn renews(keys: &Keys, error: &Error) -> bool {
    CloudError::find(error).is_some_and(is_over) && keys.renew()
}

/// Deletes objects; what became of each, in their order. The caller's own errors are given back as
/// they are.
async fn delete(
    objects: AmazonS3,
    deletes: Arc<Deletes>,
    locations: Vec<Result<Path>>,
) -> Vec<Result<Path>> {
    let paths: Vec<&Path> = locations.iter().flatten().collect();
    let mut fates = deletes.delete(&paths).await.into_iter();
    let objects = &objects;
    let ending = |location: Result<Path>| {
        let fate = match location {
            Ok(_) => fates.next(),
            Err(_) => None,
        };
        async move {
            let location = location?;
            match fate {
                Some(Fate::Deleted) => {}
                Some(Fate::Kept(error)) => {
                    return Err(error.into_store(super::NAME, location.as_ref()));
                }
                Some(Fate::Undone) | None => {
                    let deleted = objects.delete(&location).await;
                    deleted.map_err(|error| own(error, super::NAME, location.as_ref()))?;
                }
            }
            Ok(location)
        }
    };
    let endings: Vec<_> = locations.into_iter().map(ending).collect();
    stream::iter(endings).buffered(ONE_BY_ONE).collect().await
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for Bucket {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        self.classify(&mut options.attributes);
        self.renewing(|| {
            self.objects
                .put_opts(location, payload.clone(), options.clone())
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        mut options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.classify(&mut options.attributes);
        self.renewing(|| self.objects.put_multipart_opts(location, options.clone()))
            .await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.renewing(|| self.objects.get_opts(location, options.clone()))
            .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.renewing(|| self.objects.get_ranges(location, ranges))
            .await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (objects, deletes) = (self.objects.clone(), Arc::clone(&self.deletes));
        // What is there by then: nobody waits for more, as whoever names the next object may be
        // waiting for what became of this one.
        locations
            .ready_chunks(MOST_OBJECTS)
            .map(move |locations| delete(objects.clone(), Arc::clone(&deletes), locations))
            .buffered(MANY_AT_ONCE)
            .map(stream::iter)
            .flatten()
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned();
        self.listing(move |objects| objects.list(prefix.as_ref()))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (prefix, offset) = (prefix.cloned(), offset.clone());
        self.listing(move |objects| objects.list_with_offset(prefix.as_ref(), &offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.renewing(|| self.objects.list_with_delimiter(prefix))
            .await
    }

    /// A copy that must not replace anything is an upload of one part with the condition on its
    /// completion. Servers that know no such condition would replace the object all the same, so
    /// one that is there already is looked for first; and the source before it, whose absence is
    /// then not told by what the upload left behind.
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        if options.mode == CopyMode::Create {
            self.objects.head(from).await?;
            match self.objects.head(to).await {
                Ok(_) => {
                    return Err(Error::AlreadyExists {
                        path: to.to_string(),
                        source: Box::new(CloudError::Exists),
                    });
                }
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.renewing(|| self.copies.copy_opts(from, to, options.clone()))
            .await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let mode = match options.target_mode {
            RenameTargetMode::Overwrite => CopyMode::Overwrite,
            RenameTargetMode::Create => CopyMode::Create,
        };
        let copy = CopyOptions::new().with_mode(mode);
        self.copy_opts(from, to, copy).await?;
        self.objects.delete(from).await
    }
}
