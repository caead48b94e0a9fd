//! A long list is streamed: in constant memory, and with no lock held while it is read.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use futures::StreamExt;
use portolan::Principal;
use portolan::catalog::{CatalogError, ConnectionSecrets, ConnectionTarget, NewConnection, Writer};
use portolan_secret::{SecretBytes, SecretText};
use support::{World, run};

const CONNECTIONS: usize = 20_000;

/// The most memory that the list may take, in KiB; all its rows take five times as much.
const MOST_MEMORY: usize = 2 << 10;

fn connection(number: usize) -> NewConnection {
    let name = format!("connection-{number:06}");
    NewConnection {
        owner: "root".to_owned(),
        comment: None,
        target: ConnectionTarget {
            connection_type: "STORAGE".to_owned(),
            provider: "nodelocal".to_owned(),
            provider_version: "0.1.0".to_owned(),
            redacted_uri: format!("nodelocal://1/{}/{name}", "x".repeat(400)),
            implicit_access: true,
            plan_format: 1,
            secrets: ConnectionSecrets {
                uri: SecretText::new("nodelocal://1/x"),
                plan: SecretBytes::new(*b"plan"),
            },
        },
        name,
    }
}

/// Memory of this process that is in RAM and its own, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the state of this process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let line = line.expect("a line about memory");
    line.trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_takes_no_memory_and_keeps_no_writer_waiting() {
    let world = World::new().await;
    world
        .catalog
        .write::<_, CatalogError, _>(|writer: &mut dyn Writer| {
            (0..CONNECTIONS)
                .try_for_each(|number| writer.insert_connection(&connection(number)).map(drop))
        })
        .await
        .expect("filled");
    // A host of its own over the same files, as in another process.
    let other = world.another().await;
    let writer = other.session(Principal::new("root"));
    run(&writer, "CREATE USER warm").await;

    let root = world.root();
    let outcome = run(&root, "SHOW EXTERNAL CONNECTIONS").await;
    let mut rows = outcome.into_rows().expect("rows");
    let (mut listed, mut first, mut peak) = (0, 0, 0);
    while let Some(row) = rows.next().await {
        assert_eq!(row.expect("a row").len(), 3);
        listed += 1;
        // What the first pages leave in caches is not the list's.
        if listed == CONNECTIONS / 4 {
            first = resident();
        }
        if listed % 1_000 == 0 {
            peak = peak.max(resident());
        }
        if listed == CONNECTIONS / 2 {
            let since = Instant::now();
            run(&writer, "CREATE USER meanwhile").await;
            let waited = since.elapsed();
            assert!(waited < Duration::from_secs(2), "{waited:?}");
        }
    }
    assert_eq!(listed, CONNECTIONS);
    let took = peak.saturating_sub(first);
    assert!(took <= MOST_MEMORY, "{took} KiB");
}
