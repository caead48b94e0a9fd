//! Each cause that the service tells, brought about, and its whole failure compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use portolan_contract::FailureClass;
use portolan_servers::{Answer, HttpServer, answer};

use crate::server::*;

async fn put(store: &Arc<dyn ObjectStore>) -> Error {
    let put = store.put(&object(), "content".into()).await;
    put.expect_err("refused")
}

async fn list(store: &Arc<dyn ObjectStore>) -> Error {
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    listed.expect_err("refused")
}

/// Answers every request with this, and counts them.
fn saying(told: Answer) -> (HttpServer, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = HttpServer::plain(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let told = told.clone();
        Box::pin(async move { told })
    });
    (server, asked)
}

#[tokio::test]
async fn a_missing_container_is_no_missing_object() {
    let server = Server::start();
    let mut planned = server.with_key();
    planned.container = "nowhere";
    let store = server.store(&planned);
    for error in [
        put(&store).await,
        list(&store).await,
        store.get(&object()).await.expect_err("no container"),
        store.head(&object()).await.expect_err("no container"),
        store.delete(&object()).await.expect_err("no container"),
    ] {
        assert!(matches!(error, Error::Generic { .. }), "{error:?}");
        expect(
            &failure(&error),
            "42704",
            "the container does not exist (ContainerNotFound)",
            "check the name of the container, or create it",
        );
    }
}

