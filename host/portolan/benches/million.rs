//! A catalog with a million connections: one is shown and all are listed, through sessions; one is
//! opened and one more is made, in the catalog alone.
//!
//! The store is made once, in Cargo's directory for temporary files, and used again. Set
//! `PORTOLAN_BENCH_CONNECTIONS` for another number.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a bench that cannot be set up fails, and says what it does"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use futures::StreamExt;
use portolan::catalog::{
    AuditObject, AuditOutcome, AuditRecord, Catalog, CatalogError, CatalogHandle, Connection,
    ConnectionGrant, ConnectionPrivilege, ConnectionSecrets, ConnectionTarget, KeySource,
    NewConnection, SqliteCatalog, SqliteOptions, Writer, model,
};
use portolan::{Host, Principal, Rows, Session};
use portolan_figures::{Figure, Quantity};
use portolan_secret::{SecretBytes, SecretText};
use tokio::runtime::Runtime;

/// Connections per transaction while the store is filled.
const BATCH: usize = 20_000;

/// Rows of a list between two looks at the memory.
const PAGE: usize = 1_000;

/// The most memory that a list of any length may take, in bytes: a page and what SQLite keeps of
/// its file. All the rows at once would take a hundred times as much.
const MOST_MEMORY: usize = 4 << 20;

fn new_connection(name: &str) -> NewConnection {
    NewConnection {
        name: name.to_owned(),
        owner: "alice".to_owned(),
        comment: None,
        target: ConnectionTarget {
            connection_type: "STORAGE".to_owned(),
            provider: "nodelocal".to_owned(),
            provider_version: "0.1.0".to_owned(),
            redacted_uri: format!("nodelocal://1/backups/{name}"),
            implicit_access: true,
            plan_format: 1,
            secrets: ConnectionSecrets {
                uri: SecretText::new(format!("nodelocal://1/backups/{name}")),
                plan: SecretBytes::new(vec![b'p'; 300]),
            },
        },
    }
}

/// What CREATE EXTERNAL CONNECTION writes: connection, its creator's privileges, audit record.
fn create(writer: &mut dyn Writer, name: &str) -> Result<Connection, CatalogError> {
    let made = writer.insert_connection(&new_connection(name))?;
    writer.put_connection_grant(&ConnectionGrant {
        connection: made.id,
        grantee: "alice".to_owned(),
        privilege: ConnectionPrivilege::All,
        grantable: false,
    })?;
    writer.append_audit(&AuditRecord {
        time: model::now(),
        principal: "alice".to_owned(),
        on_behalf_of: None,
        client_address: None,
        request_id: None,
        action: "CREATE EXTERNAL CONNECTION".to_owned(),
        object: Some(AuditObject::connection(name)),
        statement: Some(format!("CREATE EXTERNAL CONNECTION {name} AS '…'")),
        outcome: AuditOutcome::Ok,
        detail: None,
    })?;
    Ok(made)
}

fn open(path: &Path) -> SqliteCatalog {
    SqliteCatalog::open(SqliteOptions {
        path: path.to_owned(),
        key: KeySource::File(path.with_extension("key")),
    })
    .expect("opens")
}

/// A store with `count` connections, and the path of its file.
fn store_with(count: usize) -> (SqliteCatalog, PathBuf) {
    let path =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{count}-connections/catalog.db"));
    let catalog = open(&path);
    let last = format!("connection-{:07}", count - 1);
    let mut is_filled = false;
    catalog
        .read(&mut |reader| {
            is_filled = reader.connection(&last)?.is_some();
            Ok(())
        })
        .expect("reads");
    if !is_filled {
        let start = Instant::now();
        for batch in (0..count).step_by(BATCH) {
            catalog
                .write(&mut |writer| {
                    (batch..(batch + BATCH).min(count)).try_for_each(|number| {
                        create(writer, &format!("connection-{number:07}")).map(drop)
                    })
                })
                .expect("fills");
        }
        eprintln!("made {count} connections in {:?}", start.elapsed());
    }
    (catalog, path)
}

/// A host over a store of its own handle, as another process has one.
fn host(runtime: &Runtime, path: &Path) -> Host {
    let catalog = CatalogHandle::new(Arc::new(open(path)), runtime.handle().clone());
    let host = Host::builder()
        .catalog(catalog)
        .runtime(runtime.handle().clone());
    runtime.block_on(host.build()).expect("a host")
}

