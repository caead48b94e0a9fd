//! Servers that are slow, lie, break off or do not end.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use portolan_contract::FailureClass;
use portolan_servers::answer;

use crate::hostile::{Service, hostile_servers};
use crate::server::*;

fn object() -> Path {
    Path::from("one")
}

const SERVICE: Service = Service {
    start: |script| raw(script),
    host: STORAGE,
    port: 443,
    head: "ETag: \"e\"\r\nx-goog-generation: 1\r\n\
           Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    list: [
        "200 OK",
        "<ListBucketResult><Name>b</Name>",
        "<Contents><Key>in/the harbour/k</Key><LastModified>2026-01-01T00:00:00Z</LastModified>\
         <ETag>e</ETag><Size>1</Size></Contents>",
    ],
    refusal: "what answers at storage.googleapis.com is not Google Cloud Storage",
    failure: |error| failure(error),
};

hostile_servers!(SERVICE);

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
async fn an_object_without_a_date_is_an_answer_that_cannot_be_read() {
    let (_server, store) = raw(|stream, _| {
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nwant");
    });
    let failure = failure(&store.get(&object()).await.expect_err("no date"));
    assert_eq!(failure.message, "an answer of the service cannot be read");
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
