//! Moving 256 MiB: through a confined handle, through the local store itself, and through
//! `object_store`'s own file store.
//!
//! The three run in turns, one transfer each, so that what else the machine does meets them
//! alike; Criterion reports the confined one, and the medians and ratios of all are printed after
//! it. Files lie in the system's temporary directory (`TMPDIR` chooses another): on a file system
//! in memory the figures show what the code costs, on a disk mostly the disk.

#![allow(
    missing_docs,
    reason = "Criterion's macros make undocumented functions"
)]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures are its output"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use futures::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use portolan_data::{Confined, NodelocalStore, OpenGate};
use portolan_figures::{Figure, Quantity, median, median_ratio};
use tokio::runtime::Runtime;

const MIB: usize = 1 << 20;
const SIZE: usize = 256 * MIB;

#[derive(Debug, Clone, Copy)]
enum Transfer {
    Put,
    PutInParts,
    GetAsStream,
    GetWhole,
}

impl Transfer {
    fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::PutInParts => "put in parts",
            Self::GetAsStream => "get as a stream",
            Self::GetWhole => "get",
        }
    }

    async fn run(self, store: &dyn ObjectStore, content: &Bytes) {
        let name = Path::from("object");
        match self {
            Self::Put => {
                let payload: PutPayload = pieces(content, MIB).collect();
                store.put(&name, payload).await.expect("put");
            }
            Self::PutInParts => {
                let mut upload = store.put_multipart(&name).await.expect("start");
                for part in pieces(content, 8 * MIB) {
                    upload.put_part(part.into()).await.expect("part");
                }
                upload.complete().await.expect("complete");
            }
            Self::GetAsStream => {
                let mut chunks = store.get(&name).await.expect("get").into_stream();
                let mut size = 0;
                while let Some(chunk) = chunks.next().await {
                    size += chunk.expect("chunk").len();
                }
                assert_eq!(size, SIZE);
            }
            Self::GetWhole => {
                let content = store.get(&name).await.expect("get").bytes().await;
                assert_eq!(content.expect("bytes").len(), SIZE);
            }
        }
    }
}

fn pieces(content: &Bytes, size: usize) -> impl Iterator<Item = Bytes> + '_ {
    (0..content.len() / size).map(move |number| content.slice(number * size..(number + 1) * size))
}

fn transfers(criterion: &mut Criterion) {
    let root = tempfile::tempdir().expect("a directory");
    let nodelocal = Arc::new(NodelocalStore::open(root.path()).expect("open"));
    let below: Arc<dyn ObjectStore> = Arc::<NodelocalStore>::clone(&nodelocal);
    let confined: Confined = Confined::new(below, Path::from("confined"), Arc::new(OpenGate));
    let other = tempfile::tempdir().expect("a directory");
    let theirs = LocalFileSystem::new_with_prefix(other.path())
        .expect("open")
        .with_fsync(true);
    let stores: [(&str, &dyn ObjectStore); 3] = [
        ("confined", &confined),
        ("nodelocal", &*nodelocal),
        ("object_store", &theirs),
    ];
    let runtime = Runtime::new().expect("a runtime");
    let content = Bytes::from((0..SIZE).map(|n| (n % 251) as u8).collect::<Vec<_>>());

    let mut group = criterion.benchmark_group("256 MiB");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(20));
    for transfer in [
        Transfer::Put,
        Transfer::PutInParts,
        Transfer::GetAsStream,
        Transfer::GetWhole,
    ] {
        let times: Mutex<[Vec<Duration>; 3]> = Mutex::default();
        let mut turn = 0;
        group.bench_function(
            format!("{transfer:?} through the confined handle"),
            |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut confined = Duration::ZERO;
                    for _ in 0..iterations {
                        for position in 0..stores.len() {
                            let which = (position + turn) % stores.len();
                            let began = Instant::now();
                            runtime.block_on(transfer.run(stores[which].1, &content));
                            let took = began.elapsed();
                            times.lock().expect("one thread")[which].push(took);
                            if which == 0 {
                                confined += took;
                            }
                        }
                        turn += 1;
                    }
                    confined
                });
            },
        );
        let mut times = times.into_inner().expect("one thread");
        if times.iter().any(Vec::is_empty) {
            // A filter on the command line left this one out.
            continue;
        }
        let ratio = median_ratio(&times[0], &times[1]);
        let medians = times.each_mut().map(|times| median(times));
        for ((name, _), median) in stores.iter().zip(medians) {
            println!(
                "  {transfer:?} {name}: median {:.1} ms, {:.3} of object_store's, {:.3} of nodelocal's",
                median.as_secs_f64() * 1e3,
                median.as_secs_f64() / medians[2].as_secs_f64(),
                median.as_secs_f64() / medians[1].as_secs_f64(),
            );
        }
        let figure = Figure::new(
            format!("{} of 256 MiB, confined against direct", transfer.name()),
            ratio,
            Quantity::ratio(1.05),
        );
        println!("{figure}");
    }
    group.finish();
}

criterion_group!(benches, transfers);
criterion_main!(benches);
