//! What a connection says of its objects arrives at the server, under the signature.

use std::sync::Arc;

use http::HeaderMap;
use object_store::path::Path;
use object_store::{CopyMode, CopyOptions, ObjectStore, ObjectStoreExt};

use super::server::*;

async fn write_each_way(store: &Arc<dyn ObjectStore>) {
    let (one, two, three, four) = ("one".into(), "two".into(), "three".into(), "four".into());
    store.put(&one, "content".into()).await.expect("put");
    let mut upload = store.put_multipart(&two).await.expect("started");
    upload.put_part("content".into()).await.expect("a part");
    upload.complete().await.expect("completed");
    store.copy(&one, &three).await.expect("copied");
    let create = CopyOptions::new().with_mode(CopyMode::Create);
    store.copy_opts(&one, &four, create).await.expect("copied");
    for name in [one, two, three, four] {
        let got = store.get(&name).await.expect("get").bytes().await;
        assert_eq!(got.expect("bytes"), "content", "{name}");
    }
}

#[tokio::test]
async fn class_and_encryption_go_with_every_way_an_object_comes_to_be() {
    let server = start(Front::open()).await;
    let plan = Planned::default()
        .set("storage-class", "INTELLIGENT_TIERING")
        .set("server-side-encryption", "aws:kms")
        .set("kms-key", "arn:aws:kms:eu-north-1:123456789012:key/a");
    write_each_way(&server.store(&plan.plan())).await;
    let noted = server.noted();
    let operations: Vec<_> = noted.iter().map(|noted| noted.0).collect();
    assert_eq!(operations, ["put", "upload", "copy", "upload"]);
    for (operation, class, encryption, key) in noted {
        assert_eq!(class.as_deref(), Some("INTELLIGENT_TIERING"), "{operation}");
        assert_eq!(encryption.as_deref(), Some("aws:kms"), "{operation}");
        assert_eq!(
            key.as_deref(),
            Some("arn:aws:kms:eu-north-1:123456789012:key/a"),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn encryption_with_the_services_own_key_names_no_key() {
    let server = start(Front::open()).await;
    let plan = Planned::default().set("server-side-encryption", "AES256");
    write_each_way(&server.store(&plan.plan())).await;
    for (operation, class, encryption, key) in server.noted() {
        assert_eq!(
            (class, encryption.as_deref(), key),
            (None, Some("AES256"), None),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn checksums_are_sent_unless_the_connection_skips_them() {
    let has = |headers: &HeaderMap| headers.contains_key("x-amz-checksum-sha256");
    let any = |headers: &HeaderMap| {
        let mut names = headers.keys().map(http::HeaderName::as_str);
        names.any(|name| name.contains("checksum"))
    };
    for (plan, expected) in [
        (Planned::default(), true),
        (Planned::default().set("checksum", "skip"), false),
    ] {
        let server = start(Front::open()).await;
        let store = server.store(&plan.plan());
        write_each_way(&store).await;
        let seen = server.requests();
        let part = |seen: &&Seen| {
            let query = seen.uri.query().unwrap_or_default();
            query.contains("partNumber") && !seen.headers.contains_key("x-amz-copy-source")
        };
        let part = seen.iter().find(part).expect("a part");
        for sent in [&seen[0], part] {
            assert_eq!(
                (sent.method.as_str(), has(&sent.headers)),
                ("PUT", expected)
            );
            // The content is signed for in any case.
            assert_ne!(sent.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
        }
        assert_eq!(seen.iter().any(|seen| any(&seen.headers)), expected);
    }
}

#[tokio::test]
async fn a_bucket_in_the_path_works_as_one_in_the_host() {
    let server = start(Front::open()).await;
    let plan = Planned {
        host: "s3.amazonaws.com",
        ..Planned::default()
    }
    .set("path-style", "true");
    let store = server.store(&plan.plan());
    write_each_way(&store).await;
    let seen = server.requests();
    assert!(
        seen.iter()
            .all(|seen| seen.uri.path().starts_with("/harbour/"))
    );
    assert!(
        seen.iter()
            .all(|seen| seen.headers["host"] == "s3.amazonaws.com")
    );
    let listed = store.list_with_delimiter(None).await.expect("listed");
    assert_eq!(listed.objects.len(), 4);
    assert_eq!(listed.objects[0].location, Path::from("four"));
}

#[tokio::test]
async fn a_session_token_is_sent_and_signed() {
    let server = start(Front::open()).await;
    let plan = Planned::default().secret("session-token", "token-of-the-session");
    let store = server.store(&plan.plan());
    store
        .put(&"one".into(), "content".into())
        .await
        .expect("put");
    let seen = &server.requests()[0];
    assert_eq!(seen.headers["x-amz-security-token"], "token-of-the-session");
    let signed = seen.headers["authorization"].to_str().expect("text");
    assert!(signed.contains("x-amz-security-token"), "{signed}");
}

#[tokio::test]
async fn the_prefix_of_the_plan_is_in_no_error_and_debug_shows_no_secret() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    assert!(!format!("{store:?} {store}").contains(SECRET));
    let error = store.get(&"one".into()).await.expect_err("missing");
    assert!(
        !format!("{error} {error:?}").contains("the harbour"),
        "{error:?}"
    );
}
