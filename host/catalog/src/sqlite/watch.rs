//! Whether anybody has changed the file since somebody looked.
//!
//! SQLite counts, for each connection, the states of the file that it has met, whoever brought them
//! about (`PRAGMA data_version`). The one that counts here never writes, so every commit of this
//! process and of any other is somebody else's and counts. Asking takes a lock in shared memory and
//! reads nothing from the disk while nothing has changed.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::pool::connect;
use crate::access::StateMark;

/// Watches a file.
#[derive(Debug)]
pub(super) struct Watch(Mutex<State>);

#[derive(Debug)]
struct State {
    connection: Connection,
    /// What the connection counted when it was last asked; nothing where it could not tell.
    counted: Option<i64>,
    /// The number of the last mark.
    marks: u64,
}

impl Watch {
    /// Watches the file, which must exist, over a connection that waits for nobody and cannot write.
    pub(super) fn new(path: &Path) -> rusqlite::Result<Self> {
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", "ON")?;
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Self(Mutex::new(State {
            connection,
            counted: None,
            marks: 0,
        })))
    }

    /// Marks the state that the file has now. None where that cannot be told at once.
    pub(super) fn mark(&self) -> Option<StateMark> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = count(&state.connection).ok();
        // While nobody could count, anything may have happened.
        if counted != state.counted {
            state.counted = counted;
            state.marks += 1;
        }
        counted.map(|_| StateMark::new(state.marks))
    }
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    statement.query_row([], |row| row.get(0))
}
