//! Servers that are slow, lie, break off or do not end.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use portolan_contract::FailureClass;
use portolan_servers::answer;

use super::server::*;

const BROKEN: &str = "storage.googleapis.com closed the connection before its answer was complete";

fn object() -> Path {
    Path::from("one")
}

/// The head of an answer with an object of this size.
fn head(size: usize) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: \"e\"\r\nx-goog-generation: 1\r\n\
         Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
    )
}

/// Says nothing more, until the client has gone or the test is over.
fn keep_silent() {
    std::thread::sleep(Duration::from_secs(20));
}

#[tokio::test]
async fn a_server_that_is_busy_twice_is_asked_a_third_time() {
    let server = answering(|number, _| match number {
        0 => refusal(503, "ServiceUnavailable"),
        1 => refusal(429, "SlowDown"),
        _ => answer(200, &[("etag", "\"e\"")], ""),
    });
    server
        .store
        .put(&object(), "content".into())
        .await
        .expect("put");
    assert_eq!(server.asked(), 3);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_asked_four_times_and_no_more() {
    let server = answering(|_, _| refusal(429, "SlowDown"));
    let error = server.store.put(&object(), "content".into()).await;
    expect(
        &failure(&error.expect_err("busy")),
        "08001",
        "Google Cloud Storage takes no more requests for now (SlowDown)",
        "do less at a time, or ask for a higher limit",
    );
    assert_eq!(server.asked(), 4);
}

#[tokio::test]
async fn a_condition_is_not_tried_again_where_nobody_knows_whether_it_was_done() {
    let server = answering(|_, _| refusal(500, "InternalError"));
    let create = PutOptions::from(PutMode::Create);
    let error = server
        .store
        .put_opts(&object(), "content".into(), create)
        .await;
    expect(
        &failure(&error.expect_err("broken")),
        "08001",
        "Google Cloud Storage failed with status 500 (InternalError)",
        "try again later, and look at the state of Google Cloud Storage",
    );
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn a_server_that_answers_nothing_is_left_after_a_while() {
    let (_server, store) = raw(|_, _| keep_silent());
    let error = store.head(&object()).await.expect_err("silence");
    expect(
        &failure(&error),
        "57014",
        "storage.googleapis.com did not answer within 2 s",
        "see whether the server is slow or overloaded, and try again",
    );
}

#[tokio::test]
async fn an_object_that_is_shorter_than_announced_is_an_error() {
    let (server, store) = raw(|stream, _| {
        let _ = stream.write_all(head(1_000_000).as_bytes());
        let _ = stream.write_all(&[b'x'; 1000]);
    });
    let got = store.get(&object()).await.expect("a head");
    let error = got.bytes().await.expect_err("not the whole");
    expect(
        &failure(&error),
        "08P01",
        BROKEN,
        "try again; if it stays so, look at the server's log",
    );
    assert!(server.taken() >= 2, "the rest was asked for");
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (server, store) = raw(|stream, asked| {
        let asked = asked.to_ascii_lowercase();
        let rest = asked.contains("range: bytes=300000-999999\r\n");
        let _ = match rest && asked.contains("if-match: \"e\"\r\n") {
            true => {
                let range = "206 Partial Content\r\nContent-Range: bytes 300000-999999/1000000";
                let head = head(700_000).replace("200 OK", range);
                let _ = stream.write_all(head.as_bytes());
                stream.write_all(&[b'b'; 700_000])
            }
            false => {
                let _ = stream.write_all(head(1_000_000).as_bytes());
                stream.write_all(&[b'a'; 300_000])
            }
        };
    });
    let got = store.get(&object()).await.expect("get").bytes().await;
    let got = got.expect("the whole");
    assert_eq!(got.len(), 1_000_000);
    assert!(got[..300_000].iter().all(|byte| *byte == b'a'));
    assert!(got[300_000..].iter().all(|byte| *byte == b'b'));
    assert_eq!(server.taken(), 2);
}

#[tokio::test]
async fn an_object_that_changed_meanwhile_does_not_go_on() {
    let (_server, store) = raw(|stream, asked| {
        let again = asked.to_ascii_lowercase().contains("range: bytes=300000-");
        let _ = match again {
            true => {
                let range = "206 Partial Content\r\nContent-Range: bytes 300000-999999/1000000";
                let head = head(700_000).replace("200 OK", range);
                // It does not heed the condition, and tells of another object.
                let _ = stream.write_all(head.replace("\"e\"", "\"f\"").as_bytes());
                stream.write_all(&[b'b'; 700_000])
            }
            false => {
                let _ = stream.write_all(head(1_000_000).as_bytes());
                stream.write_all(&[b'a'; 300_000])
            }
        };
    });
    let got = store.get(&object()).await.expect("get");
    let read = got.bytes().await.map(|bytes| bytes.len());
    assert_eq!(failure(&read.expect_err("another object")).message, BROKEN);
}

#[tokio::test]
async fn an_object_of_which_a_byte_comes_now_and_then_is_left_after_a_while() {
    let (_server, store) = raw(|stream, _| {
        let mut written = stream.write_all(head(1_000_000).as_bytes());
        while written.is_ok() {
            std::thread::sleep(Duration::from_millis(100));
            written = stream.write_all(b"x").and_then(|()| stream.flush());
        }
    });
    let got = store.get(&object()).await.expect("a head");
    expect(
        &failure(&got.bytes().await.expect_err("next to nothing")),
        "57014",
        "storage.googleapis.com did not answer within 2 s",
        "see whether the server is slow or overloaded, and try again",
    );
}

#[tokio::test]
async fn a_list_that_breaks_off_is_an_error_and_no_shorter_list() {
    let (server, store) = raw(|stream, _| {
        let page = "<ListBucketResult><Name>b</Name><Contents><Key>in/the harbour/a</Key>\
                    <LastModified>2026-01-01T00:00:00Z</LastModified><ETag>e</ETag>\
                    <Size>1</Size></Contents></ListBucketResult>";
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n";
        let _ = stream.write_all(format!("{head}{page}").as_bytes());
    });
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    expect(
        &failure(&listed.expect_err("a part")),
        "08P01",
        BROKEN,
        "try again; if it stays so, look at the server's log",
    );
    assert_eq!(server.taken(), 4, "a list is asked for again");
}

#[tokio::test]
async fn an_object_that_stops_in_the_middle_is_left_after_a_while() {
    let (_server, store) = raw(|stream, _| {
        let _ = stream.write_all(head(1_000_000).as_bytes());
        let _ = stream.write_all(b"beginning");
        let _ = stream.flush();
        keep_silent();
    });
    let got = store.get(&object()).await.expect("a head");
    let failure = failure(&got.bytes().await.expect_err("silence"));
    assert_eq!(failure.class, FailureClass::Timeout);
}

#[tokio::test]
async fn more_than_was_announced_is_no_part_of_the_object() {
    let (_server, store) = raw(|stream, _| {
        let _ = stream.write_all(head(4).as_bytes());
        let _ = stream.write_all(b"want and more");
    });
    let got = store.get(&object()).await.expect("a head").bytes().await;
    assert_eq!(got.expect("bytes"), "want");
}

#[tokio::test]
async fn an_object_without_a_date_is_an_answer_that_cannot_be_read() {
    let (_server, store) = raw(|stream, _| {
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nwant");
    });
    let failure = failure(&store.get(&object()).await.expect_err("no date"));
    assert_eq!(failure.message, "an answer of the service cannot be read");
}

#[tokio::test]
async fn a_server_that_dies_while_it_is_sent_an_object_is_told() {
    let (_server, store) = raw(|_, _| {});
    let error = store.put(&object(), vec![1; 20 << 20].into()).await;
    expect(
        &failure(&error.expect_err("dead")),
        "08P01",
        BROKEN,
        "try again; if it stays so, look at the server's log",
    );
}

#[tokio::test]
async fn a_part_that_is_lost_fails_the_upload_which_can_then_be_given_up() {
    let server = answering(|_, request| match request.method().as_str() {
        "POST" => answer(
            200,
            &[],
            "<InitiateMultipartUploadResult><UploadId>u</UploadId>\
             </InitiateMultipartUploadResult>",
        ),
        "DELETE" => answer(204, &[], ""),
        _ => refusal(403, "AccessDenied"),
    });
    let started = server.store.put_multipart(&object()).await;
    let mut upload = started.expect("started");
    let error = upload.put_part("content".into()).await;
    assert_eq!(
        failure(&error.expect_err("denied")).class,
        FailureClass::Denied
    );
    upload.abort().await.expect("given up");
}

#[tokio::test]
async fn a_list_that_does_not_end_is_cut_off() {
    let (_server, store) = raw(|stream, _| {
        let begin = "HTTP/1.1 200 OK\r\n\r\n<ListBucketResult><Name>b</Name>";
        let contents = "<Contents><Key>k</Key></Contents>".repeat(2000);
        let mut written = stream.write_all(begin.as_bytes());
        while written.is_ok() {
            written = stream.write_all(contents.as_bytes());
        }
    });
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    expect(
        &failure(&listed.expect_err("endless")),
        "53200",
        "storage.googleapis.com sent an answer of more than 33554432 bytes",
        "check that the server is the one that is meant",
    );
}

#[tokio::test]
async fn names_beside_the_connections_prefix_are_not_listed() {
    for name in [
        "elsewhere/one",
        "in/the harbour2/one",
        "in/the harbour/../one",
    ] {
        let server = answering(move |_, _| {
            let page = format!(
                "<ListBucketResult><Name>b</Name><Contents><Key>{name}</Key>\
                 <LastModified>2026-01-01T00:00:00Z</LastModified><ETag>e</ETag><Size>1</Size>\
                 </Contents></ListBucketResult>"
            );
            answer(200, &[], page)
        });
        let listed: Result<Vec<_>, _> = server.store.list(None).try_collect().await;
        let failure = failure(&listed.expect_err(name));
        assert!(
            matches!(
                failure.class,
                FailureClass::Protocol | FailureClass::InvalidUri
            ),
            "{failure:?}"
        );
        server
            .store
            .list_with_delimiter(None)
            .await
            .expect_err(name);
    }
}

#[tokio::test]
async fn pages_that_do_not_end_are_listed_as_far_as_the_caller_asks() {
    use futures::StreamExt;
    let server = answering(|number, _| {
        let page = format!(
            "<ListBucketResult><Name>b</Name><Contents><Key>in/the harbour/{number}</Key>\
             <LastModified>2026-01-01T00:00:00Z</LastModified><ETag>\"e\"</ETag><Size>1</Size>\
             </Contents><NextContinuationToken>again</NextContinuationToken></ListBucketResult>"
        );
        answer(200, &[], page)
    });
    let listed: Vec<_> = server.store.list(None).take(5).collect().await;
    assert!(listed.iter().all(Result::is_ok));
    assert!((5..8).contains(&server.asked()), "{}", server.asked());
}

#[tokio::test]
async fn an_error_that_does_not_end_is_read_so_far_and_no_further() {
    let (_server, store) = raw(|stream, _| {
        let mut written = stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n");
        while written.is_ok() {
            written = stream.write_all(&[b'<'; 0x400]);
        }
    });
    let began = Instant::now();
    let failure = failure(&store.get(&object()).await.expect_err("refused"));
    assert_eq!(
        failure.message,
        "what answers at storage.googleapis.com is not Google Cloud Storage"
    );
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_server_that_is_gone_refuses_the_connection() {
    let (server, store) = raw(|_, _| {});
    drop(server);
    expect(
        &failure(&store.head(&object()).await.expect_err("nobody")),
        "08001",
        "storage.googleapis.com:443 refused the connection",
        "check the port, and that the server is running",
    );
}
