//! How much memory a large object takes on its way: a process of its own, where nothing else takes
//! any, and servers that are other processes.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "common/cloud.rs"]
mod cloud;

use std::sync::Arc;

use bytes::Bytes;
use cloud::{PREFIX, Planned, ways};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan_servers::{AZURITE_ACCOUNT, Authority, Azurite, Nginx};

const MIB: usize = 1 << 20;
const PART: usize = 8 * MIB;
const PARTS: usize = 32;

/// How much memory the process holds, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("reads");
    let pages = status.split_whitespace().nth(1);
    pages.expect("a figure").parse::<usize>().expect("a number") * 4096
}

/// Writes an object in parts and reads it back; gives the most memory that was held meanwhile.
async fn there_and_back(store: Arc<dyn ObjectStore>) -> usize {
    let name = Path::from("large");
    let mut most = resident();
    let mut upload = store.put_multipart(&name).await.expect("begun");
    for number in 0..PARTS {
        let part = Bytes::from(vec![number as u8; PART]);
        upload.put_part(part.into()).await.expect("a part");
        most = most.max(resident());
    }
    upload.complete().await.expect("completed");
    let mut content = store.get(&name).await.expect("get").into_stream();
    let mut read = 0;
    while let Some(piece) = content.next().await {
        for byte in piece.expect("a piece") {
            assert_eq!(byte, (read / PART) as u8, "at {read}");
            read += 1;
        }
        most = most.max(resident());
    }
    assert_eq!(read, PARTS * PART);
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_256_mib_needs_little_memory_to_and_from_nginx_and_azurite() {
    let authority = Authority::new("of the servers");
    let nginx = Nginx::start(&authority, &["files.example"], &authority);
    let host = "portolantest.blob.core.windows.net";
    let azurite = Azurite::start(&authority, &[host]);
    azurite.make_container("harbour");
    let options = ways(
        &authority.pem(),
        &[
            ("files.example:443", nginx.encrypted()),
            ("portolantest.blob.core.windows.net:443", azurite.address()),
        ],
    );
    let files = Planned {
        backend: "http",
        container: "",
        prefix: PREFIX,
        endpoints: vec![("files.example", 443, true)],
        settings: Vec::new(),
        secrets: Vec::new(),
    };
    let blobs = Planned {
        backend: "azure",
        container: "harbour",
        endpoints: vec![(host, 443, true)],
        settings: vec![("account", AZURITE_ACCOUNT)],
        secrets: vec![("account-key", azurite.key().to_owned())],
        ..files.clone()
    };
    for planned in [files, blobs] {
        let before = resident();
        let most = there_and_back(planned.store(options.clone())).await;
        let grown = most.saturating_sub(before) / MIB;
        assert!(grown < 96, "{}: {grown} MiB more", planned.backend);
    }
}
