//! Many objects are deleted at once.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::{StreamExt, TryStreamExt, stream};
use http::Method;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, Result};

use super::server::*;

async fn fill(store: &Arc<dyn ObjectStore>, names: &[Path]) {
    let puts = names.iter().map(|name| async move {
        let put = store.put(name, "content".into()).await;
        put.expect("put");
    });
    stream::iter(puts)
        .buffer_unordered(16)
        .collect::<()>()
        .await;
}

fn names(count: usize) -> Vec<Path> {
    (0..count)
        .map(|number| Path::from(format!("many/{number:04}")))
        .collect()
}

async fn delete(store: &Arc<dyn ObjectStore>, names: &[Path]) -> Vec<Result<Path>> {
    let names = stream::iter(names.to_vec()).map(Ok).boxed();
    store.delete_stream(names).collect().await
}

async fn left(store: &Arc<dyn ObjectStore>) -> Vec<Path> {
    let listed = store.list(None).map_ok(|meta| meta.location);
    listed.try_collect().await.expect("listed")
}

/// The requests that delete, in order.
fn deleting(server: &Server) -> Vec<Seen> {
    let deletes = |seen: &Seen| {
        seen.method == Method::DELETE
            || (seen.method == Method::POST && seen.uri.query() == Some("delete"))
    };
    server.requests().into_iter().filter(deletes).collect()
}

#[tokio::test]
async fn a_thousand_objects_are_deleted_by_one_request_with_a_sum_of_its_body() {
    for style in ["false", "true"] {
        let server = start(Front::open()).await;
        let mut plan = Planned::default().set("path-style", style);
        if style == "true" {
            plan.host = "s3.amazonaws.com";
        }
        let store = server.store(&plan.plan());
        let names = names(1_203);
        fill(&store, &names).await;
        let deleted: Result<Vec<_>> = delete(&store, &names).await.into_iter().collect();
        assert_eq!(deleted.expect("deleted"), names);
        assert!(left(&store).await.is_empty());
        let seen = deleting(&server);
        assert_eq!(seen.len(), 2, "{style}");
        for seen in seen {
            assert_eq!(seen.method, Method::POST);
            let signed = seen.headers["authorization"].to_str().expect("text");
            for (header, bytes) in [("content-md5", 16), ("x-amz-checksum-sha256", 32)] {
                let sum = BASE64_STANDARD.decode(&seen.headers[header]);
                assert_eq!(sum.expect("base64").len(), bytes);
                assert!(signed.contains(header), "{signed}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_without_newer_checksums_gets_the_one_that_all_take() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().set("checksum", "skip").plan());
    let names = names(3);
    fill(&store, &names).await;
    let deleted = delete(&store, &names).await;
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    let seen = deleting(&server);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].headers.contains_key("content-md5"));
    assert!(!seen[0].headers.contains_key("x-amz-checksum-sha256"));
}

#[tokio::test]
async fn odd_names_and_missing_objects_are_deleted_with_the_others_and_the_callers_errors_given_back()
 {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    let odd = ["a&b <c>", " two  spaces ", "ü/%20+\"'", "]]>", "plain"]
        .map(|name| Path::parse(name).expect("a name"));
    fill(&store, &odd).await;
    let missing = Path::from("missing");
    let own = || Error::NotImplemented {
        operation: "the caller's own".to_owned(),
        implementer: "the caller".to_owned(),
    };
    let mut asked: Vec<Result<Path>> = odd.iter().cloned().map(Ok).collect();
    asked.insert(2, Err(own()));
    asked.push(Ok(missing.clone()));
    let ended: Vec<_> = store
        .delete_stream(stream::iter(asked).boxed())
        .collect()
        .await;
    assert_eq!(ended.len(), 7);
    assert_eq!(
        ended[2].as_ref().expect_err("the caller's").to_string(),
        own().to_string()
    );
    let deleted: Vec<_> = ended.into_iter().flatten().collect();
    let expected: Vec<_> = odd.into_iter().chain([missing]).collect();
    assert_eq!(deleted, expected);
    assert!(left(&store).await.is_empty());
    assert_eq!(deleting(&server).len(), 1);
}

#[tokio::test]
async fn one_object_is_deleted_by_a_request_of_its_own() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    let names = names(1);
    fill(&store, &names).await;
    store.delete(&names[0]).await.expect("deleted");
    let seen = deleting(&server);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].method, Method::DELETE);
}

/// Somebody names the next object when it knows what became of this one.
#[tokio::test]
async fn what_is_named_is_deleted_without_waiting_for_more() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    let names = names(3);
    fill(&store, &names).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let named = stream::unfold(receiver, async |mut receiver| {
        Some((receiver.recv().await?, receiver))
    });
    let mut deleted = store.delete_stream(named.boxed());
    for name in names {
        sender.send(Ok(name.clone())).await.expect("it listens");
        assert_eq!(
            deleted.next().await.expect("an end").expect("deleted"),
            name
        );
    }
}