/// The rows that a statement of `session` gives.
async fn rows(session: &Session, sql: &str) -> Rows {
    let outcome = session.execute(sql, &[]).await.expect("runs");
    outcome.into_rows().expect("rows")
}

/// How many connections SHOW lists.
async fn list(session: &Session) -> usize {
    let mut rows = rows(session, "SHOW EXTERNAL CONNECTIONS").await;
    let mut shown = 0;
    while let Some(row) = rows.next().await {
        row.expect("a row");
        shown += 1;
    }
    shown
}

/// Memory of this process that is in RAM and its own, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}

fn benches(criterion: &mut Criterion) {
    let count = std::env::var("PORTOLAN_BENCH_CONNECTIONS")
        .map_or(1_000_000, |count| count.parse().expect("a number"));
    let (catalog, path) = store_with(count);
    let runtime = Runtime::new().expect("a runtime");
    let host = host(&runtime, &path);
    let [alice, root, stranger] =
        ["alice", "root", "stranger"].map(|name| host.session(Principal::new(name)));
    let mut group = criterion.benchmark_group("million");

    let mut at = 0;
    let mut any_name = || {
        at = (at + 777_767) % count;
        format!("connection-{at:07}")
    };
    group.bench_function("show one", |bencher| {
        bencher.iter_batched(
            &mut any_name,
            |name| {
                runtime.block_on(async {
                    let sql = format!("SHOW EXTERNAL CONNECTION \"{name}\"");
                    let shown = rows(&alice, &sql).await.collect_all().await.expect("rows");
                    assert_eq!(shown.len(), 1);
                });
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("open one with its secrets", |bencher| {
        bencher.iter_batched(
            &mut any_name,
            |name| {
                catalog.read(&mut |reader| {
                    let connection = reader.connection(&name)?.expect("is there");
                    reader.secrets_of(&connection).map(drop)
                })
            },
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("open the store and show one", |bencher| {
        bencher.iter_batched(
            &mut any_name,
            |name| open(&path).read(&mut |reader| reader.connection(&name).map(drop)),
            criterion::BatchSize::SmallInput,
        );
    });

    let mut number = 0_u64;
    let run = std::process::id();
    group.sample_size(50);
    group.bench_function("create one, durable", |bencher| {
        bencher.iter(|| {
            number += 1;
            let name = format!("extra-{run}-{number}");
            catalog.write(&mut |writer| create(writer, &name).map(drop))
        });
    });

    group.sample_size(10);
    group.bench_function("list all to a user who is not their owner", |bencher| {
        bencher.iter(|| assert_eq!(runtime.block_on(list(&stranger)), 0));
    });
    group.bench_function("list all to an admin", |bencher| {
        bencher.iter(|| assert!(runtime.block_on(list(&root)) >= count));
    });
    group.finish();
    runtime.block_on(listing_holds_nothing(&root, &path, count));
}

/// Lists all once more and looks, after every page or so, at how much memory there is more than after
/// the first. In the midst of it somebody else writes, who would wait if the list held a lock.
async fn listing_holds_nothing(root: &Session, path: &Path, count: usize) {
    let other = open(path);
    let (mut first, mut peak) = (None, 0);
    let mut committed = None;
    let mut rows = rows(root, "SHOW EXTERNAL CONNECTIONS").await;
    let mut listed = 0;
    while let Some(row) = rows.next().await {
        row.expect("a row");
        listed += 1;
        if listed % PAGE == 0 {
            let now = resident();
            peak = peak.max(now.saturating_sub(*first.get_or_insert(now)));
        }
        if listed == count / 2 {
            let start = Instant::now();
            let name = format!("between-{}", std::process::id());
            other
                .write(&mut |writer| create(writer, &name).map(drop))
                .expect("nobody holds a lock");
            committed = Some(start.elapsed());
        }
    }
    assert!(listed >= count, "{listed}");
    let memory = Figure::new(
        format!("memory that listing {count} connections takes"),
        Quantity::bytes(peak * 1024),
        Quantity::bytes(MOST_MEMORY),
    );
    let commit = Figure::new(
        format!("commit while {count} connections are listed"),
        committed.expect("half the rows came"),
        Quantity::from(Duration::from_millis(100)),
    );
    for figure in [memory, commit] {
        println!("{figure}");
        assert!(figure.holds(), "{figure}");
    }
}

criterion_group!(million, benches);
criterion_main!(million);
