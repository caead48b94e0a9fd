//! Connections to the file: one that writes, as many readers as are reading.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::failure::failed;
use crate::error::CatalogError;

/// How long a writer waits for another one, of this process or of any other.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Readers that are kept open while nobody reads.
const IDLE_READERS: usize = 8;

/// More than there are statements in this crate, so that each is compiled once per connection.
const STATEMENTS: usize = 64;

/// Opens the file, which must exist.
pub(super) fn connect(path: &Path) -> Result<Connection, CatalogError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Every commit is on the disk before it is reported; what is deleted is overwritten; no
        // temporary file is made; functions that a changed schema names are not run.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "trusted_schema", "OFF")?;
        Ok(connection)
    };
    open().map_err(failed)
}

#[derive(Debug)]
pub(super) struct Pool {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Option<Connection>>,
    writer_is_back: Condvar,
}

impl Pool {
    pub(super) fn new(path: PathBuf, writer: Connection) -> Self {
        Self {
            path,
            readers: Mutex::new(Vec::new()),
            writer: Mutex::new(Some(writer)),
            writer_is_back: Condvar::new(),
        }
    }

    /// A connection inside a new read transaction, rolled back when it is returned.
    pub(super) fn reader(&self) -> Result<Lease<'_>, CatalogError> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.path)?;
                connection
                    .pragma_update(None, "query_only", "ON")
                    .map_err(failed)?;
                connection
            }
        };
        Lease::begin(
            self,
            connection,
            Role::Reader,
            TransactionBehavior::Deferred,
        )
    }

    /// The connection that writes, inside a new transaction in which nobody else writes, rolled
    /// back when it is returned unless it was committed.
    pub(super) fn writer(&self) -> Result<Lease<'_>, CatalogError> {
        let (mut writer, _) = self
            .writer_is_back
            .wait_timeout_while(lock(&self.writer), BUSY_TIMEOUT, |writer| writer.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let connection = writer.take().ok_or(CatalogError::Locked)?;
        drop(writer);
        Lease::begin(
            self,
            connection,
            Role::Writer,
            TransactionBehavior::Immediate,
        )
    }
}

#[derive(Debug, Clone, Copy)]
enum Role {
    Reader,
    Writer,
}

/// A connection that goes back to its pool.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    role: Role,
}

impl<'a> Lease<'a> {
    fn begin(
        pool: &'a Pool,
        connection: Connection,
        role: Role,
        behavior: TransactionBehavior,
    ) -> Result<Self, CatalogError> {
        // Returned to the pool also when the transaction does not begin.
        let lease = Self {
            pool,
            connection: Some(connection),
            role,
        };
        lease.execute(match behavior {
            TransactionBehavior::Immediate => "BEGIN IMMEDIATE",
            _ => "BEGIN",
        })?;
        Ok(lease)
    }

    pub(super) fn commit(&self) -> Result<(), CatalogError> {
        self.execute("COMMIT")
    }

    /// Moves what the log holds into the file and empties the log, if nobody is reading.
    pub(super) fn empty_log(&self) -> Result<(), CatalogError> {
        self.busy_timeout(Duration::ZERO).map_err(failed)?;
        let emptied = self
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(failed);
        self.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        emptied
    }

    fn execute(&self, sql: &str) -> Result<(), CatalogError> {
        self.prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map_err(failed)?;
        Ok(())
    }
}

impl Deref for Lease<'_> {
    type Target = Connection;

    #[expect(
        clippy::expect_used,
        reason = "the connection is there until the lease is dropped"
    )]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a connection")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        // Also after a panic in the function that the transaction ran.
        let clean = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        match self.role {
            Role::Reader => {
                let mut readers = lock(&self.pool.readers);
                if clean && readers.len() < IDLE_READERS {
                    readers.push(connection);
                }
            }
            Role::Writer => {
                let connection = match clean {
                    true => connection,
                    // A transaction that does not end would be in the way of every other one.
                    false => connect(&self.pool.path).unwrap_or(connection),
                };
                *lock(&self.pool.writer) = Some(connection);
                self.pool.writer_is_back.notify_one();
            }
        }
    }
}

/// What a mutex guards here is whole whenever it is unlocked, also after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
