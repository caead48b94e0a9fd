//! Servers that are slow, lie, break off or do not end.

use std::io::Write;
use std::time::{Duration, Instant};

use object_store::ObjectStoreExt;
use portolan_contract::FailureClass;
use portolan_egress::EgressOptions;
use portolan_servers::RawServer;

use super::hostile::{Service, hostile_servers};
use super::server::*;

const SERVICE: Service = Service {
    start: |script| {
        let server = RawServer::start(move |stream, head| script(stream, head));
        let store = store_at(server.address());
        (server, store)
    },
    host: HOST,
    port: 80,
    head: "ETag: \"e\"\r\n",
    list: [
        "207 Multi-Status",
        "<multistatus xmlns=\"DAV:\">",
        "<response><href>/in/the%20harbour/k</href></response>",
    ],
    refusal: "the server does not allow GET",
    failure: |error| failure(error),
};

hostile_servers!(SERVICE);

const UNREADABLE: (&str, &str, &str) = (
    "08P01",
    "an answer of the service cannot be read",
    "check scheme, host and port: another service may answer there",
);

#[track_caller]
fn expect_unreadable(error: &object_store::Error) {
    expect(&failure(error), UNREADABLE.0, UNREADABLE.1, UNREADABLE.2);
}

/// Writes these bytes, and is silent then.
fn silent_after(bytes: &'static str) -> RawServer {
    RawServer::start(move |stream, _| {
        let _ = stream.write_all(bytes.as_bytes());
        // Until the client has gone.
        let _ = std::io::Read::read(stream, &mut [0]);
    })
}

#[tokio::test]
async fn another_part_than_was_asked_for_is_not_taken() {
    for (answer, class) in [
        (
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/7\r\nContent-Length: 2\r\n\r\nco",
            FailureClass::Protocol,
        ),
        (
            "HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n\r\nco",
            FailureClass::Protocol,
        ),
        (
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes 3-4/7\r\nContent-Length: 7\r\n\r\ncontent",
            FailureClass::Protocol,
        ),
        // A server that knows no ranges.
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncontent",
            FailureClass::Unsupported,
        ),
    ] {
        let server = RawServer::writing(answer);
        let got = store_at(server.address()).get_range(&object(), 3..5).await;
        let told = failure(&got.expect_err("another part"));
        assert_eq!(told.class, class, "{answer}");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_without_a_word_of_it() {
    for answer in [
        // No size.
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nhunter2\r\n0\r\n\r\n",
        // A part that nobody asked for.
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-6/7\r\nContent-Length: 7\r\n\r\nhunter2",
    ] {
        let server = RawServer::writing(answer);
        let got = store_at(server.address()).get(&object()).await;
        expect_unreadable(&got.expect_err("not an object"));
    }
    let server = RawServer::writing("SSH-2.0-hunter2\r\n");
    let got = store_at(server.address()).get(&object()).await;
    assert_eq!(
        failure(&got.expect_err("no HTTP")).class,
        FailureClass::Protocol
    );
}

/// Answers a `HEAD` after this time.
fn answering_after(wait: Duration) -> RawServer {
    RawServer::start(move |stream, _| {
        std::thread::sleep(wait);
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\
                    Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
    })
}

#[tokio::test]
async fn a_connection_waits_as_long_as_its_timeout_says_and_no_longer() {
    // The host itself would wait for 2 s.
    let patient = answering_after(Duration::from_secs(3));
    let store = store_with(patient.address(), &plain().set("timeout", "20s"));
    assert_eq!(store.head(&object()).await.expect("in time").size, 7);
    let error = store_at(patient.address()).head(&object()).await;
    expect(
        &failure(&error.expect_err("the host's own patience")),
        "57014",
        "files.example did not answer within 2 s",
        "see whether the server is slow or overloaded, and try again",
    );
    let began = Instant::now();
    let store = store_with(patient.address(), &plain().set("timeout", "0.3s"));
    let error = store.head(&object()).await.expect_err("too late");
    expect(
        &failure(&error),
        "57014",
        "files.example did not answer within 300 ms",
        "see whether the server is slow or overloaded, and try again",
    );
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_object_that_stops_in_the_middle_is_left_after_the_connections_timeout() {
    let server = silent_after("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbeginning");
    let store = store_with(server.address(), &plain().set("timeout", "250ms"));
    let began = Instant::now();
    let got = store.get(&object()).await.expect("a head");
    let error = got.bytes().await.expect_err("silence");
    assert_eq!(failure(&error).class, FailureClass::Timeout);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_timeout_of_a_plan_that_is_no_duration_is_refused() {
    let built = backends(EgressOptions::default()).build(&plain().set("timeout", "soon").plan());
    let failure = built.expect_err("no duration").failure();
    expect(
        &failure,
        "22023",
        "the connection's timeout cannot be used",
        "give it anew with ALTER EXTERNAL CONNECTION",
    );
}
