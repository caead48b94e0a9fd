//! Who a connection is, and with whom it speaks.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use portolan_contract::FailureClass;
use portolan_servers::{Authority, HttpServer, Nginx, answer};

use super::cloud::{Names, nobody};
use super::server::*;

async fn goes_there_and_back(store: &dyn ObjectStore, what: &str) {
    store.put(&object(), "content".into()).await.expect(what);
    let read = store.get(&object()).await.expect(what).bytes().await;
    assert_eq!(read.expect(what), "content");
    let range = store.get_range(&object(), 3..5).await.expect(what);
    assert_eq!(range, "te");
    assert_eq!(store.head(&object()).await.expect(what).size, 7);
    let odd = Path::parse("two & 100%+/ü;#?").expect("a path");
    store.copy(&object(), &odd).await.expect(what);
    let listed: Vec<_> = store.list(None).try_collect().await.expect(what);
    let mut names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    names.sort_unstable();
    assert_eq!(names, ["objects/one", "two & 100%+/ü;#?"], "{what}");
    assert!(listed.iter().all(|meta| meta.size == 7), "{listed:?}");
    for meta in listed {
        store.delete(&meta.location).await.expect(what);
    }
    let missing = store.head(&object()).await.expect_err(what);
    assert!(matches!(missing, Error::NotFound { .. }), "{missing:?}");
}

#[tokio::test]
async fn what_is_written_is_read_listed_copied_and_deleted_in_every_way_to_a_server() {
    let server = Server::start();
    for (what, planned) in [
        ("plain", plain()),
        ("TLS", encrypted()),
        ("a password", protected(&user())),
        ("a certificate", mutual(&server.clients)),
    ] {
        goes_there_and_back(&*server.store(&planned), what).await;
    }
}

#[tokio::test]
async fn an_authority_of_the_connections_own_is_trusted_in_the_place_of_the_hosts() {
    let server = Server::start();
    let mut options = server.options();
    options.roots = portolan_egress::tls::TrustRoots::nobody();
    let own = encrypted().secret("certificate-authority", server.authority.pem());
    goes_there_and_back(&*own.store(options), "an own authority").await;

    let other = Authority::new("other");
    let other = encrypted().secret("certificate-authority", other.pem());
    let error = server.store(&other).head(&object()).await;
    assert_eq!(
        failure(&error.expect_err("not trusted")).message,
        "files.example:443: the server's certificate comes from an authority that is not trusted"
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_refused_by_the_server() {
    let server = Server::start();
    let (name, password) = Nginx::user();
    for user in [format!("{name}:hunter2"), format!("nobody:{password}")] {
        let store = server.store(&protected(&user));
        let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
        for error in [
            store.put(&object(), "x".into()).await.expect_err("refused"),
            store.get(&object()).await.expect_err("refused"),
            store.delete(&object()).await.expect_err("refused"),
            listed.expect_err("refused"),
        ] {
            assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
            expect(
                &failure(&error),
                "28000",
                "the server refused the password: it is not that of the user",
                "check the user and the password in the URI: what is not a letter or a digit is \
                 written with percent escapes there",
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_asks_who_is_there_gets_no_answer_from_a_connection_without_a_user() {
    let server = Server::start();
    let mut anybody = protected("");
    anybody.secrets.clear();
    let error = server.store(&anybody).get(&object()).await;
    expect(
        &failure(&error.expect_err("refused")),
        "28000",
        "the server asks for the user and the password",
        "write USER:PASSWORD@ before the host in the URI",
    );
}

/// nginx closes no connection for want of a certificate; it answers with a status that it has for
/// every bad request.
#[tokio::test]
async fn a_missing_or_foreign_client_certificate_is_refused_by_the_server() {
    let server = Server::start();
    let mut without = mutual(&server.clients);
    without.secrets.clear();
    for planned in [without, mutual(&Authority::new("foreign"))] {
        let error = server.store(&planned).get(&object()).await;
        expect(
            &failure(&error.expect_err("refused")),
            "08P01",
            "the server answered with status 400",
            "look at the log of the server for the reason",
        );
    }
}

#[tokio::test]
async fn a_user_is_known_to_the_uris_own_server_alone() {
    let (told, seen) = std::sync::mpsc::channel();
    let handler = move |request: http::Request<bytes::Bytes>| {
        let told = told.clone();
        let answered: futures::future::BoxFuture<'static, _> = Box::pin(async move {
            let authorization = request.headers().get("authorization").cloned();
            told.send(authorization).expect("somebody listens");
            answer(200, &[("content-length", "0")], "")
        });
        answered
    };
    let server = HttpServer::plain(handler);
    let authority = Authority::new("nobody's");
    let options = || ways(&authority.pem(), &[("files.example:80", server.address())]);
    plain().store(options()).get(&object()).await.expect("get");
    assert_eq!(seen.recv().expect("a request"), None);
    let planned = plain().secret("basic", "Aladdin:open sesame");
    planned.store(options()).get(&object()).await.expect("get");
    let sent = seen.recv().expect("a request").expect("a user");
    // The example of RFC 7617.
    assert_eq!(sent, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[tokio::test]
async fn why_a_server_is_not_reached_is_told_by_type() {
    let server = Server::start();
    let mut elsewhere = encrypted();
    elsewhere.endpoints = vec![("other.example", 443, true)];
    let refused = |options| {
        let store = encrypted().store(options);
        async move { failure(&store.head(&object()).await.expect_err("not reached")) }
    };

    let mut options = server.options();
    options.roots = portolan_egress::tls::TrustRoots::nobody();
    let told = refused(options).await;
    assert_eq!(told.class, FailureClass::Unreachable);
    assert_eq!(
        told.message,
        "files.example:443: the server's certificate comes from an authority that is not trusted"
    );

    let named = ways(
        &server.authority.pem(),
        &[("other.example:443", server.nginx.encrypted())],
    );
    let error = elsewhere.store(named).head(&object()).await;
    let told = failure(&error.expect_err("another name"));
    assert_eq!(told.class, FailureClass::Unreachable);
    assert_eq!(
        told.message,
        "other.example:443: the server's certificate is for another name"
    );

    let nobody = ways(&server.authority.pem(), &[("files.example:443", nobody())]);
    expect(
        &refused(nobody).await,
        "08001",
        "files.example:443 refused the connection",
        "check the port, and that the server is running",
    );

    let named = |addresses: &[[u8; 4]]| portolan_egress::EgressOptions {
        resolver: std::sync::Arc::new(Names(addresses.iter().map(|one| (*one).into()).collect())),
        ..Default::default()
    };
    let told = refused(named(&[])).await;
    assert_eq!(told.class, FailureClass::Unreachable);
    assert_eq!(told.message, "the name files.example does not resolve");
    let told = refused(named(&[[127, 0, 0, 1]])).await;
    assert_eq!(told.class, FailureClass::Denied);
    let hint = told.hint.expect("a hint");
    assert!(hint.contains("files.example:443"), "{hint}");
}
