//! The store of user files: large objects, odd names, what is replaced while it is read, and errors
//! with the words of the store below.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod contents;
mod lists;
mod uploads;

use std::path::{Path as HostPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use portolan_catalog::SqliteUserFiles;
use portolan_data::{Confined, OpenGate, UserfileStore};

pub(crate) const MIB: usize = 1 << 20;

pub(crate) fn file(directory: &HostPath) -> PathBuf {
    directory.join("userfiles.db")
}

pub(crate) fn store(directory: &HostPath) -> UserfileStore {
    UserfileStore::new(Arc::new(SqliteUserFiles::new(file(directory))), "a.b.c")
}

/// The same below a path, as a connection has it.
pub(crate) fn confined(directory: &HostPath) -> Confined {
    let below: Arc<dyn ObjectStore> = Arc::new(store(directory));
    Confined::new(below, Path::from("hidden/place"), Arc::new(OpenGate))
}

pub(crate) fn raw(directory: &HostPath) -> rusqlite::Connection {
    rusqlite::Connection::open(file(directory)).expect("opens")
}

pub(crate) async fn names(store: &dyn ObjectStore) -> Vec<String> {
    store
        .list(None)
        .map_ok(|meta| meta.location.to_string())
        .try_collect()
        .await
        .expect("list")
}

/// Bytes that differ from place to place, so that a mix-up shows.
pub(crate) fn pattern(from: usize, length: usize) -> Bytes {
    (from..from + length)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect::<Vec<_>>()
        .into()
}
