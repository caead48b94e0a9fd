//! Objects as files below one directory of this host.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    Attributes, CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    RenameOptions, RenameTargetMode, Result, TagSet,
};

use crate::{Unfinished, UnfinishedUpload, UnfinishedUploads};

mod error;
pub use error::{NameFault, NodelocalError};

mod list;
mod read;

mod staged;
use staged::{Existing, Staged};

mod task;
mod transfer;

mod tree;
use tree::Tree;
pub(crate) use tree::check_name;

mod upload;
use upload::Upload;

/// The store's name in errors.
const NAME: &str = "nodelocal";

/// How many deletes of one delete stream run at a time.
const DELETES_AT_A_TIME: usize = 10;

/// An object store over the files below one directory, the external I/O directory.
///
/// * **Confinement.** The directory is opened once and everything is reached from that handle,
///   one segment at a time. No symbolic link is followed, so none leads outside, whenever it is
///   put there; to a reader a link is an error that says so, and lists pass it over.
/// * **Names.** A segment of a path is the name of a file as it is, never decoded: `a%2Fb` is one
///   file of that name. `.`, `..`, control characters, backslashes and segments over 255 bytes
///   are refused. A name cannot be an object and lead to others at once.
/// * **Writing.** Content goes to a hidden file beside its final name, is synced to the disk and
///   renamed; readers see the old object or the new one, whole. The hidden files are never listed.
///   After a crash [`unfinished_uploads`](UnfinishedUploads::unfinished_uploads) names them.
/// * **Conditional writes.** `PutMode::Create` is atomic, across processes as well.
///   `PutMode::Update` answers [`Error::NotImplemented`]: no file system call replaces a file only
///   if it is still the one that was read.
/// * **Attributes and tags** answer [`Error::NotImplemented`]: a file has no place for them.
/// * **Deleting** leaves directories in place.
/// * **Lists** are in the order of the paths, and hold the names of the directories on the way
///   to the current one.
///
/// Blocking work runs on the runtime's threads for it. Entity tags, times and sizes are formed as
/// those of `object_store`'s own file store.
#[derive(Debug, Clone)]
pub struct NodelocalStore {
    tree: Arc<Tree>,
}

impl NodelocalStore {
    /// Opens the store over an existing directory. The directory is not made: a mistyped path, or
    /// a disk that is not mounted, should be noticed and not be written beside.
    ///
    /// # Errors
    ///
    /// What the operating system said: the directory is missing, is none, or may not be opened.
    pub fn open(root: impl AsRef<std::path::Path>) -> std::io::Result<Self> {
        let root = Dir::open_ambient_dir(root, ambient_authority())?;
        // The handle above needs no permission to read the directory; lists do.
        root.entries()?;
        Ok(Self {
            tree: Arc::new(Tree::new(root)),
        })
    }

    fn work<F, V>(&self, work: F) -> impl Future<Output = Result<V>> + Send + use<F, V>
    where
        F: FnOnce(&Tree) -> Result<V> + Send + 'static,
        V: Send + 'static,
    {
        let tree = Arc::clone(&self.tree);
        async move { task::start(move || work(&tree)).await }
    }
}

/// A process that writes an upload holds a lock on its hidden file; where nobody does, it was killed.
#[async_trait]
impl UnfinishedUploads for NodelocalStore {
    async fn unfinished_uploads(&self, prefix: &Path) -> Result<Unfinished> {
        let prefix = prefix.clone();
        self.work(move |tree| Ok(list::abandoned(tree, &prefix)?))
            .await
    }

    async fn give_up(&self, _: &UnfinishedUpload) -> Result<()> {
        Err(not_implemented("remove what an upload left"))
    }
}

impl fmt::Display for NodelocalStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

fn not_implemented(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: NAME.to_owned(),
    }
}

fn refuse_extras(attributes: &Attributes, tags: &TagSet) -> Result<()> {
    if !attributes.is_empty() {
        return Err(not_implemented("writing an object with attributes"));
    }
    if !tags.encoded().is_empty() {
        return Err(not_implemented("writing an object with tags"));
    }
    Ok(())
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ObjectStore for NodelocalStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        refuse_extras(&options.attributes, &options.tags)?;
        let existing = match options.mode {
            PutMode::Overwrite => Existing::Replace,
            PutMode::Create => Existing::Refuse,
            PutMode::Update(_) => return Err(not_implemented("replacing only a given version")),
        };
        let location = location.clone();
        self.work(move |tree| Ok(transfer::put(tree, &location, &payload, existing)?))
            .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        refuse_extras(&options.attributes, &options.tags)?;
        let location = location.clone();
        self.work(move |tree| {
            let staged = Staged::create(tree.place_to_write(&location)?, &location)?;
            Ok(Box::new(Upload::new(staged, location)) as Box<dyn MultipartUpload>)
        })
        .await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let location = location.clone();
        self.work(move |tree| read::get(tree, &location, &options))
            .await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let location = location.clone();
        let ranges = ranges.to_vec();
        self.work(move |tree| read::get_ranges(tree, &location, &ranges))
            .await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .map(move |location| {
                store.work(move |tree| {
                    let location = location?;
                    transfer::delete(tree, &location)?;
                    Ok(location)
                })
            })
            .buffered(DELETES_AT_A_TIME)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        list::list(Arc::clone(&self.tree), prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        list::list(Arc::clone(&self.tree), prefix, Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.cloned().unwrap_or_default();
        self.work(move |tree| list::list_with_delimiter(tree, &prefix))
            .await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let existing = match options.mode {
            CopyMode::Overwrite => Existing::Replace,
            CopyMode::Create => Existing::Refuse,
        };
        let (from, to) = (from.clone(), to.clone());
        self.work(move |tree| transfer::copy(tree, &from, &to, existing))
            .await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let existing = match options.target_mode {
            RenameTargetMode::Overwrite => Existing::Replace,
            RenameTargetMode::Create => Existing::Refuse,
        };
        let (from, to) = (from.clone(), to.clone());
        self.work(move |tree| transfer::rename(tree, &from, &to, existing))
            .await
    }
}
