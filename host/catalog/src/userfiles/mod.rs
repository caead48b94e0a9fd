//! Users' files in one SQLite file, `userfiles.db`, beside the catalog.
//!
//! Several processes may use it at a time: readers never wait, writers wait for each other for up to
//! five seconds. A content is written in chunks of at most 1 MiB, some to a transaction, and the file
//! that shows it is one row, written in one small transaction after them; so a process that is killed
//! leaves the old file or the new one. What a killed upload had written belongs to a process that has
//! ended, and is swept; a content that no file shows any more is kept for those who still read it.
//!
//! The file is made, or opened, when it is first used.
//!
//! # Layout
//! * `schema`: the tables, and how the file is made
//! * `contents`: chunks, uploads and what becomes of contents
//! * `files`: the rows that show them
//! * `list`: pages of rows
//! * `sweep`: what nobody needs any more
//! * `process`: which processes still write
//! * `failure`: what the storage library reports, in the words of user files

mod contents;
mod failure;
mod files;
mod list;
mod process;
mod schema;
mod sweep;

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use portolan_files::{
    Attributes, Condition, ContentId, FileMeta, ListPage, ListRequest, OpenFile, UserFiles,
    UserFilesError,
};

use crate::sqlite::pool::{Lease, Pool};
use failure::failed;
use process::Process;
pub use sweep::UnfinishedUpload;

/// How long a content that no file shows any more stays readable, unless somebody reads it.
const KEEP_REPLACED: Duration = Duration::from_secs(5 * 60);

/// The longest path of a file, in bytes.
const MAX_PATH_BYTES: usize = 1024;

type Outcome<T> = Result<T, UserFilesError>;

/// Users' files in a SQLite file.
pub struct SqliteUserFiles {
    path: PathBuf,
    keep_replaced: Duration,
    pool: OnceLock<Pool>,
    /// Held while the file is opened, so that it is opened once.
    opening: Mutex<()>,
    uploads: Mutex<Uploads>,
    swept: Mutex<Option<Instant>>,
}

/// The uploads of this process.
#[derive(Debug, Default)]
struct Uploads {
    /// Begun with the first upload.
    process: Option<Process>,
    open: HashSet<ContentId>,
}

impl SqliteUserFiles {
    /// The files in the SQLite file at `path`. Nothing is opened or made before it is used. SQLite
    /// keeps two more files next to it, with `-wal` and `-shm` added to its name, and a process that
    /// writes an upload in parts one of its own, with `-writer-` and a number.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            keep_replaced: KEEP_REPLACED,
            pool: OnceLock::new(),
            opening: Mutex::default(),
            uploads: Mutex::default(),
            swept: Mutex::default(),
        }
    }

    /// The same, but what was replaced or deleted stays readable for this long instead of five
    /// minutes. Its space is not free before.
    #[must_use]
    pub fn keep_replaced_for(mut self, time: Duration) -> Self {
        self.keep_replaced = time;
        self
    }

    /// The uploads that processes left behind which were killed. Nothing is swept. Blocks.
    ///
    /// # Errors
    /// Those of [`UserFiles`].
    pub fn unfinished_uploads(&self) -> Outcome<Vec<UnfinishedUpload>> {
        self.unfinished()
    }

    /// The pool, after the file was opened.
    fn pool(&self) -> Outcome<&Pool> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let _opening = lock(&self.opening);
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let connection = schema::open(&self.path)?;
        Ok(self
            .pool
            .get_or_init(|| Pool::new(self.path.clone(), schema::connect, connection)))
    }

    /// One consistent state.
    fn reader(&self) -> Outcome<Lease<'_>> {
        let lease = self.pool()?.reader().map_err(failed)?;
        schema::version(&lease)?;
        Ok(lease)
    }

    /// A transaction in which nobody else writes; what is not committed is rolled back.
    fn writer(&self) -> Outcome<Lease<'_>> {
        let lease = self.pool()?.writer().map_err(failed)?;
        schema::version(&lease)?;
        Ok(lease)
    }

    /// Runs `work` in one transaction and makes its changes durable, or none of them.
    fn write_all<T>(&self, work: impl FnOnce(&Lease<'_>) -> Outcome<T>) -> Outcome<T> {
        let lease = self.writer()?;
        let value = work(&lease)?;
        lease.commit().map_err(failed)?;
        Ok(value)
    }
}