/// An answer about each of the objects `many/0000` and on.
fn answer(told: &[&str]) -> String {
    let told: String = told
        .iter()
        .enumerate()
        .map(|(number, code)| {
            let key = format!("<Key>in/the harbour/many/{number:04}</Key>");
            match *code {
                "" => format!("<Deleted>{key}</Deleted>"),
                code => {
                    format!("<Error>{key}<Code>{code}</Code><Message>{CHATTER}</Message></Error>")
                }
            }
        })
        .collect();
    format!("<DeleteResult>{told}</DeleteResult>")
}

/// The server itself denies whole requests alone; an answer about each object is in the words of
/// AWS's documentation.
#[tokio::test]
async fn each_object_has_its_own_error_in_the_words_of_awss_documentation() {
    let front = Front::answering(|_, request| {
        let codes = [
            "",
            "AccessDenied",
            "NoSuchKey",
            "Novelty",
            "InternalError",
            "",
        ];
        (request.method == Method::POST).then(|| xml(200, answer(&codes)))
    });
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    let names = names(6);
    fill(&store, &names).await;
    let ended = delete(&store, &names).await;
    let told: Vec<_> = ended
        .iter()
        .map(|ended| match ended {
            Ok(path) => path.to_string(),
            Err(error) => {
                let failure = failure(error);
                format!("{} {failure}", failure.class.sqlstate())
            }
        })
        .collect();
    assert_eq!(
        told,
        [
            "many/0000",
            "42501 S3 does not allow s3:DeleteObject (AccessDenied)",
            "many/0002",
            "08P01 S3 answered with status 200",
            "many/0004",
            "many/0005",
        ]
    );
    assert!(matches!(
        ended[1].as_ref().expect_err("denied"),
        Error::PermissionDenied { path, .. } if path == "many/0001"
    ));
    // What passes was asked for again, alone.
    let seen = deleting(&server);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].method, Method::DELETE);
    assert!(seen[1].uri.path().ends_with("many/0004"));
}

#[tokio::test]
async fn an_object_that_the_answer_does_not_name_is_not_said_to_be_deleted() {
    let front = Front::answering(|_, request| {
        (request.method == Method::POST).then(|| xml(200, answer(&["", ""])))
    });
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    let ended = delete(&store, &names(3)).await;
    assert!(ended[0].is_ok() && ended[1].is_ok());
    expect(
        &failure(ended[2].as_ref().expect_err("not named")),
        "08P01",
        "an answer of the service cannot be read",
        "check scheme, host and port: another service may answer there",
    );
}

#[tokio::test]
async fn a_denial_of_the_whole_request_is_told_of_each_object() {
    let server = start(Front::denying(&["DeleteObjects"])).await;
    let store = server.store(&Planned::default().plan());
    let names = names(3);
    fill(&store, &names).await;
    for (ended, name) in delete(&store, &names).await.into_iter().zip(&names) {
        let error = ended.expect_err("denied");
        assert!(
            matches!(&error, Error::PermissionDenied { path, .. } if path == name.as_ref()),
            "{error:?}"
        );
        expect(
            &failure(&error),
            "42501",
            "S3 does not allow s3:DeleteObject (AccessDenied)",
            "grant the connection's credentials s3:DeleteObject on the bucket, and look for a \
             policy that denies it",
        );
    }
    assert_eq!(left(&store).await, names);
}

#[tokio::test]
async fn a_server_without_this_request_is_asked_for_each_object_and_not_again_for_many() {
    let front = Front::answering(|_, request| {
        (request.method == Method::POST).then(|| refusal(501, "NotImplemented", ""))
    });
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    let names = names(5);
    for _ in 0..2 {
        fill(&store, &names).await;
        let deleted: Result<Vec<_>> = delete(&store, &names).await.into_iter().collect();
        assert_eq!(deleted.expect("deleted"), names);
        assert!(left(&store).await.is_empty());
    }
    let posts = deleting(&server);
    let posts = posts.iter().filter(|seen| seen.method == Method::POST);
    assert_eq!(posts.count(), 1);
}

#[tokio::test]
async fn what_is_no_answer_about_objects_deletes_nothing() {
    for page in [
        "<html>hunter2-of-the-server</html>",
        "",
        "<DeleteResult><Deleted/>",
    ] {
        let front = Front::answering(move |_, request| {
            (request.method == Method::POST).then(|| xml(200, page.to_owned()))
        });
        let server = start(front).await;
        let store = server.store(&Planned::default().plan());
        for ended in delete(&store, &names(2)).await {
            let failure = failure(&ended.expect_err("no answer"));
            assert_eq!(failure.class.sqlstate(), "08P01", "{failure}");
        }
    }
}
