//! Objects as the files that users keep in a store.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result, TagSet,
};
use portolan_files::{Condition, UserFiles, UserFilesError};

use crate::blocking;

mod attributes;

mod list;
use list::Scope;

mod meta;
use meta::{condition_of, put_result};

mod read;

mod upload;
use upload::Upload;

/// The store's name in errors.
const NAME: &str = "userfile";

/// How many deletes of one delete stream run at a time.
const DELETES_AT_A_TIME: usize = 10;

/// An object store over one set of users' files.
///
/// * **Names** are paths as they are, never decoded. One may be an object and lead to others at once.
/// * **Writing.** Readers see the old object or the new one, whole; one who began to read the old one
///   goes on reading it.
/// * **Conditional writes**: `PutMode::Create` and `PutMode::Update` are atomic, across processes as
///   well. An entity tag is never given twice. There are no older versions to read.
/// * **Attributes** are kept; tags answer [`Error::NotImplemented`].
/// * **Copies and renames** write no content.
/// * **Lists** are in the order of the paths, page by page.
///
/// Blocking work runs on the runtime's threads for it.
#[derive(Debug, Clone)]
pub struct UserfileStore {
    files: Arc<dyn UserFiles>,
    set: Arc<str>,
}

impl UserfileStore {
    /// The store over a set, which needs not be there.
    pub fn new(files: Arc<dyn UserFiles>, set: impl Into<Arc<str>>) -> Self {
        Self {
            files,
            set: set.into(),
        }
    }

    fn work<F, V>(&self, work: F) -> impl Future<Output = Result<V>> + Send + use<F, V>
    where
        F: FnOnce(&dyn UserFiles, &str) -> Result<V> + Send + 'static,
        V: Send + 'static,
    {
        let Self { files, set } = self.clone();
        async move { start(move || work(&*files, &set)).await }
    }

    fn scope(&self, prefix: Option<&Path>) -> Scope {
        Scope {
            files: Arc::clone(&self.files),
            set: Arc::clone(&self.set),
            prefix: prefix.map(Path::to_string).unwrap_or_default(),
        }
    }
}

impl fmt::Display for UserfileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

/// Starts blocking work at once.
fn start<F, V>(work: F) -> BoxFuture<'static, Result<V>>
where
    F: FnOnce() -> Result<V> + Send + 'static,
    V: Send + 'static,
{
    blocking::start(work, || told(UserFilesError::Stopped))
}

/// An error of the files as one of an object store.
fn told(error: UserFilesError) -> Error {
    match &error {
        UserFilesError::Missing { path } => Error::NotFound {
            path: path.clone(),
            source: Box::new(error),
        },
        UserFilesError::Exists { path } => Error::AlreadyExists {
            path: path.clone(),
            source: Box::new(error),
        },
        UserFilesError::Changed { path } => Error::Precondition {
            path: path.clone(),
            source: Box::new(error),
        },
        _ => Error::Generic {
            store: NAME,
            source: Box::new(error),
        },
    }
}

fn not_implemented(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: NAME.to_owned(),
    }
}

fn refuse_tags(tags: &TagSet) -> Result<()> {
    if tags.encoded().is_empty() {
        return Ok(());
    }
    Err(not_implemented("writing an object with tags"))
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for UserfileStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        refuse_tags(&options.tags)?;
        let attributes = attributes::to_files(&options.attributes)?;
        let condition = match options.mode {
            PutMode::Overwrite => Condition::Any,
            PutMode::Create => Condition::Absent,
            PutMode::Update(version) => condition_of(&version, location)?,
        };
        let location = location.clone();
        self.work(move |files, set| {
            let content: Vec<Bytes> = payload.into_iter().collect();
            let meta = files
                .put(set, location.as_ref(), &content, &attributes, condition)
                .map_err(told)?;
            Ok(put_result(&meta))
        })
        .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        refuse_tags(&options.tags)?;
        let attributes = attributes::to_files(&options.attributes)?;
        let location = location.clone();
        let files = Arc::clone(&self.files);
        self.work(move |begun, set| {
            let upload = begun.begin(set, location.as_ref()).map_err(told)?;
            let upload = Upload::new(files, upload, attributes);
            Ok(Box::new(upload) as Box<dyn MultipartUpload>)
        })
        .await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if options.version.is_some() {
            return Err(not_implemented("reading an older version"));
        }
        let location = location.clone();
        let files = Arc::clone(&self.files);
        self.work(move |_, set| read::get(&files, set, &location, &options))
            .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let location = location.clone();
        let ranges = ranges.to_vec();
        self.work(move |files, set| read::get_ranges(files, set, &location, &ranges))
            .await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .map(move |location| {
                store.work(move |files, set| {
                    let location = location?;
                    files.delete(set, location.as_ref()).map_err(told)?;
                    Ok(location)
                })
            })
            .buffered(DELETES_AT_A_TIME)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self.scope(prefix), String::new())
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        list::list(self.scope(prefix), list::after(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let scope = self.scope(prefix);
        start(move || list::list_with_delimiter(&scope)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let condition = match options.mode {
            CopyMode::Overwrite => Condition::Any,
            CopyMode::Create => Condition::Absent,
        };
        let (from, to) = (from.clone(), to.clone());
        self.work(move |files, set| {
            files
                .copy(set, from.as_ref(), to.as_ref(), condition)
                .map_err(told)
        })
        .await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let condition = match options.target_mode {
            RenameTargetMode::Overwrite => Condition::Any,
            RenameTargetMode::Create => Condition::Absent,
        };
        let (from, to) = (from.clone(), to.clone());
        self.work(move |files, set| {
            files
                .rename(set, from.as_ref(), to.as_ref(), condition)
                .map_err(told)
        })
        .await
    }
}
