//! What opens a store, what does not, and what a newer store key leaves behind.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::{
    audit, database, fill, go_on, key_file, new_connection, open, open_with, opens, raw, read,
    rotate, write,
};
use portolan_catalog::{
    Catalog, KeyService, KeySlotRow, KeySource, NewKeySlot, SqliteCatalog, salvage,
};
use portolan_secret::{
    KeyError, KeyFile, SecretBytes, SecretText, SlotKey, SlotKind, Stretching, phrase,
};

fn add(catalog: &SqliteCatalog, kind: SlotKind, parameters: &str, key: &SlotKey) -> KeySlotRow {
    let new = NewKeySlot {
        kind,
        label: "added".to_owned(),
        parameters: parameters.to_owned(),
        key: key.clone(),
    };
    write(catalog, |writer| writer.insert_key_slot(&new)).expect("adds")
}

/// A slot of every kind that a person can keep, and what opens each.
fn add_all(directory: &Path, catalog: &SqliteCatalog) -> Vec<KeySource> {
    let (words, key) = phrase::generate().expect("random bytes");
    add(catalog, SlotKind::Recovery, "", &key);
    let passphrase = SecretText::from("correct horse battery");
    let how = Stretching::generate().expect("random bytes");
    let key = how.stretch(&passphrase).expect("stretches");
    let parameters = serde_json::to_string(&how).expect("is text");
    add(catalog, SlotKind::Passphrase, &parameters, &key);
    let file = directory.join("second.key");
    let key = KeyFile::new(&file).create().expect("is made");
    add(catalog, SlotKind::KeyFile, "", &key);
    let text = SecretText::new("5a".repeat(32));
    let key = SlotKey::from_text(&text, "a test").expect("is a key");
    add(catalog, SlotKind::Text, "", &key);
    vec![
        KeySource::File(key_file(directory)),
        KeySource::Recovery(words),
        KeySource::Passphrase(passphrase),
        KeySource::File(file),
        KeySource::Text(text),
    ]
}

#[test]
fn every_slot_opens_the_store_before_and_after_it_has_a_newer_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    fill(&catalog);
    let sources = add_all(directory.path(), &catalog);
    for source in &sources {
        opens(directory.path(), source);
    }
    assert!(rotate(&catalog) > 10);
    for source in &sources {
        opens(directory.path(), source);
    }
    rotate(&catalog);
    drop(catalog);
    for source in &sources {
        opens(directory.path(), source);
    }
}

#[test]
fn another_phrase_or_passphrase_opens_nothing_and_is_not_repeated() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    let refused = |source: KeySource| {
        let error = open_with(directory.path(), source).expect_err("is refused");
        (
            error.sqlstate(),
            format!("{error} {error:?}"),
            error.hint().unwrap_or_default(),
        )
    };
    let (words, _) = phrase::generate().expect("random bytes");
    let (sqlstate, told, hint) = refused(KeySource::Recovery(words.clone()));
    assert_eq!(sqlstate, "F0000");
    assert!(told.contains("opened so is none"), "{told}");
    assert!(hint.starts_with("Leave out --unlock"), "{hint}");
    add_all(directory.path(), &catalog);
    let (sqlstate, told, hint) = refused(KeySource::Recovery(words.clone()));
    assert_eq!(sqlstate, "F0000");
    assert!(told.contains("key slot 2 (recovery)"), "{told}");
    assert!(hint.starts_with("Give what was printed"), "{hint}");
    let (sqlstate, told, _) = refused(KeySource::Passphrase(SecretText::from(
        "correct hoarse battery",
    )));
    assert_eq!(sqlstate, "F0000");
    assert!(told.contains("key slot 3 (passphrase)"), "{told}");
    assert!(!told.contains("hoarse"), "{told}");
    let typo = words.expose().replacen(' ', " swordfishes ", 1);
    let typo = typo.rsplit_once(' ').expect("words").0.to_owned();
    let (sqlstate, told, _) = refused(KeySource::Recovery(SecretText::new(typo)));
    assert_eq!(sqlstate, "22023");
    assert!(told.contains("word 2 is none"), "{told}");
    assert!(!told.contains("swordfishes"), "{told}");
}

#[test]
fn neither_phrase_nor_passphrase_makes_a_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let (words, _) = phrase::generate().expect("random bytes");
    for source in [
        KeySource::Recovery(words),
        KeySource::Passphrase(SecretText::from("correct horse battery")),
    ] {
        let error = open_with(directory.path(), source).expect_err("is refused");
        assert_eq!(error.sqlstate(), "F0000", "{error}");
    }
    open(directory.path()).expect("is made now");
}

