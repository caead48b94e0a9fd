//! Several processes on one store, and processes that are killed.
//!
//! The test program runs itself again as the other process.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{audit, new_connection, open, read, target, write};
use portolan_catalog::model::AuditObject;
use portolan_catalog::{
    AuditFilter, AuditRecord, Catalog, CatalogError, ConnectionId, NewKeySlot, RotationPlace,
    SqliteCatalog, Writer,
};
use portolan_secret::{SlotKey, SlotKind};

const STORE: &str = "PORTOLAN_TEST_STORE";
const WRITER: &str = "PORTOLAN_TEST_WRITER";
const ROUNDS: &str = "PORTOLAN_TEST_ROUNDS";
const ROTATOR: &str = "PORTOLAN_TEST_ROTATOR";

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
        let started = Instant::now();
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
        // SQLite has no queue: who never pauses lets nobody else write.
        std::thread::sleep(started.elapsed());
    }
}

/// Not a test of its own: what a process does that adds slots, removes them and gives the store newer
/// keys, each with its audit record in the same transaction.
#[test]
fn the_process_that_changes_keys() {
    let Ok(store) = std::env::var(ROTATOR) else {
        return;
    };
    let catalog = open(Path::new(&store)).expect("opens");
    let step = |what: &str, step: &mut dyn FnMut(&mut dyn Writer) -> Result<(), CatalogError>| {
        let started = Instant::now();
        write(&catalog, |writer| {
            writer.append_audit(&AuditRecord {
                action: what.to_owned(),
                object: None,
                ..audit("")
            })?;
            step(writer)
        })
        .expect("is done");
        std::thread::sleep(started.elapsed());
    };
    loop {
        let new = NewKeySlot {
            kind: SlotKind::Text,
            label: String::new(),
            parameters: String::new(),
            key: SlotKey::generate().expect("random bytes"),
        };
        let mut added = None;
        step("add", &mut |writer| {
            added = Some(writer.insert_key_slot(&new)?.id);
            Ok(())
        });
        step("begin", &mut |writer| writer.begin_key_rotation().map(drop));
        let mut place: Option<RotationPlace> = None;
        loop {
            let started = Instant::now();
            let next = write(&catalog, |writer| writer.rotate_rows(place.as_ref(), 3));
            let Some(next) = next.expect("goes on").next else {
                break;
            };
            place = Some(next);
            // As the host does.
            std::thread::sleep(started.elapsed());
        }
        step("finish", &mut |writer| {
            writer.finish_key_rotation().map(drop)
        });
        step("remove", &mut |writer| {
            writer.delete_key_slot(added.unwrap_or_default()).map(drop)
        });
    }
}

fn start_rotator(store: &Path) -> Child {
    #[allow(
        clippy::disallowed_methods,
        reason = "another process is what is tested"
    )]
    Command::new(std::env::current_exe().expect("a program"))
        .args([
            "the_process_that_changes_keys",
            "--exact",
            "--test-threads=1",
        ])
        .env(ROTATOR, store)
        .stdout(Stdio::null())
        .spawn()
        .expect("starts")
}

/// Slots, generations and the trail say the same: whatever was noted was done.
fn keys_are_whole(catalog: &SqliteCatalog) -> u32 {
    read(catalog, |reader| {
        let trail = reader.audit_after(&AuditFilter::default(), None, 1_000_000)?;
        let count = |what: &str| trail.iter().filter(|it| it.record.action == what).count();
        let slots = reader.key_slots()?;
        assert_eq!(slots.len(), 1 + count("add") - count("remove"));
        let state = reader.key_state()?;
        assert_eq!(state.generation as usize, 1 + count("begin"));
        assert!(state.oldest <= state.generation);
        Ok(state.generation)
    })
    .expect("reads")
}

#[test]
fn a_process_that_is_killed_while_it_changes_keys_leaves_all_or_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    common::fill(&catalog);
    let mut generation = 1;
    let mut unfinished = 0;
    // More often where the machine is busy and the children get nowhere.
    for round in 0_u64..80 {
        if round > 13 && generation > 3 && unfinished > 0 {
            break;
        }
        let mut child = start_rotator(directory.path());
        let wait = 30 + round % 20 * 17 + round * 7 % 5;
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("kills");
        child.wait().expect("ends");
        let again = open(directory.path()).expect("opens");
        for catalog in [&catalog, &again] {
            let found = keys_are_whole(catalog);
            assert!(found >= generation, "nothing durable is lost");
            generation = found;
            read(catalog, |reader| {
                for connection in reader.connections_after(None, 100)? {
                    reader.secrets_of(&connection)?;
                }
                reader.connection_grants(None)?;
                reader.providers()?;
                if reader.key_state()?.is_rotating() {
                    unfinished += 1;
                }
                Ok(())
            })
            .expect("reads");
        }
    }
    assert!(generation > 3, "the children got to work: {generation}");
    // What the last one left unfinished is finished by whoever comes next.
    let mut place: Option<RotationPlace> = None;
    while let Some(next) = write(&catalog, |writer| writer.rotate_rows(place.as_ref(), 100))
        .expect("goes on")
        .next
    {
        place = Some(next);
    }
    let state = write(&catalog, |writer| writer.finish_key_rotation()).expect("finishes");
    assert!(!state.is_rotating());
    assert!(unfinished > 0, "some were killed in the middle");
}

#[test]
fn a_store_opens_at_any_moment_of_a_change_of_its_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    let mut rotator = start_rotator(directory.path());
    let mut opened = 0;
    // Until the key was changed often enough to have been changed while the store was being opened.
    while keys_are_whole(&catalog) < 40 && opened < 20_000 {
        open(directory.path()).expect("opens");
        opened += 1;
    }
    rotator.kill().expect("kills");
    rotator.wait().expect("ends");
    assert!(
        keys_are_whole(&catalog) >= 40,
        "keys were changed meanwhile"
    );
}

#[test]
fn processes_that_write_while_another_changes_the_key_lose_nothing() {
    const ROUNDS: usize = 9;
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    let mut rotator = start_rotator(directory.path());
    let mut written = 0;
    // As often as it takes on a busy machine until keys were changed beside the others' work.
    for time in 0..40 {
        let children = ["a", "b"].map(|name| {
            let name = format!("{name}{time}");
            start(directory.path(), &name, ROUNDS)
        });
        for mut child in children {
            assert!(child.wait().expect("ends").success());
            written += ROUNDS * 2 / 3;
        }
        if keys_are_whole(&catalog) > 2 {
            break;
        }
    }
    rotator.kill().expect("kills");
    rotator.wait().expect("ends");
    assert!(keys_are_whole(&catalog) > 2, "keys were changed meanwhile");
    let count = read(&catalog, |reader| {
        let connections = reader.connections_after(None, 1_000_000)?;
        for connection in &connections {
            reader.secrets_of(connection)?;
        }
        Ok(connections.len())
    })
    .expect("reads");
    assert_eq!(count, written);
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
