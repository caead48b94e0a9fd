//! Servers that are slow, lie, break off or do not end.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use http::HeaderValue;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use portolan_contract::FailureClass;

use super::server::*;

fn object() -> Path {
    Path::from("one")
}

/// Answers so many requests with this status before it works.
fn busy(times: usize, status: u16, wait: Option<&'static str>) -> Front {
    Front::answering(move |number, _| {
        (number < times).then(|| {
            let mut answer = refusal(status, "SlowDown", "");
            if let Some(wait) = wait {
                let wait = HeaderValue::from_static(wait);
                answer.headers_mut().insert("retry-after", wait);
            }
            answer
        })
    })
}

#[tokio::test]
async fn a_server_that_is_busy_twice_is_asked_a_third_time() {
    let server = start(busy(2, 503, None)).await;
    let store = server.store(&Planned::default().plan());
    store.put(&object(), "content".into()).await.expect("put");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_wait_that_the_server_asks_for_is_heeded() {
    let server = start(busy(1, 503, Some("1"))).await;
    let store = server.store(&Planned::default().plan());
    let began = Instant::now();
    store.put(&object(), "content".into()).await.expect("put");
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_server_that_stays_busy_is_asked_four_times_and_no_more() {
    let server = start(busy(usize::MAX, 503, None)).await;
    let store = server.store(&Planned::default().plan());
    let error = store.put(&object(), "content".into()).await;
    expect(
        &failure(&error.expect_err("busy")),
        "08001",
        "S3 takes no more requests for now (SlowDown)",
        "do less at a time, or ask for a higher limit",
    );
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_condition_is_not_tried_again_where_nobody_knows_whether_it_was_done() {
    let broken = Front::answering(|_, _| Some(refusal(500, "InternalError", "")));
    let server = start(broken).await;
    let store = server.store(&Planned::default().plan());
    let create = PutOptions::from(PutMode::Create);
    let error = store.put_opts(&object(), "content".into(), create).await;
    expect(
        &failure(&error.expect_err("broken")),
        "08001",
        "S3 failed with status 500 (InternalError)",
        "try again later, and look at the state of S3",
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_answers_nothing_is_left_after_a_while() {
    let server = start_raw(Vec::new(), true).await;
    let store = server.store(&Planned::default().plan());
    let began = Instant::now();
    let error = store.head(&object()).await.expect_err("silence");
    expect(
        &failure(&error),
        "57014",
        "harbour.s3.eu-north-1.amazonaws.com did not answer within 2 s",
        "see whether the server is slow or overloaded, and try again",
    );
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_object_that_breaks_off_or_is_shorter_than_announced_is_an_error() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"e\"\r\n\
                Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";
    let mut bytes = head.as_bytes().to_vec();
    bytes.extend_from_slice(&[b'x'; 1000]);
    let server = start_raw(bytes, false).await;
    let store = server.store(&Planned::default().plan());
    let got = store.get(&object()).await.expect("a head");
    let error = got.bytes().await.expect_err("not the whole");
    expect(
        &failure(&error),
        "08P01",
        "harbour.s3.eu-north-1.amazonaws.com closed the connection before its answer was complete",
        "try again; if it stays so, look at the server's log",
    );
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let content: Vec<u8> = (0..1_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let front = Front {
        cut: Some((1, 300_000)),
        ..Front::open()
    };
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    store
        .put(&object(), content.clone().into())
        .await
        .expect("put");
    let got = store.get(&object()).await.expect("get").bytes().await;
    assert!(got.expect("the whole") == content);
    let seen = server.requests();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2].headers["range"], "bytes=300000-999999");
    assert!(seen[2].headers.contains_key("if-match"));
}

#[tokio::test]
async fn an_object_that_changed_meanwhile_does_not_go_on() {
    let front = Front {
        cut: Some((1, 300_000)),
        ..Front::open()
    };
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    let content = |byte| vec![byte; 1_000_000];
    store.put(&object(), content(1).into()).await.expect("put");
    let got = store.get(&object()).await.expect("get");
    store.put(&object(), content(2).into()).await.expect("put");
    let read = got.bytes().await.map(|bytes| bytes.len());
    let failure = failure(&read.expect_err("another object"));
    assert_eq!(
        failure.message,
        "harbour.s3.eu-north-1.amazonaws.com closed the connection before its answer was complete"
    );
}

#[tokio::test]
async fn a_server_that_dies_while_it_is_sent_an_object_is_told() {
    let server = start_raw(Vec::new(), false).await;
    let store = server.store(&Planned::default().plan());
    let error = store.put(&object(), vec![1; 20 << 20].into()).await;
    expect(
        &failure(&error.expect_err("dead")),
        "08P01",
        "harbour.s3.eu-north-1.amazonaws.com closed the connection before its answer was complete",
        "try again; if it stays so, look at the server's log",
    );
}

#[tokio::test]
async fn an_object_that_stops_in_the_middle_is_left_after_a_while() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"e\"\r\n\r\nbeginning";
    let server = start_raw(head.as_bytes().to_vec(), true).await;
    let store = server.store(&Planned::default().plan());
    let got = store.get(&object()).await.expect("a head");
    let failure = failure(&got.bytes().await.expect_err("silence"));
    assert_eq!(failure.class, FailureClass::Timeout);
}

#[tokio::test]
async fn more_than_was_announced_is_no_part_of_the_object() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nwant and more";
    let server = start_raw(answer.as_bytes().to_vec(), false).await;
    let store = server.store(&Planned::default().plan());
    let got = store.get(&object()).await.expect("a head").bytes().await;
    assert_eq!(got.expect("bytes"), "want");
}

#[tokio::test]
async fn a_list_that_does_not_end_is_cut_off() {
    let endless = Front::answering(|_, _| {
        let contents = "<Contents><Key>k</Key></Contents>".repeat(2000);
        let begin = format!("<ListBucketResult><Name>b</Name>{contents}");
        let pieces =
            futures::stream::iter(std::iter::once(begin).chain(std::iter::repeat(contents)))
                .map(|piece| Ok::<_, std::convert::Infallible>(Frame::data(piece.into())));
        let mut answer = xml(200, String::new());
        *answer.body_mut() = Body::new(BodyExt::map_err(
            StreamBody::new(pieces),
            |never| match never {},
        ));
        Some(answer)
    });
    use futures::StreamExt;
    let server = start(endless).await;
    let store = server.store(&Planned::default().plan());
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    expect(
        &failure(&listed.expect_err("endless")),
        "53200",
        "harbour.s3.eu-north-1.amazonaws.com sent an answer of more than 33554432 bytes",
        "check that the server is the one that is meant",
    );
}

#[tokio::test]
async fn an_error_that_does_not_end_is_read_so_far_and_no_further() {
    let mut bytes = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..1000 {
        bytes.extend_from_slice(b"400\r\n");
        bytes.extend_from_slice(&[b'<'; 0x400]);
        bytes.extend_from_slice(b"\r\n");
    }
    let server = start_raw(bytes, true).await;
    let store = server.store(&Planned::default().plan());
    let began = Instant::now();
    let failure = failure(&store.get(&object()).await.expect_err("refused"));
    assert_eq!(
        failure.message,
        "what answers at harbour.s3.eu-north-1.amazonaws.com is not S3"
    );
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_server_that_is_gone_refuses_the_connection() {
    let server = start_raw(Vec::new(), false).await;
    let mut options = server.options();
    // Nobody listens on a port that was just closed.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let address = listener.expect("a port").local_addr().expect("an address");
    options
        .connect_to
        .add(&format!("{HOST}:443"), &address.to_string())
        .expect("a line");
    let store = backends(options)
        .build(&Planned::default().plan())
        .expect("built");
    expect(
        &failure(&store.head(&object()).await.expect_err("nobody")),
        "08001",
        "harbour.s3.eu-north-1.amazonaws.com:443 refused the connection",
        "check the port, and that the server is running",
    );
}

#[tokio::test]
async fn a_range_that_the_object_does_not_have_is_the_callers_fault() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    store.put(&object(), "content".into()).await.expect("put");
    assert_eq!(
        store.get_range(&object(), 3..5).await.expect("a range"),
        "te"
    );
    for range in [5..5, 100..200] {
        let error = store.get_range(&object(), range).await;
        expect(
            &failure(&error.expect_err("no such bytes")),
            "22023",
            "the range is empty, or lies behind the end of the object",
            "ask for bytes that the object has",
        );
    }
}

#[tokio::test]
async fn an_attribute_that_cannot_be_sent_is_refused_and_does_not_panic() {
    use object_store::{Attribute, Attributes};
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, "text\r\nX-Evil: 1".into());
    let options = PutOptions {
        attributes,
        ..PutOptions::default()
    };
    let error = store.put_opts(&object(), "content".into(), options).await;
    let failure = failure(&error.expect_err("a line break"));
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(server.requests().is_empty());
}
