//! Stores that were written once and are kept: whatever changes in the format, in a key derivation
//! or in what is sealed, they open.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "../common/mod.rs"]
mod common;

use std::path::Path;

use common::{database, open, open_with, opens, raw, read, rotate};
use portolan_catalog::{KeySource, salvage};
use portolan_secret::SecretText;

/// A store of the present format with a slot of every kind that a person can keep. Of `lake` the URI
/// ends with `swordfish`.
const PRESENT: &str = include_str!("store-3.sql");
const PRESENT_KEY: &str = "ff007016a9336a06e804e819be3ac104e56c5e060d2e9adf74299c30889da702";
const PRESENT_PHRASE: &str = "sight ocean juice rib tree version cruise ship real wait still foster \
                              lady clerk detect save weekend absent weasel cool atom side solar rose";
const PRESENT_PASSPHRASE: &str = "hunter2 is no passphrase";

#[test]
fn a_key_a_phrase_and_a_passphrase_of_long_ago_open_the_store_that_they_are_of() {
    for source in [
        KeySource::Text(SecretText::from(PRESENT_KEY)),
        KeySource::Recovery(SecretText::from(PRESENT_PHRASE)),
        KeySource::Passphrase(SecretText::from(PRESENT_PASSPHRASE)),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        raw(directory.path()).execute_batch(PRESENT).expect("loads");
        let catalog = open_with(directory.path(), source).expect("opens");
        read(&catalog, |reader| {
            assert_eq!(reader.key_slots()?.len(), 3);
            let lake = reader.connection("lake")?.expect("is there");
            let secrets = reader.secrets_of(&lake)?;
            assert!(secrets.uri.expose().ends_with("=swordfish"));
            assert!(!secrets.plan.is_empty());
            assert_eq!(reader.connections_after(None, 9)?.len(), 2);
            // Read row by row, each is authentic.
            assert_eq!(reader.audit_after(&Default::default(), None, 99)?.len(), 10);
            reader.authentic_rows()?;
            Ok(())
        })
        .expect("reads");
    }
}

/// A store that the program before this format wrote, with `9ee7…` in its key file.
const EARLIER: &str = include_str!("store-2.sql");
const EARLIER_KEY: &str = "9ee7ccd986f369268a9e0cb28f349731b893ea38a6128f108cffd272f3b3ae01";

fn earlier(directory: &Path) {
    raw(directory).execute_batch(EARLIER).expect("loads");
}

#[test]
fn a_store_of_the_version_before_is_brought_up_with_all_it_holds() {
    let directory = tempfile::tempdir().expect("a directory");
    earlier(directory.path());
    let source = KeySource::Text(SecretText::from(EARLIER_KEY));
    let catalog = open_with(directory.path(), source.clone()).expect("is brought up");
    read(&catalog, |reader| {
        let slots = reader.key_slots()?;
        assert_eq!(slots.len(), 1);
        assert_eq!(slots[0].to_string(), "key slot 1 (key-file)");
        let lake = reader.connection("lake")?.expect("is there");
        let secrets = reader.secrets_of(&lake)?;
        assert!(
            secrets
                .uri
                .expose()
                .ends_with("SECRET_ACCESS_KEY=swordfish")
        );
        assert_eq!(reader.connections_after(None, 9)?.len(), 2);
        assert_eq!(reader.memberships()?.len(), 2);
        assert_eq!(reader.audit_after(&Default::default(), None, 99)?.len(), 8);
        assert_eq!(reader.revision()?, 9);
        reader.authentic_rows()?;
        Ok(())
    })
    .expect("reads");
    rotate(&catalog);
    opens(directory.path(), &source);
}

#[test]
fn a_store_of_the_version_before_stays_as_it_is_without_its_key() {
    let directory = tempfile::tempdir().expect("a directory");
    earlier(directory.path());
    let other = KeySource::Text(SecretText::new("5a".repeat(32)));
    let error = open_with(directory.path(), other).expect_err("is another key");
    assert!(
        error.to_string().contains("key slot 1 (key-file)"),
        "{error}"
    );
    let error = open(directory.path()).expect_err("has no key file");
    assert!(error.to_string().contains("is missing"), "{error}");
    let version: u32 = raw(directory.path())
        .query_row("SELECT max(version) FROM migrations", [], |row| row.get(0))
        .expect("reads");
    assert_eq!(version, 2);
    assert_eq!(
        salvage(&database(directory.path()))
            .expect("reads")
            .connections
            .len(),
        2
    );
    raw(directory.path())
        .execute("UPDATE store SET revision = 8", [])
        .expect("changes");
    let source = KeySource::Text(SecretText::from(EARLIER_KEY));
    let error = open_with(directory.path(), source).expect_err("was changed");
    assert_eq!(error.sqlstate(), "XX001", "{error}");
}
