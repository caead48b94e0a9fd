//! Servers that are slow, lie, break off or do not end.

use std::time::{Duration, Instant};

use http::HeaderValue;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use portolan_contract::FailureClass;
use portolan_servers::{Authority, RawServer};

use super::cloud;
use super::hostile::{Service, hostile_servers};
use super::server::*;

fn object() -> Path {
    Path::from("one")
}

const SERVICE: Service = Service {
    start: |script| {
        let authority = Authority::new("of the server");
        let server = RawServer::encrypted(&authority, &[HOST], script);
        let mut options = cloud::ways(
            &authority.pem(),
            &[(&format!("{HOST}:443"), server.address())],
        );
        options.silence_timeout = Duration::from_secs(2);
        let store = backends(options).build(&Planned::default().plan());
        (server, store.expect("built"))
    },
    host: HOST,
    port: 443,
    head: "ETag: \"e\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    list: [
        "200 OK",
        "<ListBucketResult><Name>b</Name>",
        "<Contents><Key>in/the harbour/k</Key><LastModified>2026-01-01T00:00:00Z</LastModified>\
         <ETag>e</ETag><Size>1</Size></Contents>",
    ],
    refusal: "what answers at harbour.s3.eu-north-1.amazonaws.com is not S3",
    failure: |error| failure(error),
};

hostile_servers!(SERVICE);

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
async fn a_download_from_s3s_that_breaks_off_goes_on_where_it_was() {
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
async fn an_object_of_s3s_that_changed_meanwhile_does_not_go_on() {
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
