//! Connections to the file: one that writes, as many readers as are reading.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, ffi};

/// How long a writer waits for another one, of this process or of any other.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Readers that are kept open while nobody reads.
const IDLE_READERS: usize = 8;

/// More than there are statements in this crate, so that each is compiled once per connection.
const STATEMENTS: usize = 128;

/// Opens a connection to a file, which must exist.
pub(crate) type Connect = fn(&Path) -> rusqlite::Result<Connection>;

/// Opens the catalog's file.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    stay_compiled(&connection)?;
    // The schema has neither; one that somebody put there would run with every change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // Every commit is on the disk before it is reported; what is deleted is overwritten; no
    // temporary file is made; functions that a changed schema names are not run.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(connection)
}

/// Keeps statements compiled whatever values they are run with. Otherwise each is compiled anew for
/// another name, in case a better plan is found for it; every one of ours has one plan.
pub(crate) fn stay_compiled(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

#[derive(Debug)]
pub(crate) struct Pool {
    path: PathBuf,
    connect: Connect,
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Writer>,
    writer_is_back: Condvar,
}

/// The connection that writes.
#[derive(Debug)]
struct Writer {
    /// Absent while it writes.
    idle: Option<Connection>,
    /// When a transaction last ended in a commit.
    progress: Instant,
}

impl Pool {
    pub(crate) fn new(path: PathBuf, connect: Connect, writer: Connection) -> Self {
        Self {
            path,
            connect,
            readers: Mutex::new(Vec::new()),
            writer: Mutex::new(Writer {
                idle: Some(writer),
                progress: Instant::now(),
            }),
            writer_is_back: Condvar::new(),
        }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A connection inside a new read transaction, rolled back when it is returned.
    pub(crate) fn reader(&self) -> rusqlite::Result<Lease<'_>> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = (self.connect)(&self.path)?;
                connection.pragma_update(None, "query_only", "ON")?;
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
    /// back when it is returned unless it was committed. Those who wait for it in this process wait
    /// for as long as those before them get on.
    pub(crate) fn writer(&self) -> rusqlite::Result<Lease<'_>> {
        let start = Instant::now();
        let mut writer = lock(&self.writer);
        let connection = loop {
            if let Some(connection) = writer.idle.take() {
                break connection;
            }
            let waited = start.max(writer.progress).elapsed();
            let Some(left) = BUSY_TIMEOUT.checked_sub(waited) else {
                return Err(busy());
            };
            (writer, _) = self
                .writer_is_back
                .wait_timeout(writer, left)
                .unwrap_or_else(PoisonError::into_inner);
        };
        drop(writer);
        Lease::begin(
            self,
            connection,
            Role::Writer,
            TransactionBehavior::Immediate,
        )
    }
}

/// What the library says when another connection does not let go.
fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)
}

#[derive(Debug, Clone, Copy)]
enum Role {
    Reader,
    Writer,
}

/// A connection that goes back to its pool.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    role: Role,
    begun: bool,
}

impl<'a> Lease<'a> {
    fn begin(
        pool: &'a Pool,
        connection: Connection,
        role: Role,
        behavior: TransactionBehavior,
    ) -> rusqlite::Result<Self> {
        // Returned to the pool also when the transaction does not begin.
        let mut lease = Self {
            pool,
            connection: Some(connection),
            role,
            begun: false,
        };
        lease.execute(match behavior {
            TransactionBehavior::Immediate => "BEGIN IMMEDIATE",
            _ => "BEGIN",
        })?;
        lease.begun = true;
        Ok(lease)
    }

    pub(crate) fn commit(&self) -> rusqlite::Result<()> {
        self.execute("COMMIT")
    }

    /// Moves what the log holds into the file and empties the log, if nobody is reading.
    pub(super) fn empty_log(&self) -> rusqlite::Result<()> {
        self.busy_timeout(Duration::ZERO)?;
        let emptied = self.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.busy_timeout(BUSY_TIMEOUT)?;
        emptied
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.prepare_cached(sql)?.execute([])?;
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
        let ended = connection.is_autocommit();
        // Also after a panic in the function that the transaction ran.
        let clean = ended || connection.execute_batch("ROLLBACK").is_ok();
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
                    false => (self.pool.connect)(&self.pool.path).unwrap_or(connection),
                };
                let mut writer = lock(&self.pool.writer);
                writer.idle = Some(connection);
                if self.begun && ended {
                    writer.progress = Instant::now();
                }
                drop(writer);
                self.pool.writer_is_back.notify_one();
            }
        }
    }
}

/// What a mutex guards here is whole whenever it is unlocked, also after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(connection: &Connection, name: &str) -> i64 {
        connection
            .pragma_query_value(None, name, |row| row.get(0))
            .expect("the setting")
    }

    #[test]
    fn every_connection_is_durable_wipes_what_it_deletes_and_trusts_no_schema() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("catalog.sqlite");
        std::fs::write(&path, "").expect("a file");
        let connection = connect(&path).expect("a connection");
        for (name, value) in [
            ("synchronous", 2), // FULL
            ("secure_delete", 1),
            ("temp_store", 2), // MEMORY
            ("trusted_schema", 0),
            ("busy_timeout", 5000),
        ] {
            assert_eq!(setting(&connection, name), value, "{name}");
        }
    }

    #[test]
    fn a_trigger_that_somebody_put_into_the_file_does_not_run() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("catalog.sqlite");
        let raw = Connection::open(&path).expect("a connection");
        raw.execute_batch(
            "CREATE TABLE trail (a);
             CREATE TRIGGER forget AFTER INSERT ON trail BEGIN DELETE FROM trail; END;
             INSERT INTO trail VALUES (1)",
        )
        .expect("a trigger");
        let kept = |connection: &Connection| -> i64 {
            let count = connection.query_row("SELECT count(*) FROM trail", [], |row| row.get(0));
            count.expect("a number")
        };
        assert_eq!(kept(&raw), 0, "it runs for others");
        let connection = connect(&path).expect("a connection");
        connection
            .execute("INSERT INTO trail VALUES (1)", [])
            .expect("written");
        assert_eq!(kept(&connection), 1);
    }

    #[test]
    fn readers_cannot_write() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("catalog.sqlite");
        std::fs::write(&path, "").expect("a file");
        let writer = connect(&path).expect("a connection");
        let pool = Pool::new(path, connect, writer);
        let reader = pool.reader().expect("a reader");
        reader
            .execute_batch("CREATE TABLE a (b)")
            .expect_err("it only reads");
    }
}
