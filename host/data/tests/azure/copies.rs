//! Copies that the service has begun and not ended when it answers, which Azurite never does.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_servers::{Answer, HttpServer, answer};

use crate::server::*;

/// A stand-in that says of a copy what its script has, one word for each request, the last one for all
/// others; and the requests that came.
fn copying(script: &'static [&'static str]) -> (HttpServer, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    let server = HttpServer::plain(move |request: Request<Bytes>| {
        let mut seen = seen.lock().expect("no panic");
        let answered = said(script[seen.len().min(script.len() - 1)], request.method());
        seen.push(format!("{} {}", request.method(), request.uri()));
        Box::pin(async move { answered })
    });
    (server, asked)
}

fn said(word: &str, method: &Method) -> Answer {
    let status = match (method, word) {
        (_, "404") => return refusal(404, "BlobNotFound"),
        (&Method::PUT, "pending") => 202,
        (&Method::PUT, _) => 201,
        _ => 200,
    };
    let headers = [
        ("x-ms-copy-status", word),
        ("x-ms-copy-id", "1f812371-a41d-49e6-b123-f4b542e851c5"),
        ("etag", "\"1\""),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ];
    answer(status, &headers, "")
}

#[tokio::test]
async fn a_copy_that_has_only_begun_is_waited_for_against_a_stand_in() {
    let (server, asked) = copying(&["pending", "pending", "pending", "success"]);
    let store = store_at(server.address());
    store
        .copy(&object(), &Path::from("two"))
        .await
        .expect("copied");
    let asked = asked.lock().expect("no panic").clone();
    let target = "/harbour/in/the%20harbour/two";
    let look = format!("HEAD {target}");
    assert_eq!(asked, [&*format!("PUT {target}"), &look, &look, &look]);
}

#[tokio::test]
async fn a_copy_that_the_service_gives_up_is_an_error_against_a_stand_in() {
    for word in ["failed", "aborted"] {
        let script: &'static [&'static str] = Box::leak(Box::new(["pending", word]));
        let (server, _) = copying(script);
        let error = store_at(server.address())
            .copy(&object(), &Path::from("two"))
            .await;
        expect(
            &failure(&error.expect_err("not copied")),
            "08P01",
            "the service began to copy and gave it up",
            "look at the target, which may be empty or gone, and copy again",
        );
    }
}

#[tokio::test]
async fn a_target_that_goes_away_while_it_is_copied_to_is_an_error_against_a_stand_in() {
    let (server, _) = copying(&["pending", "404"]);
    let error = store_at(server.address())
        .copy(&object(), &Path::from("two"))
        .await;
    let failure = failure(&error.expect_err("gone"));
    assert_eq!(
        failure.message,
        "`two` is not in the state that the operation asked for"
    );
}

#[tokio::test]
async fn copies_of_azurite_are_done_at_once_and_replace_only_where_they_may() {
    let server = Server::start();
    let two = Path::parse("two & 100%").expect("a path");
    for planned in [server.with_key(), with_client(SECRET)] {
        let store = server.store(&planned);
        store.put(&object(), "content".into()).await.expect("put");
        store.copy(&object(), &two).await.expect("copied");
        let got = store.get(&two).await.expect("get").bytes().await;
        assert_eq!(got.expect("bytes"), "content");
        let error = store.copy_if_not_exists(&object(), &two).await;
        expect(
            &failure(&error.expect_err("there")),
            "08P01",
            "`two & 100%` exists already",
            "choose another name, or overwrite the object",
        );
        let error = store.copy(&Path::from("missing"), &two).await;
        assert_eq!(
            failure(&error.expect_err("no source")).message,
            "`missing` does not exist"
        );
    }
}
