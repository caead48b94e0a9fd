//! What nobody needs any more: what killed uploads left, and contents that no file shows and nobody
//! reads. It is removed a little at a time, and never waited for.

use std::time::{Duration, Instant, SystemTime};

use portolan_files::{ContentId, UserFilesError};
use rusqlite::{Connection, params};

use super::failure::failed;
use super::process::{self, Life};
use super::{Outcome, SqliteUserFiles, contents, count, lock, microseconds, now, schema, time};

/// How often a process looks, beside the first time.
const EVERY: Duration = Duration::from_secs(60);

/// How many chunks one transaction removes.
const CHUNKS_AT_A_TIME: i64 = 16;

/// How many transactions one sweep makes of its own accord: 128 MiB.
const TRANSACTIONS: usize = 8;

/// Where it cannot be told whether its process lives, an upload is left after this time.
const LEFT_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How many pages of free space the file keeps for what is written next: 16 MiB. What is above is
/// given back to the file system.
const FREE_PAGES: i64 = 1024;

/// How many pages are given back at a time: 1 MiB. Other pages move into their places, which needs
/// as much room in the log, on a disk that may be full.
const PAGES_AT_A_TIME: i64 = 64;

/// How often that is done in one sweep: 128 MiB.
const TIMES: usize = 128;

/// An upload that a process left behind when it was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// The set it was for.
    pub set: String,
    /// The path it was for.
    pub path: String,
    /// What it had written, in bytes.
    pub size: u64,
    /// When it last wrote.
    pub modified: SystemTime,
}

/// A row of an upload.
#[derive(Debug)]
struct Upload {
    content: ContentId,
    process: String,
    touched: i64,
    told: UnfinishedUpload,
}

impl SqliteUserFiles {
    /// Sweeps when the store is first used, and once a minute afterwards. What goes wrong is tried
    /// again then: nobody's operation fails for it.
    pub(super) fn sweep_now_and_then(&self) {
        {
            let mut swept = lock(&self.swept);
            if swept.is_some_and(|last| last.elapsed() < EVERY) {
                return;
            }
            *swept = Some(Instant::now());
        }
        match self.sweep() {
            Ok(()) | Err(UserFilesError::Locked) => {}
            Err(error) => tracing::debug!(%error, "user files were not swept"),
        }
    }

    fn sweep(&self) -> Outcome<()> {
        // The file is there, and of a version that is known.
        drop(self.reader()?);
        let connection = self.impatient()?;
        let left = self.left(&connection)?;
        if !left.is_empty() {
            in_transaction(&connection, || {
                for upload in &left {
                    contents::give_up(&connection, upload.content)?;
                }
                Ok(())
            })?;
        }
        process::forget_the_ended(&self.path)
            .map_err(|error| UserFilesError::storage(error.to_string()))?;
        let mut transactions = 0;
        while transactions < TRANSACTIONS
            && let Some(content) = self.expired(&connection)?
        {
            while transactions < TRANSACTIONS && !remove_some(&connection, content)? {
                transactions += 1;
            }
            transactions += 1;
        }
        give_space_back(&connection)
    }

    /// A connection that does not wait for a lock.
    fn impatient(&self) -> Outcome<Connection> {
        let connection = schema::connect(&self.path).map_err(failed)?;
        connection.busy_timeout(Duration::ZERO).map_err(failed)?;
        Ok(connection)
    }

    /// Removes a content that was given up.
    pub(super) fn remove_content(&self, content: ContentId) -> Outcome<()> {
        while !self.write_all(|transaction| remove_chunks(transaction, content))? {}
        Ok(())
    }

    /// The uploads of processes that have ended.
    pub(super) fn unfinished(&self) -> Outcome<Vec<UnfinishedUpload>> {
        let left = self.left(&*self.reader()?)?;
        Ok(left.into_iter().map(|upload| upload.told).collect())
    }