#[test]
fn a_process_that_has_the_store_open_follows_to_the_newer_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let one = open(directory.path()).expect("is made");
    let other = open(directory.path()).expect("opens");
    let (first, _) = fill(&one);
    let insert = |catalog, name: &str| {
        write(catalog, |writer| {
            writer.append_audit(&audit(name))?;
            writer.insert_connection(&new_connection(name))
        })
        .expect("inserts");
    };
    read(&other, |reader| {
        // This one sees the state before, in which nothing lies under the newer key.
        write(&one, |writer| writer.begin_key_rotation())?;
        assert_eq!(reader.key_state()?.generation, 1);
        reader.secrets_of(&first)
    })
    .expect("reads");
    insert(&other, "meanwhile");
    go_on(&other).expect("another process may go on");
    insert(&one, "after");
    insert(&other, "after-that");
    for catalog in [&one, &other] {
        read(catalog, |reader| {
            assert_eq!(reader.key_state()?.oldest, 2);
            for connection in reader.connections_after(None, 100)? {
                reader.secrets_of(&connection)?;
            }
            Ok(())
        })
        .expect("reads");
    }
}

#[test]
fn who_opened_the_store_with_a_slot_that_is_removed_does_not_get_the_newer_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    let sources = add_all(directory.path(), &catalog);
    let copy = directory.path().join("copy");
    fs::create_dir(&copy).expect("a directory");
    let revoked = open_with(directory.path(), sources[3].clone()).expect("opens");
    let id = read(&revoked, |reader| reader.key_state())
        .expect("reads")
        .slot;
    assert!(write(&catalog, |writer| writer.delete_key_slot(id)).expect("removes"));
    rotate(&catalog);
    let results = [
        read(&revoked, |reader| reader.revision().map(drop)),
        write(&revoked, |writer| writer.delete_provider("x").map(drop)),
        open_with(directory.path(), sources[3].clone()).map(drop),
    ];
    for result in results {
        let error = result.expect_err("is refused");
        assert_eq!(error.sqlstate(), "F0000", "{error}");
    }
    opens(directory.path(), &sources[1]);
}

#[test]
fn two_processes_cannot_remove_the_slots_of_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let one = open(directory.path()).expect("is made");
    let key = KeyFile::new(directory.path().join("second.key")).create();
    let id = add(&one, SlotKind::KeyFile, "", &key.expect("is made")).id;
    let source = KeySource::File(directory.path().join("second.key"));
    let other = open_with(directory.path(), source).expect("opens");
    assert!(write(&one, |writer| writer.delete_key_slot(id)).expect("removes"));
    let error = write(&other, |writer| writer.delete_key_slot(1)).expect_err("is refused");
    assert!(error.to_string().contains("was removed"), "{error}");
    let error = write(&other, |writer| writer.begin_key_rotation()).expect_err("is refused");
    assert!(error.to_string().contains("was removed"), "{error}");
    open(directory.path()).expect("opens");
}

#[test]
fn no_slot_is_removed_while_the_one_that_opened_the_store_is_not_authentic() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    add_all(directory.path(), &catalog);
    raw(directory.path())
        .execute("UPDATE key_slots SET label = 'x' WHERE id = 1", [])
        .expect("changes");
    let error = write(&catalog, |writer| writer.delete_key_slot(2)).expect_err("is refused");
    assert_eq!(error.sqlstate(), "XX001", "{error}");
    assert!(error.to_string().contains("key slot 1"), "{error}");
}

#[test]
fn the_last_slot_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    let error = write(&catalog, |writer| writer.delete_key_slot(1)).expect_err("is the last");
    assert_eq!(error.sqlstate(), "55000");
    assert!(error.hint().expect("a hint").contains("portolan key add"));
}

