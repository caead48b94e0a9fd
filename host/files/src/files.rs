//! What a store of users' files can do.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;

use crate::UserFilesError;

/// The most bytes of one chunk: 1 MiB.
pub const CHUNK_BYTES: usize = 1 << 20;

/// What a file carries beside its content: names and values.
pub type Attributes = BTreeMap<String, String>;

/// A content of a store. It never changes, and its number is never given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId(pub i64);

/// A file, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// Its path in the set.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, copied or renamed to where it is.
    pub modified: SystemTime,
    /// Tells it from whatever else is or was at any path of the store: another one after each write,
    /// copy and rename.
    pub version: u64,
}

/// A file that is read. What replaces it meanwhile is another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// What it is.
    pub meta: FileMeta,
    /// What it carries.
    pub attributes: Attributes,
    /// Its content.
    pub content: ContentId,
}

/// What a write asks of the file that is at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: it is replaced.
    Any,
    /// There must be none; [`UserFilesError::Exists`] otherwise.
    Absent,
    /// It must have this version; [`UserFilesError::Changed`] otherwise, and where there is none.
    Version(u64),
}

/// What to list of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// Only paths below this one, by whole segments; all paths where it is empty.
    pub prefix: String,
    /// Only paths that are this text or come after it, in the order of their bytes.
    pub from: String,
    /// Whether what lies below a further `/` is told as one directory.
    pub by_directory: bool,
    /// The most entries of a page; at least one.
    pub limit: usize,
}

/// What a list tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File(FileMeta),
    /// A path that others lie below; only with [`ListRequest::by_directory`].
    Directory(String),
}

/// A page of a list, in the order of the bytes of the paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// [`ListRequest::from`] of the next page, unless this is the last one.
    pub next: Option<String>,
}

/// Files in sets, durable, for several processes at once.
///
/// A path is one or more segments with `/` between them, at most 1024 bytes, without control
/// characters; a path may be a file and have others below it. The name of a set is any text. A set needs
/// not be made: it is what has its name.
///
/// Everything blocks, and may be called from any thread. A change is durable when it is reported. A
/// process that is killed leaves what it was changing as it was or as it was to be; what an upload
/// had written by then is invisible, and goes away.
///
/// Every method fails with [`UserFilesError::Locked`] when another process does not let go of the
/// store within five seconds, and with the errors of whatever holds the files.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once for all methods, above"
)]
pub trait UserFiles: fmt::Debug + Send + Sync {
    /// The file at a path; [`UserFilesError::Missing`] when there is none.
    fn open(&self, set: &str, path: &str) -> Result<OpenFile, UserFilesError>;

    /// The rest of the chunk that holds the byte at `offset`, which lies in the content. Whoever reads
    /// to the end asks again with what comes after it.
    ///
    /// A file that was replaced or deleted stays readable for at least five minutes, and while it is
    /// read; then this fails with [`UserFilesError::Replaced`].
    fn read(&self, file: &OpenFile, offset: u64) -> Result<Bytes, UserFilesError>;

    /// Writes a file whole.
    fn put(
        &self,
        set: &str,
        path: &str,
        content: &[Bytes],
        attributes: &Attributes,
        condition: Condition,
    ) -> Result<FileMeta, UserFilesError>;

    /// Begins a file that comes in parts. Nobody sees it before it is published. It must be published
    /// or given up; what a killed process left goes away by itself.
    fn begin(&self, set: &str, path: &str) -> Result<ContentId, UserFilesError>;

    /// Writes a part at `offset`. Parts may come in any order and at once; none may overlap another.
    /// [`UserFilesError::UploadOver`] when the upload was published or given up.
    fn write(&self, upload: ContentId, offset: u64, part: &[Bytes]) -> Result<(), UserFilesError>;

    /// Publishes what was written, which has `size` bytes without a gap, at the path that the upload
    /// was begun for. [`UserFilesError::UploadOver`] when it was published or given up before, or
    /// something of it is missing.
    fn publish(
        &self,
        upload: ContentId,
        size: u64,
        attributes: &Attributes,
        condition: Condition,
    ) -> Result<FileMeta, UserFilesError>;

    /// Gives an upload up and removes what it wrote.
    fn abort(&self, upload: ContentId) -> Result<(), UserFilesError>;

    /// A page of the files of a set.
    fn list(&self, set: &str, request: &ListRequest) -> Result<ListPage, UserFilesError>;

    /// Removes a file; [`UserFilesError::Missing`] when there is none.
    fn delete(&self, set: &str, path: &str) -> Result<(), UserFilesError>;

    /// Makes a file of the same content and attributes at another path of the set;
    /// [`UserFilesError::Missing`] when there is none.
    fn copy(
        &self,
        set: &str,
        from: &str,
        to: &str,
        condition: Condition,
    ) -> Result<(), UserFilesError>;

    /// Gives a file another path of the set; [`UserFilesError::Missing`] when there is none. One that
    /// is renamed to its own path stays.
    fn rename(
        &self,
        set: &str,
        from: &str,
        to: &str,
        condition: Condition,
    ) -> Result<(), UserFilesError>;
}