    fn left(&self, connection: &Connection) -> Outcome<Vec<Upload>> {
        let mut uploads = all_uploads(connection)?;
        let own = {
            let own = lock(&self.uploads);
            own.process.as_ref().map(|it| it.name().to_owned())
        };
        let mut lives: Vec<(String, Life)> = Vec::new();
        uploads.retain(|upload| {
            if own.as_ref() == Some(&upload.process) {
                return !lock(&self.uploads).open.contains(&upload.content);
            }
            let known = lives.iter().find(|(name, _)| *name == upload.process);
            let life = match known {
                Some((_, life)) => *life,
                None => {
                    let life = process::life_of(&self.path, &upload.process);
                    lives.push((upload.process.clone(), life));
                    life
                }
            };
            match life {
                Life::Alive => false,
                Life::Ended => true,
                Life::Unknown => now() - upload.touched > microseconds(LEFT_AFTER),
            }
        });
        Ok(uploads)
    }

    /// A content whose time is up.
    fn expired(&self, connection: &Connection) -> Outcome<Option<ContentId>> {
        let before = now() - microseconds(self.keep_replaced);
        let mut statement = connection
            .prepare_cached("SELECT content FROM retired WHERE since <= ?1 ORDER BY since LIMIT 1")
            .map_err(failed)?;
        let mut rows = statement.query([before]).map_err(failed)?;
        match rows.next().map_err(failed)? {
            Some(row) => Ok(Some(ContentId(row.get(0).map_err(failed)?))),
            None => Ok(None),
        }
    }
}

fn all_uploads(connection: &Connection) -> Outcome<Vec<Upload>> {
    let read = || {
        connection
            .prepare_cached(
                "SELECT content, set_name, path, process, touched, size FROM uploads \
                 JOIN contents ON id = content ORDER BY set_name, path",
            )?
            .query_map([], |row| {
                let touched = row.get(4)?;
                Ok(Upload {
                    content: ContentId(row.get(0)?),
                    process: row.get(3)?,
                    touched,
                    told: UnfinishedUpload {
                        set: row.get(1)?,
                        path: row.get(2)?,
                        size: count(row.get(5)?),
                        modified: time(touched),
                    },
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(failed)
}

/// Removes some chunks of a content whose time is up, or the content itself after its last ones. Says
/// whether nothing of it is left.
fn remove_some(connection: &Connection, content: ContentId) -> Outcome<bool> {
    in_transaction(connection, || remove_chunks(connection, content))
}

fn remove_chunks(transaction: &Connection, content: ContentId) -> Outcome<bool> {
    let removed = transaction
        .prepare_cached(
            "DELETE FROM chunks WHERE rowid IN \
             (SELECT rowid FROM chunks WHERE content = ?1 LIMIT ?2)",
        )
        .and_then(|mut statement| statement.execute(params![content.0, CHUNKS_AT_A_TIME]))
        .map_err(failed)?;
    if i64::try_from(removed).unwrap_or(i64::MAX) >= CHUNKS_AT_A_TIME {
        return Ok(false);
    }
    for sql in [
        "DELETE FROM contents WHERE id = ?1",
        "DELETE FROM retired WHERE content = ?1",
    ] {
        transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([content.0]))
            .map_err(failed)?;
    }
    Ok(true)
}

/// Gives free pages back to the file system, some at a time.
fn give_space_back(connection: &Connection) -> Outcome<()> {
    let free = || {
        connection
            .query_row("PRAGMA freelist_count", [], |row| row.get::<_, i64>(0))
            .map_err(failed)
    };
    for _ in 0..TIMES {
        let before = free()?;
        if before <= FREE_PAGES {
            break;
        }
        let pages = (before - FREE_PAGES).min(PAGES_AT_A_TIME);
        // Each step of this statement gives one page back, so it is stepped to its end.
        connection
            .pragma(None, "incremental_vacuum", pages, |_| Ok(()))
            .map_err(failed)?;
        if free()? >= before {
            break;
        }
    }
    Ok(())
}

fn in_transaction<T>(connection: &Connection, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(failed)?;
    let result = work().and_then(|value| {
        connection.execute_batch("COMMIT").map_err(failed)?;
        Ok(value)
    });
    if !connection.is_autocommit() {
        // The connection is closed after an error anyway.
        let _ = connection.execute_batch("ROLLBACK");
    }
    result
}