/// Nothing in the file lies under the older key any more, and the file's free space and its log hold
/// none of what was wrapped under it.
#[test]
fn a_newer_key_leaves_nothing_under_the_older() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    fill(&catalog);
    let sealed = |column: &str, table: &str| -> Vec<Vec<u8>> {
        let raw = raw(directory.path());
        let mut statement = raw
            .prepare(&format!("SELECT {column} FROM {table}"))
            .expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("queries");
        rows.collect::<rusqlite::Result<_>>().expect("reads")
    };
    let wrapped = [
        sealed("row_key", "sealed"),
        sealed("wrapped", "key_slots"),
        sealed("proof", "key_slots"),
    ]
    .concat();
    let uris = sealed("uri", "sealed");
    rotate(&catalog);
    assert_eq!(sealed("uri", "sealed"), uris, "what is sealed stays");
    assert!(sealed("sealed", "store_keys").is_empty());
    drop(catalog);
    let mut image = Vec::new();
    for entry in fs::read_dir(directory.path()).expect("lists") {
        image.extend(fs::read(entry.expect("an entry").path()).expect("reads"));
    }
    for bytes in wrapped {
        assert!(!image.windows(bytes.len()).any(|window| window == bytes));
    }
}

#[test]
fn a_row_that_is_not_authentic_gets_no_code_under_the_newer_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    fill(&catalog);
    raw(directory.path())
        .execute(
            "UPDATE connections SET owner = 'mallory' WHERE name = 'two'",
            [],
        )
        .expect("changes");
    write(&catalog, |writer| writer.begin_key_rotation()).expect("begins");
    let error = go_on(&catalog).expect_err("is refused");
    assert_eq!(error.sqlstate(), "XX001");
    assert!(
        error.to_string().contains("external connection two"),
        "{error}"
    );
    let state = read(&catalog, |reader| reader.key_state()).expect("reads");
    assert!(state.is_rotating(), "the older key stays");
    write(&catalog, |writer| writer.delete_connection_unchecked("two")).expect("drops");
    go_on(&catalog).expect("goes on");
}

#[test]
fn a_slot_that_was_changed_is_refused_and_named_and_can_be_removed() {
    for change in [
        "kind = 'text'",
        "label = 'mine'",
        "created = created + 1",
        "parameters = 'x'",
        "wrapped = x'00'",
        "proof = x'00'",
        "recipient = x'00'",
        "code = x'00'",
        "wrapped = (SELECT wrapped FROM key_slots WHERE id = 5)",
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("is made");
        let sources = add_all(directory.path(), &catalog);
        raw(directory.path())
            .execute(&format!("UPDATE key_slots SET {change} WHERE id = 4"), [])
            .expect("changes");
        let error = read(&catalog, |reader| reader.key_slots()).expect_err(change);
        assert_eq!(error.sqlstate(), "XX001", "{change}: {error}");
        assert!(error.to_string().contains("key slot 4"), "{error}");
        let error = write(&catalog, |writer| writer.begin_key_rotation()).expect_err(change);
        assert_eq!(error.sqlstate(), "XX001", "{change}: {error}");
        let head = ["kind", "label", "created", "parameters", "wrapped"];
        if head.iter().any(|column| change.starts_with(column)) {
            let error = open_with(directory.path(), sources[3].clone()).expect_err(change);
            assert_eq!(error.sqlstate(), "XX001", "{change}: {error}");
        }
        assert!(write(&catalog, |writer| writer.delete_key_slot(4)).expect("removes"));
        assert_eq!(
            read(&catalog, |reader| reader.key_slots())
                .expect("reads")
                .len(),
            4
        );
        rotate(&catalog);
    }
}

#[test]
fn slots_of_another_store_open_nothing() {
    let directories = [
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    ];
    for directory in &directories {
        open(directory.path()).expect("is made");
    }
    let raw = raw(directories[1].path());
    let other = database(directories[0].path());
    raw.execute("ATTACH ?1 AS other", [other.to_str().expect("is text")])
        .expect("attaches");
    raw.execute_batch("INSERT OR REPLACE INTO key_slots SELECT * FROM other.key_slots")
        .expect("copies");
    let key = KeySource::File(key_file(directories[0].path()));
    let error = open_with(directories[1].path(), key).expect_err("is refused");
    assert_eq!(error.sqlstate(), "XX001", "{error}");
    let error = open(directories[1].path()).expect_err("is refused");
    assert_eq!(error.sqlstate(), "F0000", "{error}");
}

