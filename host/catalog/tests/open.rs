//! Opening a store: what is made, who may read it, which keys and files are refused.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::{database, key_file, open, open_with, raw, read, write};
use portolan_catalog::model::principal::{ADMIN, ROOT};
use portolan_catalog::{Catalog, CatalogError, Identity, KeySource, SqliteCatalog};
use portolan_secret::SecretText;

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
fn an_empty_file_that_others_may_read_is_made_its_owners_before_it_is_a_store() {
    for given in [0o644, 0o666, 0o640, 0o600] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = database(directory.path());
        fs::write(&path, "").expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(given)).expect("chmod");
        let catalog = open(directory.path()).expect("is made");
        read(&catalog, |reader| reader.revision()).expect("reads");
        for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
            assert_eq!(
                mode(&directory.path().join(name)),
                0o600,
                "{name} of {given:o}"
            );
        }
    }
}

#[test]
fn an_empty_file_is_made_its_owners_also_where_no_store_comes_of_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = database(directory.path());
    fs::write(&path, "").expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
    let short = KeySource::Text(SecretText::new("hunter2"));
    open_with(directory.path(), short).expect_err("no key");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_store_is_the_same_when_it_is_opened_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let id = open(directory.path()).expect("is made").id();
    let again = open(directory.path()).expect("opens");
    assert_eq!(again.id(), id);
}

fn key_refused(result: Result<SqliteCatalog, CatalogError>, sqlstate: &str) -> String {
    let error = result.expect_err("is refused");
    assert_eq!(error.sqlstate(), sqlstate, "{error}");
    assert!(
        error.to_string().contains("key slot 1 (key-file)"),
        "{error}"
    );
    let hint = error.hint().unwrap_or_default();
    format!("{error} {hint}")
}

#[test]
fn a_missing_key_is_an_error_and_never_made_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    open(directory.path()).expect("is made");
    let key = key_file(directory.path());
    let kept = directory.path().join("kept");
    fs::rename(&key, &kept).expect("moves");
    let message = key_refused(open(directory.path()), "F0000");
    assert!(
        message.contains("is missing") && message.contains("master.key"),
        "{message}"
    );
    assert!(!key.exists());
    fs::rename(&kept, &key).expect("moves back");
    open(directory.path()).expect("opens again");
}

