//! Several processes on one store, and processes that are killed.
//!
//! The test program runs itself again as the other process.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{audit, new_connection, open, read, target, write};
use portolan_catalog::model::AuditObject;
use portolan_catalog::{AuditFilter, Catalog, ConnectionId, SqliteCatalog};

const STORE: &str = "PORTOLAN_TEST_STORE";
const WRITER: &str = "PORTOLAN_TEST_WRITER";
const ROUNDS: &str = "PORTOLAN_TEST_ROUNDS";

/// Not a test of its own: what the other process does. Every transaction leaves as many audit
/// records about a connection as that connection has versions, or neither.
#[test]
fn the_other_process() {
    let Ok(store) = std::env::var(STORE) else {
        return;
    };
    let writer = std::env::var(WRITER).expect("is set");
    let rounds: usize = std::env::var(ROUNDS)
        .expect("is set")
        .parse()
        .expect("a number");
    let catalog = open(Path::new(&store)).expect("opens");
    for number in 0..rounds {
        let name = format!("{writer}-{number}");
        let made = write(&catalog, |writer| {
            let made = writer.insert_connection(&new_connection(&name))?;
            writer.append_audit(&audit(&name))?;
            Ok(made)
        })
        .expect("inserts");
        write(&catalog, |writer| {
            writer.append_audit(&audit(&name))?;
            writer.replace_connection(made.id, 1, &target("other"))
        })
        .expect("replaces");
        if number.is_multiple_of(3) {
            write(&catalog, |writer| {
                writer.append_audit(&audit(&format!("gone-{name}")))?;
                writer.delete_connection(made.id)
            })
            .expect("deletes");
        }
    }
}

fn start(store: &Path, writer: &str, rounds: usize) -> Child {
    #[allow(
        clippy::disallowed_methods,
        reason = "another process is what is tested"
    )]
    Command::new(std::env::current_exe().expect("a program"))
        .args(["the_other_process", "--exact", "--test-threads=1"])
        .env(STORE, store)
        .env(WRITER, writer)
        .env(ROUNDS, rounds.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("starts")
}

/// Everything opens, and connections and audit trail say the same.
fn is_whole(catalog: &SqliteCatalog) -> usize {
    read(catalog, |reader| {
        let connections = reader.connections_after(None, 1_000_000)?;
        let trail = reader.audit_after(&AuditFilter::default(), None, 1_000_000)?;
        let mut there = BTreeSet::new();
        for connection in &connections {
            let secrets = reader.secrets_of(connection)?;
            let mark = if connection.version == 1 {
                &connection.name
            } else {
                "other"
            };
            assert!(secrets.uri.expose().ends_with(mark), "{}", connection.name);
            let object = Some(AuditObject::connection(&connection.name));
            let records = trail.iter().filter(|it| it.record.object == object).count();
            assert_eq!(records as u64, connection.version, "{}", connection.name);
            there.insert(connection.name.clone());
        }
        for entry in &trail {
            let name = &entry.record.object.as_ref().expect("an object").name;
            let gone = trail.iter().any(|it| {
                it.record.object == Some(AuditObject::connection(format!("gone-{name}")))
            });
            let is_there = there.contains(name);
            assert!(name.starts_with("gone-") || is_there != gone, "{name}");
        }
        Ok(connections.len())
    })
    .expect("reads")
}

#[test]
fn a_process_that_is_killed_leaves_all_or_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut written = 0;
    for round in 0_u64..12 {
        let mut child = start(directory.path(), &format!("w{round}"), 1_000_000);
        // The first rounds end while the store is being made.
        std::thread::sleep(Duration::from_millis(3 + round * round * 4 + round * 7 % 5));
        child.kill().expect("kills");
        child.wait().expect("ends");
        let catalog = open(directory.path()).expect("opens");
        let count = is_whole(&catalog);
        assert!(count >= written, "nothing durable is lost");
        written = count;
    }
    assert!(written > 0, "the children got to write");
}

#[test]
fn processes_at_the_same_time_lose_nothing_and_see_each_other() {
    const ROUNDS: usize = 30;
    let directory = tempfile::tempdir().expect("a directory");
    // Both make the store at once.
    let mut children = [
        start(directory.path(), "a", ROUNDS),
        start(directory.path(), "b", ROUNDS),
    ];
    let catalog = open(directory.path()).expect("opens");
    let id = catalog.id();
    let before = read(&catalog, |reader| reader.revision()).expect("reads");
    while children
        .iter_mut()
        .any(|child| child.try_wait().expect("asks").is_none())
    {
        is_whole(&catalog);
        std::thread::sleep(Duration::from_millis(20));
    }
    for mut child in children {
        assert!(child.wait().expect("ends").success());
    }
    assert_eq!(is_whole(&catalog), 2 * ROUNDS * 2 / 3);
    let after = read(&catalog, |reader| reader.revision()).expect("reads");
    // On a busy machine the others may have ended before this process had opened the store.
    assert!(after >= before, "{before}, then {after}");
    // Two changes for each connection, three for every third, after the store was made.
    assert_eq!(after, 1 + (2 * ROUNDS * 2 + 2 * ROUNDS / 3) as u64);
    assert_eq!(open(directory.path()).expect("opens").id(), id);
}

#[test]
fn every_mark_is_of_a_state_in_which_all_that_others_made_durable_is_seen() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let other = open(directory.path()).expect("opens");
    let mut last = catalog.mark().expect("a mark");
    for number in 0..200 {
        assert_eq!(catalog.mark(), Some(last), "nobody wrote");
        let name = format!("c{number}");
        match number % 3 {
            0 => drop(write(&other, |writer| writer.append_audit(&audit(&name)))),
            _ => drop(write(&other, |writer| {
                writer.insert_connection(&new_connection(&name))
            })),
        }
        let mark = catalog.mark().expect("a mark");
        assert_ne!(mark, last, "after {number}");
        last = mark;
    }
    let mut child = start(directory.path(), "a", 1);
    assert!(child.wait().expect("ends").success());
    assert_ne!(catalog.mark(), Some(last), "another process wrote");
}

#[test]
fn a_handle_notices_what_another_process_changed_within_a_second() {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let one = std::sync::Arc::new(open(directory.path()).expect("opens"));
    let handle = portolan_catalog::CatalogHandle::new(one, runtime.handle().clone());
    let before = runtime.block_on(handle.revision()).expect("reads");
    let other = open(directory.path()).expect("opens");
    let id: ConnectionId = write(&other, |writer| {
        writer.insert_connection(&new_connection("bucket"))
    })
    .expect("writes")
    .id;
    std::thread::sleep(Duration::from_millis(1001));
    let after = runtime.block_on(handle.revision()).expect("reads");
    assert_eq!(after, before + 1);
    // What this process changes counts at once.
    runtime
        .block_on(handle.write(move |writer| writer.delete_connection(id)))
        .expect("writes");
    let revision = runtime.block_on(handle.revision()).expect("reads");
    assert_eq!(revision, after + 1);
}
