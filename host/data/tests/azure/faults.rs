//! Servers that are slow, lie, break off or do not end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use object_store::{ObjectStoreExt, PutMode, PutOptions};
use portolan_servers::{HttpServer, RawServer, answer};

use crate::hostile::{Service, hostile_servers};
use crate::server::*;

const SERVICE: Service = Service {
    start: |script| {
        let server = RawServer::start(move |stream, head| script(stream, head));
        let store = store_at(server.address());
        (server, store)
    },
    host: HOST,
    port: 80,
    head: "ETag: \"e\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    list: [
        "200 OK",
        "<EnumerationResults><Blobs>",
        "<Blob><Name>in/the harbour/k</Name></Blob>",
    ],
    refusal: "what answers at portolantest.blob.core.windows.net is not Azure Blob Storage",
    failure: |error| failure(error),
};

hostile_servers!(SERVICE);

/// Answers so many requests with this code before it works.
fn busy(times: usize, status: u16, code: &'static str) -> (HttpServer, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = HttpServer::plain(move |_| {
        let told = match count.fetch_add(1, Ordering::Relaxed) < times {
            true => refusal(status, code),
            false => answer(201, &[("etag", "\"1\""), ("content-length", "0")], ""),
        };
        Box::pin(async move { told })
    });
    (server, asked)
}

#[tokio::test]
async fn a_server_that_is_busy_twice_is_asked_a_third_time() {
    let (server, asked) = busy(2, 503, "ServerBusy");
    let store = store_at(server.address());
    store.put(&object(), "content".into()).await.expect("put");
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_asked_four_times_and_no_more() {
    let (server, asked) = busy(usize::MAX, 503, "ServerBusy");
    let store = store_at(server.address());
    let error = store.put(&object(), "content".into()).await;
    expect(
        &failure(&error.expect_err("busy")),
        "08001",
        "Azure Blob Storage takes no more requests for now (ServerBusy)",
        "do less at a time, or ask for a higher limit",
    );
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_condition_is_not_tried_again_where_nobody_knows_whether_it_was_done() {
    let (server, asked) = busy(usize::MAX, 500, "InternalError");
    let store = store_at(server.address());
    let create = PutOptions::from(PutMode::Create);
    let error = store.put_opts(&object(), "content".into(), create).await;
    expect(
        &failure(&error.expect_err("broken")),
        "08001",
        "Azure Blob Storage failed with status 500 (InternalError)",
        "try again later, and look at the state of Azure Blob Storage",
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
