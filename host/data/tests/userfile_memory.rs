//! How much memory a large user file takes: a process of its own, where nothing else takes any.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_catalog::SqliteUserFiles;
use portolan_data::UserfileStore;

const MIB: usize = 1 << 20;

/// Bytes that differ from place to place, so that a mix-up shows.
fn pattern(from: usize, length: usize) -> Bytes {
    (from..from + length)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect::<Vec<_>>()
        .into()
}

/// How much memory the process holds, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("reads");
    let pages: usize = status
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("a number");
    pages * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_200_mib_needs_little_memory_in_both_directions() {
    const PART: usize = 8 * MIB;
    let directory = tempfile::tempdir().expect("a directory");
    let files = SqliteUserFiles::new(directory.path().join("userfiles.db"));
    let store = UserfileStore::new(Arc::new(files), "a.b.c");
    let name = Path::from("large");
    let before = resident();
    let mut most = before;
    let mut upload = store.put_multipart(&name).await.expect("start");
    for part in 0..25 {
        let part = pattern(part * PART, PART);
        upload.put_part(part.into()).await.expect("part");
        most = most.max(resident());
    }
    let seen = store.head(&name).await;
    assert!(seen.is_err(), "nothing is seen before the end");
    upload.complete().await.expect("complete");
    let mut chunks = store.get(&name).await.expect("get").into_stream();
    let mut at = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.expect("a chunk");
        assert!(chunk.len() <= MIB);
        assert!(chunk == pattern(at, chunk.len()), "at {at}");
        at += chunk.len();
        most = most.max(resident());
    }
    assert_eq!(at, 25 * PART);
    let grown = (most - before) / MIB;
    assert!(grown < 96, "the process grew by {grown} MiB");
}