#[tokio::test]
async fn a_missing_object_is_named_as_the_caller_knows_it() {
    let server = Server::start();
    let store = server.store(&server.with_key());
    for error in [
        store.get(&object()).await.expect_err("missing"),
        store.head(&object()).await.expect_err("missing"),
        store.delete(&object()).await.expect_err("missing"),
        store
            .copy(&object(), &Path::from("b"))
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
async fn a_range_that_the_object_does_not_have_is_the_callers_fault() {
    let server = Server::start();
    let store = server.store(&server.with_key());
    store.put(&object(), "content".into()).await.expect("put");
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

/// What Azure answers, by its documentation.
#[tokio::test]
async fn refusals_in_the_words_of_azures_documentation_have_their_hints() {
    let cases = [
        (
            (403, "AuthenticationFailed"),
            "28000",
            "Azure Blob Storage refused AZURE_ACCOUNT_KEY: it is not that of AZURE_ACCOUNT_NAME \
             (AuthenticationFailed)",
            "give one of the two keys of the account AZURE_ACCOUNT_NAME as they are now; in a URI \
             a + is written %2B",
        ),
        (
            (403, "AuthorizationFailure"),
            "42501",
            "Azure Blob Storage does not allow blobs/write (AuthorizationFailure)",
            "allow this host in the account's network rules, and look for a lock on the account",
        ),
        (
            (403, "AuthorizationPermissionMismatch"),
            "42501",
            "Azure Blob Storage does not allow blobs/write (AuthorizationPermissionMismatch)",
            "allow this host in the account's network rules, and look for a lock on the account",
        ),
        (
            (403, "KeyBasedAuthenticationNotPermitted"),
            "22023",
            "Azure Blob Storage does not take AZURE_ACCOUNT_KEY \
             (KeyBasedAuthenticationNotPermitted)",
            "allow access by key in the account, or give the connection a client",
        ),
        (
            (403, "AccountIsDisabled"),
            "42501",
            "the account of the container cannot use Azure Blob Storage (AccountIsDisabled)",
            "look at the state of the account with the provider of Azure Blob Storage",
        ),
        (
            (404, "ContainerNotFound"),
            "42704",
            "the container does not exist (ContainerNotFound)",
            "check the name of the container, or create it",
        ),
        (
            (413, "RequestBodyTooLarge"),
            "53200",
            "the object is larger than Azure Blob Storage takes (RequestBodyTooLarge)",
            "write the object in several parts, or in several objects",
        ),
        (
            (400, "Md5Mismatch"),
            "08P01",
            "Azure Blob Storage did not receive the content as it was sent (Md5Mismatch)",
            "try again; if it stays so, look for what changes bytes on the way",
        ),
        (
            (418, "ImATeapot"),
            "08P01",
            "Azure Blob Storage answered with status 418",
            "look at the log of Azure Blob Storage for the reason",
        ),
    ];
    for ((status, code), sqlstate, message, hint) in cases {
        let (server, asked) = saying(refusal(status, code));
        let told = failure(&put(&store_at(server.address())).await);
        expect(&told, sqlstate, message, hint);
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{code}");
    }
}

/// What Azure answers, by its documentation.
#[tokio::test]
async fn a_client_that_lacks_a_role_is_told_which_in_the_words_of_azures_documentation() {
    let server = Server::start();
    let storage = HttpServer::encrypted(&server.authority, &[HOST], |_| {
        Box::pin(async { refusal(403, "AuthorizationPermissionMismatch") })
    });
    let mut options = server.options();
    options
        .connect_to
        .add(&format!("{HOST}:443"), &storage.address().to_string())
        .expect("a line");
    let store = with_client(SECRET).store(options);
    let errors = [
        (put(&store).await, "blobs/write"),
        (list(&store).await, "blobs/read (list)"),
    ];
    for (error, permission) in errors {
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
        expect(
            &failure(&error),
            "42501",
            &format!(
                "Azure Blob Storage does not allow {permission} (AuthorizationPermissionMismatch)"
            ),
            "grant the client the role Storage Blob Data Contributor on the container, and allow \
             this host in the account's network rules",
        );
    }
}

/// Azure has one code for a wrong key and a clock that is wrong by more than 15 minutes; its answer
/// tells the time. That it answers so is documented, and not proved.
#[tokio::test]
async fn a_clock_that_is_wrong_is_told_in_seconds_by_the_date_of_the_answer() {
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3600);
    let ahead = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut told = refusal(403, "AuthenticationFailed");
    told.headers_mut()
        .insert("date", ahead.parse().expect("a value"));
    let (server, _) = saying(told);
    let told = failure(&put(&store_at(server.address())).await);
    let seconds = told.message.strip_prefix("this host's clock is ");
    let (seconds, rest) = seconds
        .expect("the skew")
        .split_once(' ')
        .expect("a number");
    // A busy machine may take a while to get here.
    let seconds: u32 = seconds.parse().expect("a number");
    assert!((3000..=3600).contains(&seconds), "{seconds}");
    assert_eq!(
        rest,
        "s behind that of Azure Blob Storage (AuthenticationFailed)"
    );
    assert_eq!(told.class, FailureClass::RefusedCredentials);
    assert_eq!(
        told.hint.as_deref(),
        Some("set this host's clock, and keep it by NTP")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_host_is_named() {
    let location = "https://user:hunter2-of-the-server@evil.example/";
    let (server, asked) = saying(answer(307, &[("location", location)], ""));
    expect(
        &failure(&put(&store_at(server.address())).await),
        "08P01",
        "portolantest.blob.core.windows.net redirects to evil.example",
        "name the host that is meant: redirects are not followed, so that credentials go nowhere \
         else",
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_not_azure_is_told_from_a_refusal() {
    for status in [400, 403, 404] {
        let page = format!("<html><body>{CHATTER}</body></html>");
        let (server, _) = saying(answer(status, &[], page));
        let store = store_at(server.address());
        for error in [put(&store).await, list(&store).await] {
            expect(
                &failure(&error),
                "08P01",
                "what answers at portolantest.blob.core.windows.net is not Azure Blob Storage",
                "check scheme, host and port: something other than Azure Blob Storage may answer \
                 there",
            );
        }
    }
}

#[tokio::test]
async fn a_list_that_is_none_is_unreadable() {
    let deep = "<a>".repeat(100_000);
    for body in [
        "",
        "hunter2-of-the-server",
        "<EnumerationResults><Blobs><Blob>hunter2-of-the-server",
        "<html><body>hunter2-of-the-server</body></html>",
        "<!DOCTYPE x [<!ENTITY a \"hunter2-of-the-server\">]>\
         <EnumerationResults><Blobs><Blob><Name>&a;</Name></Blob></Blobs></EnumerationResults>",
        "<EnumerationResults><Blobs><Blob><Name>in/the harbour/x</Name><Properties>\
         <Content-Length>hunter2-of-the-server</Content-Length></Properties></Blob></Blobs>\
         </EnumerationResults>",
        &deep,
    ] {
        let (server, _) = saying(answer(200, &[], body.to_owned()));
        expect(
            &failure(&list(&store_at(server.address())).await),
            "08P01",
            "an answer of the service cannot be read",
            "check scheme, host and port: another service may answer there",
        );
    }
}

#[tokio::test]
async fn a_name_outside_of_the_connections_prefix_is_not_listed() {
    let entry = |name: &str| {
        format!(
            "<Blob><Name>{name}</Name><Properties><Last-Modified>Sun, 06 Nov 1994 08:49:37 GMT\
             </Last-Modified><Etag>0x1</Etag><Content-Length>1</Content-Length><Content-Type>t\
             </Content-Type></Properties></Blob>"
        )
    };
    for name in [
        "elsewhere/one",
        "in/the harbour2/one",
        "in/the harbour/../x",
    ] {
        let body = format!(
            "<EnumerationResults><Blobs>{}</Blobs><NextMarker/></EnumerationResults>",
            entry(name)
        );
        let (server, _) = saying(answer(200, &[], body));
        let listed: Result<Vec<_>, _> = store_at(server.address()).list(None).try_collect().await;
        match listed {
            Ok(listed) => assert!(listed.is_empty(), "{name}: {listed:?}"),
            Err(error) => {
                let class = failure(&error).class;
                let told = [FailureClass::Protocol, FailureClass::InvalidUri];
                assert!(told.contains(&class), "{name}: {class:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_operators_switch_refuses_credentials_of_the_host() {
    let mut planned = with_key("");
    planned.secrets.clear();
    let plan = planned.set("credentials", "implicit").plan();
    let options = portolan_egress::EgressOptions {
        disable_implicit_credentials: true,
        ..Default::default()
    };
    let refused = backends(options).build(&plan);
    let error = refused.expect_err("refused");
    assert_eq!(
        (error.sqlstate(), error.to_string()),
        (
            "42501".to_owned(),
            "implicit credentials disallowed for azure due to \
             --external-io-disable-implicit-credentials flag"
                .to_owned()
        )
    );
    let options = portolan_egress::EgressOptions::default();
    let refused = backends(options).build(&plan);
    let error = refused.expect_err("nothing is lent");
    assert_eq!(error.sqlstate(), "0A000");
    assert_eq!(
        error.to_string(),
        "this host lends its connections no credentials"
    );
}
