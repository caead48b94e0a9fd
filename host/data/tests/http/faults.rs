//! Servers that are slow, lie, break off or do not end.

use std::io::Write;
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use portolan_contract::FailureClass;
use portolan_egress::EgressOptions;
use portolan_servers::RawServer;

use super::server::*;

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
async fn a_server_that_answers_nothing_is_left_after_a_while() {
    let server = silent_after("");
    let began = Instant::now();
    let error = store_at(server.address()).head(&object()).await;
    expect(
        &failure(&error.expect_err("silence")),
        "57014",
        "files.example did not answer within 2 s",
        "see whether the server is slow or overloaded, and try again",
    );
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn an_object_that_stops_in_the_middle_is_left_after_a_while() {
    let server = silent_after("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbeginning");
    let got = store_at(server.address()).get(&object()).await;
    let error = got.expect("a head").bytes().await.expect_err("silence");
    assert_eq!(failure(&error).class, FailureClass::Timeout);
}

#[tokio::test]
async fn an_object_that_is_shorter_than_announced_is_an_error() {
    let server = RawServer::writing("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbeginning");
    let got = store_at(server.address()).get(&object()).await;
    let error = got.expect("a head").bytes().await.expect_err("not whole");
    expect(
        &failure(&error),
        "08P01",
        "files.example closed the connection before its answer was complete",
        "try again; if it stays so, look at the server's log",
    );
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was_if_the_object_is_the_same() {
    for (tag, whole) in [("\"one\"", true), ("\"two\"", false)] {
        let server = RawServer::start(move |stream, head| {
            let head = head.to_ascii_lowercase();
            let answer = match head.contains("range: bytes=4-6") {
                false => {
                    "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nContent-Length: 7\r\n\r\ncont".to_owned()
                }
                true => format!(
                    "HTTP/1.1 206 Partial\r\nETag: {tag}\r\nContent-Range: bytes 4-6/7\r\n\
                     Content-Length: 3\r\n\r\nent"
                ),
            };
            let _ = stream.write_all(answer.as_bytes());
        });
        let got = store_at(server.address()).get(&object()).await;
        match got.expect("a head").bytes().await {
            Ok(bytes) => assert!(whole && bytes == "content", "{tag}: {bytes:?}"),
            Err(error) => {
                assert!(!whole, "{tag}: {error}");
                assert_eq!(failure(&error).class, FailureClass::Protocol);
            }
        }
    }
}

#[tokio::test]
async fn more_than_was_announced_is_no_part_of_the_object() {
    let server = RawServer::writing("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwant and more");
    let got = store_at(server.address()).get(&object()).await;
    let got = got.expect("a head").bytes().await;
    assert_eq!(got.expect("bytes"), "want");
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

#[tokio::test]
async fn a_refusal_that_does_not_end_is_read_so_far_and_no_further() {
    let server = RawServer::start(|stream, _| {
        let head = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut alive = stream.write_all(head).is_ok();
        while alive {
            alive = stream.write_all(b"7\r\nhunter2\r\n").is_ok();
        }
    });
    let error = store_at(server.address()).get(&object()).await;
    expect(
        &failure(&error.expect_err("refused")),
        "42501",
        "the server does not allow GET",
        "let the server allow the method there for the connection's user",
    );
}

#[tokio::test]
async fn a_list_that_does_not_end_is_cut_off() {
    let server = RawServer::start(|stream, _| {
        let head = b"HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n";
        let entry = "<response><href>/x</href></response>".repeat(1000);
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
        "files.example sent an answer of more than 33554432 bytes",
        "check that the server is the one that is meant",
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
