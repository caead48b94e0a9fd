//! Each cause that a server tells, brought about, and its whole failure compared.

use std::time::Duration;

use futures::TryStreamExt;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use portolan_contract::FailureClass;

use super::server::*;

const HOUR: Duration = Duration::from_secs(3600);

/// The same server, where it speaks no WebDAV, redirects or fails.
fn below(path: &'static str) -> Planned {
    Planned {
        prefix: path,
        ..plain()
    }
}

async fn list(store: &dyn ObjectStore) -> Error {
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    listed.expect_err("refused")
}

#[tokio::test]
async fn a_missing_object_is_named_as_the_caller_knows_it() {
    let server = Server::start();
    let store = server.store(&plain());
    let elsewhere = "elsewhere".into();
    for error in [
        store.get(&object()).await.expect_err("missing"),
        store.head(&object()).await.expect_err("missing"),
        store.delete(&object()).await.expect_err("missing"),
        store
            .copy(&object(), &elsewhere)
            .await
            .expect_err("missing"),
    ] {
        assert!(matches!(&error, Error::NotFound { path, .. } if path == "objects/one"));
        expect(
            &failure(&error),
            "42704",
            "`objects/one` does not exist",
            "write the object first, or check the path that was given",
        );
    }
}

#[tokio::test]
async fn a_server_without_webdav_gives_its_files_and_cannot_do_the_rest() {
    let server = Server::start();
    std::fs::write(server.nginx.files().join("there"), "content").expect("a file");
    let store = server.store(&below("no-dav"));
    let got = store.get(&"there".into()).await.expect("get").bytes().await;
    assert_eq!(got.expect("bytes"), "content");
    assert_eq!(store.head(&"there".into()).await.expect("head").size, 7);
    let put = store.put(&object(), "content".into()).await;
    let delete = store.delete(&"there".into()).await;
    let copy = store.copy(&"there".into(), &object()).await;
    for error in [
        list(&*store).await,
        put.expect_err("no method"),
        delete.expect_err("no method"),
        copy.expect_err("no method"),
        store.list_with_delimiter(None).await.expect_err("no list"),
    ] {
        assert!(matches!(error, Error::NotSupported { .. }), "{error:?}");
        expect(
            &failure(&error),
            "0A000",
            "files.example cannot do this",
            "have the server allow the method; a list and a copy need one that speaks WebDAV",
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_host_is_named() {
    let server = Server::start();
    let store = server.store(&below("redirect"));
    let put = store.put(&object(), "content".into()).await;
    let get = store.get(&object()).await;
    for error in [
        put.expect_err("elsewhere"),
        get.expect_err("elsewhere"),
        list(&*store).await,
    ] {
        expect(
            &failure(&error),
            "08P01",
            "files.example redirects to elsewhere.example",
            "name the host that is meant: redirects are not followed, so that credentials go \
             nowhere else",
        );
    }
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_and_then_told() {
    let server = Server::start();
    for (path, status) in [("busy", 503), ("broken", 500)] {
        let store = server.store(&below(path));
        expect(
            &failure(&store.get(&object()).await.expect_err("it fails")),
            "08001",
            &format!("the server failed with status {status}"),
            "try again later, and look at the state of the server",
        );
    }
    let log = server.nginx.files().with_file_name("requests");
    let log = std::fs::read_to_string(log).expect("nginx's log");
    for path in ["/busy/", "/broken/"] {
        let asked = log.lines().filter(|line| line.contains(path)).count();
        assert_eq!(asked, 4, "{log}");
    }
}

#[tokio::test]
async fn a_condition_on_writing_is_not_sent_to_a_server_that_may_ignore_it() {
    let server = Server::start();
    let store = server.store(&plain());
    let create = PutOptions::from(PutMode::Create);
    let error = store.put_opts(&object(), "content".into(), create).await;
    let error = error.expect_err("not without knowing");
    assert!(matches!(error, Error::NotImplemented { .. }), "{error:?}");
    store
        .head(&object())
        .await
        .expect_err("nothing was written");
}

#[tokio::test]
async fn a_condition_on_reading_is_kept_by_the_server() {
    use object_store::GetOptions;
    let server = Server::start();
    let store = server.store(&plain());
    store.put(&object(), "content".into()).await.expect("put");
    let meta = store.head(&object()).await.expect("head");
    let (tag, written) = (meta.e_tag.expect("a tag"), meta.last_modified);
    let with = |if_match: Option<&str>, if_none_match: Option<&str>| GetOptions {
        if_match: if_match.map(str::to_owned),
        if_none_match: if_none_match.map(str::to_owned),
        ..GetOptions::default()
    };
    let name = object();
    let get = |options| store.get_opts(&name, options);
    get(with(Some(&tag), None)).await.expect("the same");
    get(with(None, Some("\"other\""))).await.expect("another");
    let error = get(with(Some("\"other\""), None)).await;
    let error = error.expect_err("another");
    assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
    let error = get(with(None, Some(&tag))).await.expect_err("the same");
    assert!(matches!(error, Error::NotModified { .. }), "{error:?}");
    let (earlier, later) = (written - HOUR, written + HOUR);
    let since = |modified, unmodified| {
        GetOptions::new()
            .with_if_modified_since(modified)
            .with_if_unmodified_since(unmodified)
    };
    for at in [written, later] {
        get(since(None, Some(at))).await.expect("as it was then");
    }
    let error = get(since(Some(written), None))
        .await
        .expect_err("not since");
    assert!(matches!(error, Error::NotModified { .. }), "{error:?}");
    get(since(Some(earlier), None)).await.expect("since then");
    let error = get(since(None, Some(earlier))).await.expect_err("since");
    assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
    let version = GetOptions {
        version: Some("1".to_owned()),
        ..GetOptions::default()
    };
    let error = get(version).await.expect_err("files have no versions");
    assert_eq!(failure(&error).class, FailureClass::Unsupported);
}

#[tokio::test]
async fn a_range_that_the_object_does_not_have_is_the_callers_fault() {
    use object_store::{GetOptions, GetRange};
    let server = Server::start();
    let store = server.store(&plain());
    store.put(&object(), "content".into()).await.expect("put");
    for (range, expected) in [
        (GetRange::Bounded(3..5), "te"),
        (GetRange::Bounded(3..50), "tent"),
        (GetRange::Offset(4), "ent"),
        (GetRange::Suffix(2), "nt"),
    ] {
        let options = GetOptions {
            range: Some(range.clone()),
            ..GetOptions::default()
        };
        let got = store.get_opts(&object(), options).await.expect("a range");
        assert_eq!(got.meta.size, 7);
        assert_eq!(got.bytes().await.expect("bytes"), expected, "{range:?}");
    }
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
