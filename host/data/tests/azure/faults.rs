//! Servers that are slow, lie, break off or do not end.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use portolan_contract::FailureClass;
use portolan_servers::{HttpServer, RawServer, answer};

use super::server::*;

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

#[tokio::test]
async fn a_server_that_answers_nothing_is_left_after_a_while() {
    let server = RawServer::start(|stream, _| {
        // Until the client has gone.
        let _ = stream.read(&mut [0]);
    });
    let began = Instant::now();
    let error = store_at(server.address()).head(&object()).await;
    expect(
        &failure(&error.expect_err("silence")),
        "57014",
        "portolantest.blob.core.windows.net did not answer within 2 s",
        "see whether the server is slow or overloaded, and try again",
    );
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn an_object_that_is_shorter_than_announced_is_an_error() {
    let server = RawServer::writing(
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"e\"\r\n\
         Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nbeginning",
    );
    let got = store_at(server.address()).get(&object()).await;
    let error = got.expect("a head").bytes().await.expect_err("not whole");
    expect(
        &failure(&error),
        "08P01",
        "portolantest.blob.core.windows.net closed the connection before its answer was complete",
        "try again; if it stays so, look at the server's log",
    );
}

#[tokio::test]
async fn an_object_that_stops_in_the_middle_is_left_after_a_while() {
    let server = RawServer::start(|stream, _| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"e\"\r\n\
                    Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nbeginning";
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.read(&mut [0]);
    });
    let got = store_at(server.address()).get(&object()).await;
    let error = got.expect("a head").bytes().await.expect_err("silence");
    assert_eq!(failure(&error).class, FailureClass::Timeout);
}

#[tokio::test]
async fn a_server_that_dies_while_it_is_sent_an_object_is_told() {
    let server = RawServer::writing("");
    let store = store_at(server.address());
    let error = store.put(&object(), vec![1; 20 << 20].into()).await;
    expect(
        &failure(&error.expect_err("dead")),
        "08P01",
        "portolantest.blob.core.windows.net closed the connection before its answer was complete",
        "try again; if it stays so, look at the server's log",
    );
}

#[tokio::test]
async fn a_list_that_does_not_end_is_cut_off() {
    let server = RawServer::start(|stream, _| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let entry = "<Blob><Name>k</Name></Blob>".repeat(2000);
        let chunk = format!("{:x}\r\n{entry}\r\n", entry.len());
        let mut alive = stream.write_all(head).is_ok();
        while alive {
            alive = stream.write_all(chunk.as_bytes()).is_ok();
        }
    });
    let listed: Result<Vec<_>, _> = store_at(server.address()).list(None).try_collect().await;
    expect(
        &failure(&listed.expect_err("endless")),
        "53200",
        "portolantest.blob.core.windows.net sent an answer of more than 33554432 bytes",
        "check that the server is the one that is meant",
    );
}
