//! Locks, full disks, files that cannot be written, and what is left of secrets on the disk.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{audit, database, fill, new_connection, open, raw, read, target, write};
use portolan_catalog::{AuditFilter, Catalog, CatalogError, SqliteCatalog};
use portolan_disks::{Disk, set_read_only};

#[test]
fn a_lock_that_is_held_for_longer_than_five_seconds_is_reported() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let other = raw(directory.path());
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let start = Instant::now();
    let error = write(&catalog, |writer| {
        writer.insert_connection(&new_connection("bucket"))
    })
    .expect_err("is locked");
    let waited = start.elapsed();
    assert_eq!(error.sqlstate(), "55P03");
    assert!(error.hint().is_some());
    assert!(
        (Duration::from_millis(4500)..Duration::from_secs(8)).contains(&waited),
        "{waited:?}"
    );
    // Who only reads is not kept waiting.
    let start = Instant::now();
    read(&catalog, |reader| reader.connection("bucket")).expect("reads");
    assert!(start.elapsed() < Duration::from_secs(1));
    other.execute_batch("ROLLBACK").expect("unlocks");
    write(&catalog, |writer| {
        writer.insert_connection(&new_connection("bucket"))
    })
    .expect("writes");
}

#[test]
fn a_lock_that_is_given_back_in_time_is_waited_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let other = raw(directory.path());
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            write(&catalog, |writer| {
                writer.insert_connection(&new_connection("bucket"))
            })
        });
        std::thread::sleep(Duration::from_millis(500));
        other.execute_batch("ROLLBACK").expect("unlocks");
        writing.join().expect("ends").expect("writes");
    });
}

/// A writer in a writer would wait for itself.
#[test]
fn a_write_inside_a_write_is_reported_as_locked() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let result = write(&catalog, |_| {
        write(&catalog, |writer| writer.delete_provider("x"))
    });
    assert!(matches!(result, Err(CatalogError::Locked)));
    write(&catalog, |writer| writer.delete_provider("x")).expect("writes again");
}

/// Fills the store until it takes no more. Gives how many connections it took.
fn fill_up(catalog: &SqliteCatalog) -> (usize, CatalogError) {
    for number in 0..100_000 {
        let name = format!("c{number}");
        let result = write(catalog, |writer| {
            writer.insert_connection(&new_connection(&name))?;
            writer.append_audit(&audit(&name))
        });
        if let Err(error) = result {
            return (number, error);
        }
    }
    unreachable!("the disk is larger than the test thinks");
}

fn holds_exactly(catalog: &SqliteCatalog, count: usize) {
    read(catalog, |reader| {
        let connections = reader.connections_after(None, count + 1)?;
        assert_eq!(connections.len(), count);
        for connection in &connections {
            reader.secrets_of(connection)?;
        }
        let trail = reader.audit_after(&AuditFilter::default(), None, count + 1)?;
        assert_eq!(trail.len(), count);
        Ok(())
    })
    .expect("reads");
}

#[test]
fn a_full_disk_is_reported_and_loses_nothing() {
    let Some(directory) = Disk::Small.enter("a_full_disk_is_reported_and_loses_nothing") else {
        return;
    };
    let ballast = directory.join("ballast");
    fs::write(&ballast, vec![0; 64 * 1024]).expect("writes");
    let catalog = open(&directory).expect("opens");
    let (count, error) = fill_up(&catalog);
    assert!(matches!(error, CatalogError::DiskFull), "{error:?}");
    assert_eq!(error.sqlstate(), "53100", "{error}");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("Nothing was lost"))
    );
    assert!(count > 10, "{count}");
    holds_exactly(&catalog, count);
    drop(catalog);
    fs::remove_file(&ballast).expect("frees some space");
    goes_on(&directory, count);
}

/// A quota, or a limit on the size of files: SQLite has no word of its own for these.
#[test]
fn a_file_that_may_not_grow_is_reported_and_loses_nothing() {
    let name = "a_file_that_may_not_grow_is_reported_and_loses_nothing";
    let Some(directory) = Disk::ShortFiles.enter(name) else {
        return;
    };
    let catalog = open(&directory).expect("opens");
    let (count, error) = fill_up(&catalog);
    assert!(matches!(error, CatalogError::NotWritten), "{error:?}");
    assert_eq!(error.sqlstate(), "58030");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("quota") && hint.contains("Nothing was lost"))
    );
    assert!(count > 10, "{count}");
    holds_exactly(&catalog, count);
    drop(catalog);
    holds_exactly(&open(&directory).expect("opens again"), count);
}