impl fmt::Debug for SqliteUserFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteUserFiles")
            .field("path", &self.path)
            .field("open", &self.pool.get().is_some())
            .finish_non_exhaustive()
    }
}

impl UserFiles for SqliteUserFiles {
    fn open(&self, set: &str, path: &str) -> Outcome<OpenFile> {
        self.sweep_now_and_then();
        files::open(&*self.reader()?, set, path)
    }

    fn read(&self, file: &OpenFile, offset: u64) -> Outcome<Bytes> {
        self.read_chunk(file, offset)
    }

    fn put(
        &self,
        set: &str,
        path: &str,
        content: &[Bytes],
        attributes: &Attributes,
        condition: Condition,
    ) -> Outcome<FileMeta> {
        check_path(path)?;
        self.sweep_now_and_then();
        self.put_whole(set, path, content, attributes, condition)
    }

    fn begin(&self, set: &str, path: &str) -> Outcome<ContentId> {
        check_path(path)?;
        self.sweep_now_and_then();
        self.begin_upload(set, path)
    }

    fn write(&self, upload: ContentId, offset: u64, part: &[Bytes]) -> Outcome<()> {
        self.write_part(upload, offset, part)
    }

    fn publish(
        &self,
        upload: ContentId,
        size: u64,
        attributes: &Attributes,
        condition: Condition,
    ) -> Outcome<FileMeta> {
        self.publish_upload(upload, size, attributes, condition)
    }

    fn abort(&self, upload: ContentId) -> Outcome<()> {
        self.abort_upload(upload)
    }

    fn list(&self, set: &str, request: &ListRequest) -> Outcome<ListPage> {
        self.sweep_now_and_then();
        list::page(&*self.reader()?, set, request)
    }

    fn delete(&self, set: &str, path: &str) -> Outcome<()> {
        self.sweep_now_and_then();
        self.write_all(|transaction| files::delete(transaction, set, path))
    }

    fn copy(&self, set: &str, from: &str, to: &str, condition: Condition) -> Outcome<()> {
        check_path(to)?;
        self.sweep_now_and_then();
        self.write_all(|transaction| files::copy(transaction, set, from, to, condition))
    }

    fn rename(&self, set: &str, from: &str, to: &str, condition: Condition) -> Outcome<()> {
        check_path(to)?;
        self.sweep_now_and_then();
        self.write_all(|transaction| files::rename(transaction, set, from, to, condition))
    }
}

/// Refuses what cannot be the path of a file.
fn check_path(path: &str) -> Outcome<()> {
    let fault = if path.is_empty() {
        "is empty"
    } else if path.len() > MAX_PATH_BYTES {
        "is longer than 1024 bytes"
    } else if path.contains(char::is_control) {
        "holds a control character"
    } else if path.split('/').any(str::is_empty) {
        "holds an empty name"
    } else {
        return Ok(());
    };
    Err(UserFilesError::BadPath { fault })
}

/// What a mutex guards here is whole whenever it is unlocked, also after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Now, in microseconds since 1970, as rows keep it.
fn now() -> i64 {
    crate::model::now().as_microsecond()
}

/// A duration in microseconds, as rows keep times.
fn microseconds(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// A size as a column keeps it.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A column that is never negative.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A time that a row keeps.
fn time(microseconds: i64) -> std::time::SystemTime {
    std::time::UNIX_EPOCH + Duration::from_micros(count(microseconds))
}
