//! What a statement does with a probe that dials: the host lends it its own way out.

use std::sync::Arc;

use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{AddProvider, Host, Policy, Principal, Session, SqlState};
use portolan_tests::hostile;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::server::{Manner, Server};

/// An administrator of a host with the hostile provider, whose operator admits one port of
/// loopback.
async fn administrator(directory: &TempDir, port: u16) -> Session {
    let path = |name: &str| directory.path().join(name);
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: path("catalog.db"),
        key: KeySource::File(path("master.key")),
    })
    .expect("a catalog");
    std::fs::create_dir(path("extern")).expect("a directory");
    let rule = format!("127.0.0.1:{port}").parse().expect("a rule");
    let host = Host::builder()
        .catalog(CatalogHandle::new(Arc::new(catalog), Handle::current()))
        .plugins_dir(path("plugins"))
        .external_io_dir(path("extern"))
        .policy(Policy::with_rules(vec![rule]))
        .build()
        .await
        .expect("a host");
    let root = host.session(Principal::new("root"));
    let component = hostile::with_manifest(hostile::MANIFEST).expect("a component");
    root.add_provider(&component, AddProvider::default())
        .await
        .expect("added");
    root
}

fn create(port: u16, misdeed: &str) -> String {
    format!("CREATE EXTERNAL CONNECTION c AS 'hostile://127.0.0.1:{port}/{misdeed}?key=abc'")
}

#[tokio::test]
async fn a_probe_of_a_statement_reaches_the_endpoints_of_its_plan() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::plain(Manner::Echoes).await;
    let root = administrator(&directory, server.port).await;
    let sql = create(server.port, "reads_after_it_closed");
    root.execute(&sql, &[]).await.expect("it is created");
    assert_eq!(server.all_ended().await, 1);
    assert_eq!(server.received(), b"hello");
}

/// The secret is too short to be found in a text, and still the cause and the hint are told: they
/// are the host's own.
#[tokio::test]
async fn a_statement_tells_the_cause_and_the_hint_of_the_host() {
    let directory = tempfile::tempdir().expect("a directory");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let address = listener.and_then(|listener| listener.local_addr());
    let port = address.expect("an address").port();
    let root = administrator(&directory, port).await;
    let sql = create(port, "reads_from_a_silent_server");
    let error = root.execute(&sql, &[]).await.expect_err("nobody listens");
    assert_eq!(error.sqlstate(), SqlState::ConnectionFailure);
    assert!(
        error
            .message()
            .ends_with(&format!("127.0.0.1:{port} refused the connection")),
        "{error}"
    );
    assert_eq!(
        error.hint(),
        Some("check the port, and that the server is running")
    );
}
