//! Who a connection is, and with whom it speaks.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use portolan_contract::FailureClass;

use crate::cloud::{Names, backends, nobody};
use crate::server::*;

async fn put(store: &Arc<dyn ObjectStore>) -> Error {
    let put = store.put(&object(), "content".into()).await;
    put.expect_err("refused")
}

async fn list(store: &Arc<dyn ObjectStore>) -> Error {
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    listed.expect_err("refused")
}

#[tokio::test]
async fn what_is_written_is_read_listed_copied_and_deleted_with_a_key_and_with_a_client() {
    let server = Server::start();
    for planned in [server.with_key(), with_client(SECRET)] {
        let store = server.store(&planned);
        store.put(&object(), "content".into()).await.expect("put");
        let read = store.get(&object()).await.expect("get").bytes().await;
        assert_eq!(read.expect("bytes"), "content");
        let range = store.get_range(&object(), 3..5).await.expect("a range");
        assert_eq!(range, "te");
        let odd = Path::parse("two & 100%+/ü;#?").expect("a path");
        store.copy(&object(), &odd).await.expect("copied");
        let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
        let names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
        assert_eq!(names, ["objects/one", "two & 100%+/ü;#?"]);
        for meta in listed {
            store.delete(&meta.location).await.expect("deleted");
        }
        let error = store.head(&object()).await.expect_err("missing");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
    assert_eq!(server.entra.given(), 1, "one token for all requests");
}

/// Azurite, told to take tokens as well, says of a wrong key that the header cannot be read; Azure's
/// own word for it is in `causes`.
#[tokio::test]
async fn a_wrong_key_is_refused_by_azurite() {
    let server = Server::start();
    let store = server.store(&with_key(OTHER_KEY));
    for error in [put(&store).await, list(&store).await] {
        assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
        expect(
            &failure(&error),
            "28000",
            "Azure Blob Storage refused AZURE_ACCOUNT_KEY: it is not that of AZURE_ACCOUNT_NAME \
             (InvalidAuthenticationInfo)",
            "give one of the two keys of the account AZURE_ACCOUNT_NAME as they are now; in a URI \
             a + is written %2B",
        );
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_told_before_anything_is_sent() {
    let server = Server::start();
    let planned = with_key("hunter2-of-the-server!");
    let error = backends(server.options()).build(&planned.plan());
    let error = error.expect_err("no key");
    assert_eq!(error.sqlstate(), "22023");
    assert_eq!(
        error.to_string(),
        "azure shared key credential: the account key is not base64"
    );
}

/// That Entra answers so is documented, and is not proved here.
#[tokio::test]
async fn a_wrong_secret_of_a_client_is_refused_by_the_stand_in_for_entra() {
    let server = Server::start();
    let store = server.store(&with_client(CHATTER));
    for error in [put(&store).await, list(&store).await] {
        assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
        expect(
            &failure(&error),
            "28000",
            "login.microsoftonline.com refused the credentials: the client secret is wrong",
            "give the value of the client's secret, not the secret's ID, and check that it \
             belongs to this client",
        );
    }
    let other = with_client(SECRET).set("tenant", "elsewhere.example");
    let told = failure(&put(&server.store(&other)).await);
    assert_eq!(
        told.message,
        "login.microsoftonline.com refused the credentials: the tenant is not known there"
    );
}

/// That the real service answers so is documented, and not proved.
#[tokio::test]
async fn a_stand_in_for_the_metadata_service_lends_its_identity_to_a_connection_that_asks() {
    use portolan_data::{Backends, Lent};
    use portolan_egress::credentials::aws::HostEnvironment;
    use portolan_servers::{HttpServer, answer};
    let server = Server::start();
    let token = server.entra.token("https://storage.azure.com/");
    let machine = HttpServer::plain(move |request| {
        let told = match request.headers().contains_key("metadata") {
            true => answer(
                200,
                &[],
                format!(r#"{{"access_token":"{token}","expires_in":"86399"}}"#),
            ),
            false => answer(400, &[], ""),
        };
        Box::pin(async move { told })
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "the machine's service is a stand-in"
    )]
    let metadata = portolan_egress::MetadataClient::on_loopback(
        machine.address().port(),
        std::time::Duration::from_secs(30),
    );
    let lent = Lent::default()
        .with_environment(HostEnvironment::of([]))
        .with_metadata(metadata);
    let mut planned = with_key("").set("credentials", "implicit");
    planned.secrets.clear();
    let store = Backends::new(None)
        .with_egress(portolan_egress::Egress::new(server.options()))
        .lending(lent)
        .build(&planned.plan())
        .expect("built");
    store.put(&object(), "content".into()).await.expect("put");
    let read = store.get(&object()).await.expect("get").bytes().await;
    assert_eq!(read.expect("bytes"), "content");
}

#[tokio::test]
async fn the_token_of_another_cloud_is_not_sent_here() {
    let server = Server::start();
    let planned = with_client(SECRET).set("environment", "AzureChinaCloud");
    let told = failure(&put(&server.store(&planned)).await);
    assert_eq!(told.class, FailureClass::Denied);
    assert_eq!(
        told.message,
        "the connection's token is not sent to portolantest.blob.core.windows.net: it is for \
         *.blob.core.chinacloudapi.cn over TLS only"
    );
    assert_eq!(server.entra.given(), 0);
}

#[tokio::test]
async fn each_environment_has_its_own_host_login_and_scope() {
    use portolan_servers::{Authority, EntraApplication, EntraStandIn, HttpServer, answer};
    for (environment, host, login) in [
        (
            "AzureUSGovernmentCloud",
            "portolantest.blob.core.usgovcloudapi.net",
            "login.microsoftonline.us",
        ),
        (
            "AzureChinaCloud",
            "portolantest.blob.core.chinacloudapi.cn",
            "login.chinacloudapi.cn",
        ),
    ] {
        let authority = Authority::new("of a cloud");
        let application = EntraApplication {
            tenant: TENANT.to_owned(),
            client: CLIENT.to_owned(),
            secret: SECRET.to_owned(),
        };
        let entra = EntraStandIn::start(&authority, &[login], application);
        let (told, seen) = std::sync::mpsc::channel();
        let storage = HttpServer::encrypted(&authority, &[host], move |request| {
            told.send(request.headers().clone())
                .expect("somebody listens");
            Box::pin(async { answer(201, &[("etag", "\"1\""), ("content-length", "0")], "") })
        });
        let mut planned = with_client(SECRET).set("environment", environment);
        planned.endpoints = vec![(host, 443, true), (login, 443, true)];
        let options = ways(
            &authority.pem(),
            &[
                (&format!("{host}:443"), storage.address()),
                (&format!("{login}:443"), entra.address()),
            ],
        );
        let store = planned.store(options);
        store
            .put(&object(), "content".into())
            .await
            .expect(environment);
        let headers = seen.recv().expect("a request");
        let authorization = headers["authorization"].to_str().expect("text");
        assert!(authorization.starts_with("Bearer ey"), "{authorization}");
        assert_eq!(entra.given(), 1);
    }
}

#[tokio::test]
async fn a_token_that_the_service_does_not_take_any_more_is_renewed_once() {
    use portolan_servers::{HttpServer, answer};
    let server = Server::start();
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let storage = HttpServer::encrypted(&server.authority, &[HOST], move |_| {
        let first = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let told = match first {
            true => refusal(401, "InvalidAuthenticationInfo"),
            false => answer(201, &[("etag", "\"1\""), ("content-length", "0")], ""),
        };
        Box::pin(async move { told })
    });
    let mut options = server.options();
    options
        .connect_to
        .add(&format!("{HOST}:443"), &storage.address().to_string())
        .expect("a line");
    let store = with_client(SECRET).store(options);
    store.put(&object(), "content".into()).await.expect("put");
    assert_eq!(server.entra.given(), 2);
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[tokio::test]
async fn why_the_account_is_not_reached_is_told_by_type() {
    let server = Server::start();
    let refused = |options| {
        let store = server.with_key().store(options);
        async move { failure(&store.head(&object()).await.expect_err("not reached")) }
    };
    let account = format!("{HOST}:443");

    let mut options = server.options();
    options.roots = portolan_egress::tls::TrustRoots::nobody();
    assert_eq!(
        refused(options).await.message,
        "portolantest.blob.core.windows.net:443: the server's certificate comes from an authority \
         that is not trusted"
    );

    // The stand-in's certificate is for the login host.
    let entra = ways(
        &server.authority.pem(),
        &[(&account, server.entra.address())],
    );
    assert_eq!(
        refused(entra).await.message,
        "portolantest.blob.core.windows.net:443: the server's certificate is for another name"
    );

    let nobody = ways(&server.authority.pem(), &[(&account, nobody())]);
    expect(
        &refused(nobody).await,
        "08001",
        "portolantest.blob.core.windows.net:443 refused the connection",
        "check the port, and that the server is running",
    );

    let named = |addresses: &[[u8; 4]]| portolan_egress::EgressOptions {
        resolver: Arc::new(Names(addresses.iter().map(|one| (*one).into()).collect())),
        ..Default::default()
    };
    let told = refused(named(&[])).await;
    assert_eq!(told.class, FailureClass::Unreachable);
    assert_eq!(
        told.message,
        "the name portolantest.blob.core.windows.net does not resolve"
    );
    let told = refused(named(&[[169, 254, 169, 254]])).await;
    assert_eq!(told.class, FailureClass::Denied);
}
