//! What a statement and a handle cost in the library.
//!
//! CREATE is durable: it waits for the disk that the temporary directory lies on (`TMPDIR` chooses
//! another). Transfers go in turns through the handle that `open` gives and through the same local
//! store called directly.

#![allow(
    missing_docs,
    reason = "Criterion's macros make undocumented functions"
)]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures are its output"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{Host, Operation, Principal, Session};
use portolan_data::NodelocalStore;
use portolan_figures::{Figure, Quantity, median, median_ratio};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const MIB: usize = 1 << 20;
const SIZE: usize = 256 * MIB;

fn session(runtime: &Runtime, directory: &TempDir) -> Session {
    let files = directory.path().join("extern");
    std::fs::create_dir(&files).expect("a directory");
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: directory.path().join("catalog.sqlite"),
        key: KeySource::File(directory.path().join("master.key")),
    })
    .expect("a catalog");
    let catalog = CatalogHandle::new(Arc::new(catalog), runtime.handle().clone());
    let host = Host::builder()
        .catalog(catalog)
        .runtime(runtime.handle().clone())
        .external_io_dir(files)
        .build();
    let host = runtime.block_on(host).expect("a host");
    host.session(Principal::new("root"))
}

async fn create(root: &Session, name: &str) {
    let sql =
        format!("CREATE EXTERNAL CONNECTION {name} AS 'nodelocal://1/' WITH VALIDATE = 'none'");
    root.execute(&sql, &[]).await.expect("made");
}

async fn show(root: &Session, name: &str) {
    let sql = format!("SHOW EXTERNAL CONNECTION {name}");
    let rows = root.execute(&sql, &[]).await.expect("shown").into_rows();
    let rows = rows.expect("rows").collect_all().await.expect("all");
    assert_eq!(rows.len(), 1);
}

fn statements(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = Runtime::new().expect("a runtime");
    let root = session(&runtime, &directory);
    // The first one compiles the provider.
    runtime.block_on(create(&root, "one"));
    let mut made = 0_u64;
    measure(criterion, "CREATE with VALIDATE none", 2, || {
        made += 1;
        runtime.block_on(create(&root, &format!("c{made}")));
    });
    measure(criterion, "SHOW of one of many", 1, || {
        runtime.block_on(show(&root, "one"));
    });
}

/// Measures `work`, and prints its median beside the most milliseconds that it may take.
fn measure(criterion: &mut Criterion, name: &str, most: u64, mut work: impl FnMut()) {
    let mut times = Vec::new();
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let mut all = Duration::ZERO;
            for _ in 0..iterations {
                let began = Instant::now();
                work();
                let took = began.elapsed();
                times.push(took);
                all += took;
            }
            all
        });
    });
    // A filter on the command line may have left it out.
    if !times.is_empty() {
        let target = Duration::from_millis(most);
        println!("{}", Figure::new(name, median(&mut times), target));
    }
}

fn transfers(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = Runtime::new().expect("a runtime");
    let root = session(&runtime, &directory);
    let handle = runtime.block_on(async {
        create(&root, "a").await;
        let opened = root.open("external://a", Operation::Backup).await;
        opened.expect("opened").into_storage().expect("a store")
    });
    let through_handle = handle.object_store();
    let direct = NodelocalStore::open(directory.path().join("extern")).expect("open");
    let stores: [&dyn ObjectStore; 2] = [&*through_handle, &direct];
    let content = Bytes::from((0..SIZE).map(|n| (n % 251) as u8).collect::<Vec<_>>());

    let mut group = criterion.benchmark_group("256 MiB");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(20));
    for what in ["put", "get"] {
        let mut times: [Vec<Duration>; 2] = Default::default();
        group.bench_function(format!("{what} through the handle of open"), |bencher| {
            bencher.iter_custom(|iterations| {
                let mut through = Duration::ZERO;
                for turn in 0..iterations {
                    // Each begins as often as the other.
                    for which in if turn % 2 == 0 { [0, 1] } else { [1, 0] } {
                        let began = Instant::now();
                        runtime.block_on(transfer(what, stores[which], &content));
                        let took = began.elapsed();
                        times[which].push(took);
                        if which == 0 {
                            through += took;
                        }
                    }
                }
                through
            });
        });
        if !times[0].is_empty() {
            let name = format!("{what} of 256 MiB, handle of open against direct");
            let ratio = median_ratio(&times[0], &times[1]);
            println!("{}", Figure::new(name, ratio, Quantity::ratio(1.05)));
        }
    }
    group.finish();
}

async fn transfer(what: &str, store: &dyn ObjectStore, content: &Bytes) {
    let name = Path::from("object");
    if what == "put" {
        let pieces = (0..SIZE / MIB).map(|number| content.slice(number * MIB..(number + 1) * MIB));
        let payload: PutPayload = pieces.collect();
        store.put(&name, payload).await.expect("put");
    } else {
        let content = store.get(&name).await.expect("get").bytes().await;
        assert_eq!(content.expect("bytes").len(), SIZE);
    }
}

criterion_group!(benches, statements, transfers);
criterion_main!(benches);