#[test]
fn a_store_on_a_read_only_disk_says_so_and_stays_whole() {
    let name = "a_store_on_a_read_only_disk_says_so_and_stays_whole";
    let Some(directory) = Disk::Small.enter(name) else {
        return;
    };
    let catalog = open(&directory).expect("opens");
    fill(&catalog);
    drop(catalog);
    set_read_only(&directory, true);
    let error = open(&directory)
        .and_then(|catalog| write(&catalog, |writer| writer.delete_provider("mine")))
        .expect_err("is read-only");
    assert_eq!(error.sqlstate(), "25006", "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("writable")));
    set_read_only(&directory, false);
    let catalog = open(&directory).expect("opens again");
    read(&catalog, |reader| reader.connection("one")).expect("reads");
    write(&catalog, |writer| writer.delete_provider("mine")).expect("writes again");
}

/// A store with so many connections opens, and takes one more.
fn goes_on(directory: &Path, count: usize) {
    let catalog = open(directory).expect("opens again");
    holds_exactly(&catalog, count);
    write(&catalog, |writer| {
        writer.insert_connection(&new_connection("after"))?;
        writer.append_audit(&audit("after"))
    })
    .expect("writes again");
    holds_exactly(&catalog, count + 1);
}

/// Every file of a store, read whole.
fn image(directory: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(directory).expect("lists") {
        let path = entry.expect("an entry").path();
        assert_eq!(
            fs::metadata(&path).expect("is there").permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
        bytes.extend(fs::read(path).expect("reads"));
    }
    bytes
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

#[test]
fn no_file_holds_a_secret_at_any_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let scan = |when: &str| {
        assert!(!contains(&image(directory.path()), b"hunter2"), "{when}");
    };
    let catalog = open(directory.path()).expect("opens");
    let (one, two) = fill(&catalog);
    scan("after CREATE");
    write(&catalog, |writer| {
        writer.replace_connection(one.id, 1, &target("other"))
    })
    .expect("writes");
    scan("after ALTER");
    write(&catalog, |writer| writer.delete_connection(two.id)).expect("writes");
    scan("after DROP");
    drop(catalog);
    scan("after the end");
}

#[test]
fn what_was_sealed_is_overwritten_when_it_is_replaced_or_deleted() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let (one, two) = fill(&catalog);
    let sealed = |id: portolan_catalog::ConnectionId| -> Vec<Vec<u8>> {
        raw(directory.path())
            .query_row(
                "SELECT row_key, uri, plan FROM sealed WHERE connection = ?1",
                [id.0.as_bytes()],
                |row| Ok(vec![row.get(0)?, row.get(1)?, row.get(2)?]),
            )
            .expect("reads")
    };
    let (of_one, of_two) = (sealed(one.id), sealed(two.id));
    let before = image(directory.path());
    assert!(
        of_one
            .iter()
            .chain(&of_two)
            .all(|bytes| contains(&before, bytes))
    );
    write(&catalog, |writer| {
        writer.replace_connection(one.id, 1, &target("other"))
    })
    .expect("writes");
    write(&catalog, |writer| writer.delete_connection(two.id)).expect("writes");
    let after = image(directory.path());
    for bytes in of_one.iter().chain(&of_two) {
        assert!(!contains(&after, bytes), "the file or its log still has it");
    }
}

#[test]
fn a_damaged_file_is_reported_and_never_written_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    fill(&catalog);
    drop(catalog);
    let path = database(directory.path());
    let whole = fs::read(&path).expect("reads");
    let cut = &whole[..whole.len() / 2];
    fs::write(&path, cut).expect("writes");
    let result = open(directory.path()).and_then(|catalog| {
        read(&catalog, |reader| reader.connections_after(None, 9))?;
        write(&catalog, |writer| writer.delete_provider("mine"))
    });
    let error = result.expect_err("is damaged");
    assert_eq!(error.sqlstate(), "XX001", "{error}");
    fs::write(&path, &whole).expect("puts it back");
    let catalog = open(directory.path()).expect("opens again");
    read(&catalog, |reader| reader.connections_after(None, 9)).expect("reads");
    assert_eq!(catalog.id(), open(directory.path()).expect("opens").id());
}