#[test]
fn a_short_exposed_or_different_key_is_an_error_with_a_next_step() {
    let directory = tempfile::tempdir().expect("a directory");
    open(directory.path()).expect("is made");
    let key = key_file(directory.path());
    let text = fs::read_to_string(&key).expect("reads");

    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("chmod");
    let message = key_refused(open(directory.path()), "F0000");
    assert!(message.contains("chmod 600"), "{message}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("chmod");

    for content in [&text[..40], "", &"0".repeat(64)] {
        fs::write(&key, content).expect("writes");
        let message = key_refused(open(directory.path()), "F0000");
        assert!(
            message.contains("the key that this store was made with"),
            "{message}"
        );
        assert!(!message.contains(&text[..20]));
        assert_eq!(
            fs::read_to_string(&key).expect("reads"),
            content,
            "stays as it is"
        );
    }
    fs::write(&key, &text).expect("writes");
    open(directory.path()).expect("opens again");
}

#[test]
fn a_key_given_as_text_opens_what_it_made_and_nothing_else_does() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = || KeySource::Text(SecretText::new("5a".repeat(32)));
    let id = open_with(directory.path(), text()).expect("is made").id();
    assert!(!key_file(directory.path()).exists());
    assert_eq!(open_with(directory.path(), text()).expect("opens").id(), id);
    let other = KeySource::Text(SecretText::new("5b".repeat(32)));
    let error = open_with(directory.path(), other).expect_err("another key");
    assert!(error.to_string().contains("key slot 1 (text)"), "{error}");
    let error = open(directory.path()).expect_err("no key file");
    assert!(error.to_string().contains("key slot 1 (text)"), "{error}");
    assert!(!key_file(directory.path()).exists());
    let short = KeySource::Text(SecretText::new("hunter2"));
    let error = open_with(directory.path(), short).expect_err("no key");
    assert!(error.to_string().contains("PORTOLAN_MASTER_KEY"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn a_key_file_that_is_there_before_the_store_is_used() {
    let directory = tempfile::tempdir().expect("a directory");
    let key = key_file(directory.path());
    fs::write(&key, "5a".repeat(32)).expect("writes");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("chmod");
    open(directory.path()).expect("is made");
    let text = KeySource::Text(SecretText::new("5a".repeat(32)));
    open_with(directory.path(), text).expect("the same key opens it");
}

#[test]
fn an_exposed_key_file_makes_no_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let key = key_file(directory.path());
    fs::write(&key, "5a".repeat(32)).expect("writes");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("chmod");
    let error = open(directory.path()).expect_err("is refused");
    assert_eq!(error.sqlstate(), "F0000", "{error}");
    let message = error.to_string();
    assert!(message.starts_with("no store was made: "), "{message}");
    let hint = error.hint().unwrap_or_default();
    assert!(hint.starts_with("Run: chmod 600 "), "{hint}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("chmod");
    open(directory.path()).expect("is made now");
}

#[test]
fn a_newer_schema_is_refused_with_both_versions_also_while_open() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    raw(directory.path())
        .execute("INSERT INTO migrations VALUES (9, 0, 'newer')", [])
        .expect("inserts");
    let results = [
        open(directory.path()).map(drop),
        read(&catalog, |reader| reader.revision().map(drop)),
        write(&catalog, |writer| writer.delete_provider("x").map(drop)),
    ];
    for result in results {
        let error = result.expect_err("is newer");
        assert_eq!(error.sqlstate(), "0A000");
        let message = error.to_string();
        assert!(
            message.contains("version 9") && message.contains("up to 3"),
            "{message}"
        );
    }
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = database(directory.path());
    let text = "this is a letter to my aunt, and not a database at all\n".repeat(100);
    fs::write(&path, &text).expect("writes");
    let error = open(directory.path()).expect_err("is no store");
    assert!(matches!(error, CatalogError::Damaged), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("reads"), text);
    fs::remove_file(&path).expect("removes");

    raw(directory.path())
        .execute_batch("CREATE TABLE theirs (x)")
        .expect("makes another program's file");
    let before = fs::read(&path).expect("reads");
    let error = open(directory.path()).expect_err("is no store");
    assert!(matches!(error, CatalogError::Damaged), "{error}");
    assert_eq!(fs::read(&path).expect("reads"), before);
    assert!(!key_file(directory.path()).exists());
}

#[test]
fn a_store_without_its_rows_is_damaged_and_not_made_anew() {
    for table in ["store", "key_slots"] {
        let directory = tempfile::tempdir().expect("a directory");
        open(directory.path()).expect("is made");
        raw(directory.path())
            .execute(&format!("DELETE FROM {table}"), [])
            .expect("deletes");
        let error = open(directory.path()).expect_err("is damaged");
        assert!(matches!(error, CatalogError::Damaged), "{table}: {error}");
    }
}

#[test]
fn a_store_without_a_table_or_a_column_is_damaged() {
    for change in [
        "DROP TABLE connections",
        "ALTER TABLE connections RENAME COLUMN comment TO remark",
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        open(directory.path()).expect("is made");
        raw(directory.path())
            .execute_batch(change)
            .expect("changes");
        let catalog = open(directory.path());
        let error = catalog.and_then(|catalog| {
            let mut found = Ok(());
            catalog.read(&mut |reader| {
                found = reader.connections_after(None, 10).map(drop);
                Ok(())
            })?;
            found
        });
        let error = error.expect_err("is damaged");
        assert!(matches!(error, CatalogError::Damaged), "{change}: {error}");
    }
}

#[test]
fn a_path_that_cannot_be_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("writes");
    let error = open(&file).expect_err("has no directory");
    assert_eq!(error.sqlstate(), "58030");
    assert!(error.to_string().contains("file/catalog.db"), "{error}");
    fs::create_dir(database(directory.path())).expect("makes a directory");
    let error = open(directory.path()).expect_err("is a directory");
    assert!(error.to_string().contains("catalog.db"), "{error}");
}

#[test]
fn many_openings_at_once_make_one_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let ids: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| open(directory.path()).expect("opens").id()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("ends"))
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
}
