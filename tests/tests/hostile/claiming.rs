//! A manifest that claims what another provider has, at the host's door.

use std::sync::Arc;

use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{AddProvider, Host, Principal, Session, SqlState};
use portolan_egress::Policy;
use portolan_tests::hostile;
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A host with the built-in providers, and its administrator.
pub(crate) async fn administrator(directory: &TempDir) -> Session {
    administrator_under(directory, Policy::default()).await
}

/// The same, under a policy of its own.
pub(crate) async fn administrator_under(directory: &TempDir, policy: Policy) -> Session {
    let path = |name: &str| directory.path().join(name);
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: path("catalog.db"),
        key: KeySource::File(path("master.key")),
    })
    .expect("a catalog");
    let host = Host::builder()
        .catalog(CatalogHandle::new(Arc::new(catalog), Handle::current()))
        .plugins_dir(path("plugins"))
        .external_io_dir(path("extern"))
        .policy(policy)
        .build()
        .await
        .expect("a host");
    host.session(Principal::new("root"))
}

/// Refused unless it is to take over, and the refusal leaves no file behind.
async fn is_refused(manifest: &str, sentence: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let root = administrator(&directory).await;
    let component = hostile::with_manifest(manifest).expect("a component");
    let error = root
        .add_provider(&component, AddProvider::default())
        .await
        .expect_err("it is refused");
    assert_eq!(error.message(), sentence);
    assert_eq!(error.sqlstate(), SqlState::DuplicateObject);
    assert_eq!(
        error.hint(),
        Some("add it with --replace if it is to take over")
    );
    let left = std::fs::read_dir(directory.path().join("plugins"));
    assert_eq!(left.map_or(0, Iterator::count), 0);
    // The same host takes the guest as it is.
    let good = hostile::with_manifest(hostile::MANIFEST).expect("a component");
    root.add_provider(&good, AddProvider::default())
        .await
        .expect("added");
}

#[tokio::test]
pub(crate) async fn claims_a_scheme_of_another_provider() {
    let manifest = hostile::MANIFEST.replace("[\"hostile\"]", "[\"hostile\", \"nodelocal\"]");
    is_refused(
        &manifest,
        "provider hostile claims the scheme nodelocal, which provider nodelocal has",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn claims_the_name_of_another_provider() {
    let manifest = hostile::MANIFEST.replace("name = \"hostile\"", "name = \"nodelocal\"");
    is_refused(
        &manifest,
        "provider nodelocal claims the name nodelocal, which provider nodelocal has",
    )
    .await;
}