#[test]
fn what_is_not_sealed_is_read_without_a_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    fill(&catalog);
    fs::remove_file(key_file(directory.path())).expect("loses the key");
    raw(directory.path())
        .execute("UPDATE connections SET id = x'00' WHERE name = 'two'", [])
        .expect("changes");
    let found = salvage(&database(directory.path())).expect("reads");
    assert_eq!(found.connections.len(), 1);
    assert_eq!(found.unreadable, ["external connection two"]);
    assert_eq!(found.principals.len(), 3);
    assert_eq!(found.memberships.len(), 2);
    assert_eq!(found.system_grants.len(), 1);
    assert_eq!(found.connection_grants.len(), 1);
    assert_eq!(found.providers.len(), 1);
    assert_eq!(found.user_file_sets.len(), 1);
    let nothing = tempfile::tempdir().expect("a directory");
    salvage(&database(nothing.path())).expect_err("there is none");
    assert!(!database(nothing.path()).exists());
}

/// In the place of a key management service: it keeps what it wrapped, counts, and can be switched
/// off. It proves nothing about a service.
#[derive(Debug, Default)]
struct StandIn {
    kept: std::sync::Mutex<Vec<SecretBytes>>,
    asked: AtomicUsize,
    is_down: AtomicBool,
}

impl StandIn {
    fn answers(&self) -> Result<(), KeyError> {
        match self.is_down.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(KeyError::Service {
                sqlstate: "08001",
                message: "nobody answers".to_owned(),
                hint: Some("start it".to_owned()),
            }),
        }
    }
}

impl KeyService for StandIn {
    fn holds(&self, parameters: &str) -> bool {
        parameters.starts_with("kept ")
    }

    fn unwrap(&self, parameters: &str) -> Result<SlotKey, KeyError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answers()?;
        let number: usize = parameters["kept ".len()..].parse().expect("a number");
        let kept = self.kept.lock().expect("not poisoned");
        Ok(SlotKey::from_bytes(&kept[number]).expect("is a key"))
    }

    fn wrap(&self, key: &SlotKey) -> Result<String, KeyError> {
        self.answers()?;
        let mut kept = self.kept.lock().expect("not poisoned");
        kept.push(key.to_bytes());
        Ok(format!("kept {}", kept.len() - 1))
    }

    fn label(&self) -> String {
        "a stand-in".to_owned()
    }
}

fn with_service(directory: &Path, service: &Arc<StandIn>) -> KeySource {
    KeySource::Service {
        service: Arc::clone(service) as Arc<dyn KeyService>,
        file: key_file(directory),
    }
}

#[test]
fn a_service_is_asked_once_and_not_before_a_row_is_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Arc::new(StandIn::default());
    let source = with_service(directory.path(), &service);
    let catalog = open_with(directory.path(), source.clone()).expect("is made");
    assert!(!key_file(directory.path()).exists());
    fill(&catalog);
    let made = service.asked.swap(0, Ordering::Relaxed);
    assert!(made <= 1, "{made}");
    let catalog = open_with(directory.path(), source).expect("opens");
    catalog.mark();
    let _ = catalog.id();
    assert_eq!(service.asked.load(Ordering::Relaxed), 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| read(&catalog, |reader| reader.connection("one")).expect("reads"));
        }
    });
    write(&catalog, |writer| writer.delete_provider("mine")).expect("writes");
    rotate(&catalog);
    read(&catalog, |reader| reader.connection("one")).expect("reads");
    assert_eq!(service.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_store_whose_key_is_a_text_asks_for_the_text_and_for_no_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = KeySource::Text(SecretText::new("5a".repeat(32)));
    drop(open_with(directory.path(), text).expect("is made"));
    let error = open(directory.path()).expect_err("is not opened");
    assert_eq!(error.sqlstate(), "F0000");
    assert_eq!(
        error.to_string(),
        "key slot 1 (text) of the store cannot be opened: its key is given as text, and none was given"
    );
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("PORTOLAN_MASTER_KEY"), "{hint}");
    assert!(!key_file(directory.path()).exists());
}

#[test]
fn a_store_that_words_open_asks_for_them_and_for_no_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("is made");
    let ways = add_all(directory.path(), &catalog);
    let words =
        |source: &&KeySource| matches!(source, KeySource::Recovery(_) | KeySource::Passphrase(_));
    let way = ways.iter().find(words).expect("there is one").clone();
    drop(catalog);
    let catalog = open_with(directory.path(), way.clone()).expect("opens");
    let slots = read(&catalog, |reader| reader.key_slots()).expect("reads");
    for slot in slots {
        if matches!(slot.kind, SlotKind::KeyFile | SlotKind::Text) {
            write(&catalog, |writer| writer.delete_key_slot(slot.id)).expect("removes");
        }
    }
    drop(catalog);
    fs::remove_file(key_file(directory.path())).expect("removes");
    let error = open(directory.path()).expect_err("is not opened");
    assert_eq!(error.sqlstate(), "F0000");
    assert_eq!(
        error.to_string(),
        "key slot 2 (recovery) or key slot 3 (passphrase) of the store cannot be opened: it is opened \
         with what was printed or chosen when it was added, and none was given"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("Give it with --unlock recovery=SOURCE or --unlock passphrase=SOURCE.")
    );
    assert!(!key_file(directory.path()).exists());
    open_with(directory.path(), way).expect("opens");
}

