//! The tables of `userfiles.db`, and how the file is made.

use std::path::Path;
use std::time::Duration;

use portolan_files::UserFilesError;
use rusqlite::{Connection, OpenFlags};

use super::failure::failed;
use crate::error::CatalogError;
use crate::sqlite::open::{explain, in_transaction, make_file, use_log};
use crate::sqlite::pool::stay_compiled;

/// "PoUf" in ASCII: marks the file as ours (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x506f_5566;

/// One step from each version (`PRAGMA user_version`) to the next.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];

/// The size of a page: large ones are better for chunks of a megabyte, small ones for small files.
const PAGE_BYTES: u32 = 16 << 10;

/// How large the file of the log stays when it is empty.
const LOG_BYTES: u32 = 4 << 20;

/// How long a connection sleeps before it asks for a lock again. Those who write much give the lock
/// back for moments only, so that long sleeps would miss them.
const NAP: Duration = Duration::from_millis(5);

/// How often a connection asks for a lock: for five seconds.
const NAPS: i32 = 1_000;

/// More than there are statements in this module.
const STATEMENTS: usize = 48;

/// How many pages the log has before it is folded into the file: 2 MiB, two chunks.
const LOG_PAGES: i64 = 128;

/// Opens the file, which must exist.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(nap))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    stay_compiled(&connection)?;
    // Every commit is on the disk before it is reported. What is deleted is not overwritten: files are
    // no secrets.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    // A log that is folded in early leaves room on a disk that is nearly full, so that what is removed
    // there can still be written down.
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    Ok(connection)
}

fn nap(asked: i32) -> bool {
    std::thread::sleep(NAP);
    asked < NAPS
}

/// Makes the file where there is none, and opens it.
pub(super) fn open(path: &Path) -> Result<Connection, UserFilesError> {
    make_file(path)?;
    let told = |error: rusqlite::Error| match failed(error) {
        UserFilesError::Storage { reason } => {
            UserFilesError::from(explain(path, CatalogError::Storage { reason }))
        }
        other => other,
    };
    let connection = connect(path).map_err(told)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), UserFilesError> {
    // Asked before anything is written, so that a file that is not ours stays as it is.
    if is_empty(connection)? {
        connection
            .pragma_update(None, "page_size", PAGE_BYTES)
            .and_then(|()| connection.pragma_update(None, "auto_vacuum", "INCREMENTAL"))
            .map_err(failed)?;
    }
    use_log(connection)?;
    if version(connection)? < supported() {
        // Another process may have been faster: what is there is asked for again.
        let mut outcome = Ok(());
        in_transaction(connection, || {
            outcome = migrate(connection);
            match outcome {
                Ok(()) => Ok(()),
                Err(_) => Err(CatalogError::Interrupted),
            }
        })
        .map_err(|error| match &outcome {
            Err(told) => told.clone(),
            Ok(()) => error.into(),
        })?;
    }
    Ok(())
}

/// Whether nothing was ever written to the file; one that is not ours is refused.
fn is_empty(connection: &Connection) -> Result<bool, UserFilesError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let marked = number("PRAGMA application_id").map_err(failed)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(failed)?;
    match (marked, tables) {
        (0, 0) => Ok(true),
        (APPLICATION_ID, 1..) => Ok(false),
        _ => Err(UserFilesError::Damaged),
    }
}

fn supported() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// The version of the tables; one of a newer program is refused. Asked at the start of every
/// transaction, because another process may bring a store to a newer version meanwhile.
pub(super) fn version(connection: &Connection) -> Result<u32, UserFilesError> {
    let found: u32 = connection
        .prepare_cached("PRAGMA user_version")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(failed)?;
    if found > supported() {
        return Err(UserFilesError::NewerSchema {
            found,
            supported: supported(),
        });
    }
    Ok(found)
}

/// Makes the steps that are missing. Inside a transaction.
fn migrate(connection: &Connection) -> Result<(), UserFilesError> {
    let found = version(connection)?;
    if found == 0 && !is_empty(connection)? {
        return Err(UserFilesError::Damaged);
    }
    for (version, step) in (1..=supported()).zip(MIGRATIONS) {
        if version > found {
            connection.execute_batch(step).map_err(failed)?;
        }
    }
    connection
        .pragma_update(None, "application_id", APPLICATION_ID)
        .and_then(|()| connection.pragma_update(None, "user_version", supported()))
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_has_strict_tables_large_pages_and_gives_space_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("userfiles.db");
        for _ in 0..2 {
            let connection = open(&path).expect("opens");
            let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            let lax = "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' \
                       AND type = 'table' AND name NOT LIKE 'sqlite_%' AND strict = 0";
            assert_eq!(number(lax), Ok(0));
            assert_eq!(number("PRAGMA page_size"), Ok(i64::from(PAGE_BYTES)));
            assert_eq!(number("PRAGMA auto_vacuum"), Ok(2), "incremental");
            assert_eq!(number("PRAGMA user_version"), Ok(1));
            assert_eq!(number("PRAGMA synchronous"), Ok(2), "full");
            let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0));
            assert_eq!(mode, Ok("wal".to_owned()));
        }
    }

    #[test]
    fn a_file_that_is_not_ours_stays_as_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("userfiles.db");
        for content in ["not a database at all, ".repeat(100), String::new()] {
            std::fs::write(&path, &content).expect("writes");
            if content.is_empty() {
                let other = Connection::open(&path).expect("opens");
                other
                    .execute_batch("CREATE TABLE theirs (one INTEGER)")
                    .expect("makes");
            }
            let before = std::fs::read(&path).expect("reads");
            assert_eq!(open(&path).err(), Some(UserFilesError::Damaged));
            assert_eq!(std::fs::read(&path).expect("reads"), before);
        }
    }

    #[test]
    fn a_store_of_a_newer_program_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("userfiles.db");
        let connection = open(&path).expect("opens");
        connection
            .pragma_update(None, "user_version", 9)
            .expect("writes");
        let newer = UserFilesError::NewerSchema {
            found: 9,
            supported: 1,
        };
        assert_eq!(version(&connection), Err(newer.clone()));
        assert_eq!(open(&path).err(), Some(newer));
    }
}
