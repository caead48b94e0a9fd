//! Connections to services of every kind, with credentials that are right and with such that are
//! wrong: none of them is told, traced, or kept readable in a file.
//!
//! The servers are those of `tests/servers`: whether a product's own server says more is not proved.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod cases;
mod servers;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cases::Case;
use object_store::ObjectStoreExt;
use portolan::{Message, Operation, Session};
use portolan_secret::{Scrubber, SecretBytes};
use portolan_servers::ServiceAccount;
use servers::Servers;
use support::World;
use support::traces::Traces;

const PLAINTEXT: &[u8] = b"what a data key looks like";

fn escaped(text: &str) -> String {
    let escape = |one: char| match one {
        one if one.is_ascii_alphanumeric() || one == '-' => one.to_string(),
        one => format!("%{:02X}", u32::from(one)),
    };
    text.chars().map(escape).collect()
}

/// The secret with one letter changed, so that nobody takes it and it has the form of the right one.
fn wrong(case: &Case) -> String {
    match case.name {
        // Another account's whole key: a letter of its base64 would be a mistake of the plan.
        "bucket" | "google" => BASE64_STANDARD.encode(ServiceAccount::new("eve@p.iam").json()),
        _ => {
            let (first, rest) = case.secret.split_at(1);
            let other = if first == "a" { "b" } else { "a" };
            format!("{other}{rest}")
        }
    }
}

/// Runs a statement, and adds whatever comes of it to `told`.
async fn run(session: &Session, sql: &str, told: &mut String) -> bool {
    match session.execute(sql, &[]).await {
        Ok(outcome) => {
            told.push_str(&format!("{:?}", outcome.notices));
            if let Some(rows) = outcome.into_rows() {
                let rows = rows.collect_all().await.expect("rows");
                told.push_str(&format!("{rows:?}"));
            }
            true
        }
        Err(error) => {
            told.push_str(&format!("{error:?} {error}"));
            false
        }
    }
}

/// Uses a connection for what it is there for.
async fn used(session: &Session, case: &Case) {
    let url = format!("external://{}", case.name);
    let opened = session.open(&url, case.operation).await.expect("opened");
    match case.operation {
        Operation::EncryptedBackup => {
            let key = opened.into_kms().expect("a key");
            let plaintext = SecretBytes::new(PLAINTEXT.to_vec());
            let encrypted = key.encrypt(&plaintext).await.expect("encrypted");
            assert_eq!(key.decrypt(&encrypted).await.expect("decrypted"), plaintext);
        }
        Operation::Changefeed => {
            let sink = opened.into_sink().expect("a sink");
            sink.emit(vec![Message::new("orders", b"one".to_vec())])
                .await
                .expect("emitted");
            sink.close().await.expect("closed");
        }
        Operation::Replication => {
            let database = opened.into_database().expect("a database");
            let (client, driver) = database.connect().await.expect("connected");
            tokio::spawn(driver);
            client.query("SELECT 1", &[]).await.expect("a row");
        }
        _ => {
            let store = opened.into_storage().expect("a store").object_store();
            let path = "a/file".into();
            store.put(&path, "content".into()).await.expect("written");
            store.get(&path).await.expect("read");
        }
    }
}

/// The bytes of every file below a directory.
fn files(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.extend(std::fs::read(&path).expect("a file")),
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_of_a_service_is_told_traced_or_kept_readable() {
    let traces = Traces::begin();
    let servers = Servers::start();
    let world = World::with(|builder| builder.egress(servers.options())).await;
    let root = world.root();
    let mut told = String::new();
    let mut secrets = vec![String::from_utf8(PLAINTEXT.to_vec()).expect("text")];
    for case in cases::all(&servers) {
        let create = |secret: &str, name: &str| {
            let uri = case.uri.replace("{secret}", &escaped(secret));
            format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = 'full'")
        };
        let wrong = wrong(&case);
        let taken = run(&root, &create(&wrong, "refused"), &mut told).await;
        assert!(!taken, "{}: a wrong secret is taken", case.name);
        let taken = run(&root, &create(&case.secret, case.name), &mut told).await;
        assert!(taken, "{}: {told}", case.name);
        for statement in ["VALIDATE", "SHOW"] {
            let sql = format!("{statement} EXTERNAL CONNECTION {}", case.name);
            assert!(run(&root, &sql, &mut told).await, "{sql}: {told}");
        }
        used(&root, &case).await;
        secrets.extend([case.secret, wrong]);
        secrets.extend(case.more);
    }
    secrets.extend(servers.fetched());
    assert!(run(&root, "SHOW AUDIT", &mut told).await);
    let trail = format!("{:?}", world.audit().await);
    let traced = traces.text();
    for library in ["portolan", "hyper"] {
        assert!(traced.contains(library), "nothing of {library} was traced");
    }
    let kept = files(world.path());
    let kept = String::from_utf8_lossy(&kept);
    let scrubber = Scrubber::new(&secrets);
    // The key file of the store is not one of these secrets, and their sealed forms are none either.
    for (place, text) in [
        ("told", &*told),
        ("trail", &trail),
        ("traced", &traced),
        ("kept", &kept),
    ] {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{place}: a secret");
        }
        let clean = scrubber.scrub(text).expect("long enough");
        // The texts have controls and broken letters of their own, which the scrubber keeps.
        assert!(clean == *text, "{place}: a secret in another form");
    }
    // Google's keys are JSON around a key in PEM, and a part of it is a secret as well.
    let lines: Vec<_> = servers
        .account
        .split("\\n")
        .filter(|line| line.len() > 60)
        .collect();
    assert!(lines.len() > 10, "it is a key");
    for text in [&*told, &trail, &traced, &kept] {
        assert!(
            !lines.iter().any(|line| text.contains(line)),
            "a part of a key"
        );
    }
}
