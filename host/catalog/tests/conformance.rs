//! The SQLite catalog meets every requirement of a catalog.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::sync::atomic::{AtomicU32, Ordering};

use portolan_catalog::{KeySource, SqliteCatalog, SqliteOptions, conformance};

#[test]
fn the_sqlite_catalog_conforms() {
    let directory = tempfile::tempdir().expect("a directory");
    let made = AtomicU32::new(0);
    conformance::run(|| {
        let number = made.fetch_add(1, Ordering::Relaxed);
        let path = directory.path().join(format!("{number}.db"));
        let key = KeySource::File(path.with_extension("key"));
        SqliteCatalog::open(SqliteOptions { path, key }).expect("is made")
    });
    assert_eq!(made.into_inner() as usize, conformance::cases().count());
}