#[test]
fn a_service_that_gives_back_another_key_is_told_and_not_the_slot_blamed() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Arc::new(StandIn::default());
    let source = with_service(directory.path(), &service);
    drop(open_with(directory.path(), source.clone()).expect("is made"));
    let (_, other) = phrase::generate().expect("random bytes");
    service.kept.lock().expect("not poisoned")[0] = other.to_bytes();
    let catalog = open_with(directory.path(), source).expect("opens");
    let error = read(&catalog, |reader| reader.revision()).expect_err("is another");
    assert_eq!(error.sqlstate(), "08P01", "{error}");
    assert!(error.to_string().starts_with("key slot 1 (kms)"), "{error}");
    let told = format!("{error} {}", error.hint().unwrap_or_default());
    assert!(
        told.contains("another key") && !told.contains("remove"),
        "{told}"
    );
}

#[test]
fn a_service_that_does_not_answer_is_not_asked_for_each_of_its_slots() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Arc::new(StandIn::default());
    let source = with_service(directory.path(), &service);
    let catalog = open_with(directory.path(), source.clone()).expect("is made");
    let (_, key) = phrase::generate().expect("random bytes");
    let parameters = service.wrap(&key).expect("wraps");
    add(&catalog, SlotKind::Kms, &parameters, &key);
    drop(catalog);
    service.is_down.store(true, Ordering::Relaxed);
    service.asked.store(0, Ordering::Relaxed);
    let catalog = open_with(directory.path(), source).expect("opens");
    let error = read(&catalog, |reader| reader.revision()).expect_err("is lost");
    assert_eq!(error.sqlstate(), "08001");
    assert_eq!(service.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn a_service_that_is_lost_is_told_with_its_slot_and_no_key_is_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Arc::new(StandIn::default());
    let source = with_service(directory.path(), &service);
    service.is_down.store(true, Ordering::Relaxed);
    let error = open_with(directory.path(), source.clone()).expect_err("cannot be made");
    assert_eq!(error.sqlstate(), "08001", "{error}");
    assert_eq!(error.to_string(), "no store was made: nobody answers");
    assert_eq!(error.hint().as_deref(), Some("start it"));
    service.is_down.store(false, Ordering::Relaxed);
    drop(open_with(directory.path(), source.clone()).expect("is made"));
    let before = fs::read(database(directory.path())).expect("reads");
    service.is_down.store(true, Ordering::Relaxed);
    let catalog = open_with(directory.path(), source).expect("opens");
    for _ in 0..2 {
        let error = read(&catalog, |reader| reader.revision()).expect_err("is lost");
        assert_eq!(error.sqlstate(), "08001");
        assert_eq!(
            error.to_string(),
            "key slot 1 (kms) of the store cannot be opened: nobody answers"
        );
        assert_eq!(error.hint().as_deref(), Some("start it"));
    }
    assert!(!key_file(directory.path()).exists());
    assert_eq!(fs::read(database(directory.path())).expect("reads"), before);
    service.is_down.store(false, Ordering::Relaxed);
    read(&catalog, |reader| reader.revision()).expect("is found again");
}

#[test]
fn a_service_without_a_slot_leaves_the_store_to_its_file() {
    let directory = tempfile::tempdir().expect("a directory");
    open(directory.path()).expect("is made");
    let service = Arc::new(StandIn::default());
    let source = with_service(directory.path(), &service);
    let catalog = open_with(directory.path(), source.clone()).expect("opens");
    let key = SlotKey::generate().expect("random bytes");
    let parameters = service.wrap(&key).expect("wraps");
    add(&catalog, SlotKind::Kms, &parameters, &key);
    fs::remove_file(key_file(directory.path())).expect("removes");
    let catalog = open_with(directory.path(), source).expect("opens");
    let state = read(&catalog, |reader| reader.key_state()).expect("reads");
    assert_eq!(state.slot, 2);
    assert!(write(&catalog, |writer| writer.delete_key_slot(1)).expect("removes"));
}
