//! Opening a store: what is made, who may read it, which keys and files are refused.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use portolan_catalog::model::principal::{ADMIN, ROOT};
use portolan_catalog::{Catalog, CatalogError, Identity, KeySource, SqliteCatalog, SqliteOptions};

fn open(directory: &Path) -> Result<SqliteCatalog, CatalogError> {
    SqliteCatalog::open(SqliteOptions {
        path: directory.join("catalog.db"),
        key: KeySource::File(directory.join("master.key")),
    })
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("is there").permissions().mode() & 0o7777
}

#[test]
fn a_new_store_has_root_in_admin_and_files_for_its_owner_alone() {
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("a/store");
    let catalog = open(&directory).expect("is made");
    catalog
        .read(&mut |reader| {
            let names: Vec<String> = reader.principals()?.into_iter().map(|it| it.name).collect();
            assert_eq!(names, [ADMIN, ROOT]);
            assert!(Identity::resolve(reader, ROOT, &[])?.is_admin());
            assert_eq!(reader.revision()?, 1);
            Ok(())
        })
        .expect("reads");
    for name in [
        "catalog.db",
        "catalog.db-wal",
        "catalog.db-shm",
        "master.key",
    ] {
        assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&directory), 0o700);
}

#[test]
fn a_store_is_the_same_when_it_is_opened_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let id = open(directory.path()).expect("is made").id();
    let again = open(directory.path()).expect("opens");
    assert_eq!(again.id(), id);
}
