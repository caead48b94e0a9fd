//! Adding, inspecting and removing providers.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use portolan::{AddProvider, Operation, SqlState};
use support::{World, assert_state, refused, rows, run};

fn nodelocal() -> &'static portolan_plugins::BuiltIn {
    portolan_plugins::built_in_named("nodelocal").expect("it is built in")
}

/// How many providers SHOW PROVIDERS lists of a store to which none was added.
fn built_in() -> usize {
    portolan_plugins::built_in().len()
}

/// The features of a crate of this repository, those that a feature `default` turns on apart.
fn features(folder: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder)
        .join("Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("the manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let mut features = manifest["features"].as_table().expect("a table").clone();
    let by_default = features.remove("default").expect("a default");
    let by_default = by_default.try_into().expect("names");
    (
        features.into_iter().map(|(name, _)| name).collect(),
        by_default,
    )
}

#[test]
fn library_and_program_pass_on_the_feature_of_every_provider() {
    let of_plugins = features("plugins");
    assert!(of_plugins.0.contains("nodelocal"));
    for folder in ["host/portolan", "host/cli"] {
        assert_eq!(features(folder), of_plugins, "{folder}");
    }
}

/// nodelocal under another name and scheme.
fn other() -> Vec<u8> {
    renamed("schemes = [\"otherlocal\"]")
}

/// nodelocal under another name: the manifest is the last section of a component.
fn renamed(schemes: &str) -> Vec<u8> {
    let built_in = nodelocal();
    let manifest = built_in
        .manifest
        .replace("name = \"nodelocal\"", "name = \"otherlocal\"")
        .replace("schemes = [\"nodelocal\"]", schemes);
    let name = b"portolan:manifest";
    let section_size = 1 + name.len() + built_in.manifest.len();
    // The section begins with its number and its size in as many bytes as LEB128 takes.
    let size_bytes = leb128(section_size).len();
    let before = built_in.component.len() - section_size - size_bytes - 1;
    let mut component = built_in.component[..before].to_vec();
    component.push(0);
    component.extend(leb128(1 + name.len() + manifest.len()));
    component.push(u8::try_from(name.len()).expect("short"));
    component.extend(name);
    component.extend(manifest.as_bytes());
    component
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_added_used_inspected_and_removed() {
    let world = World::new().await;
    let root = world.root();
    let added = root
        .add_provider(&other(), AddProvider::default())
        .await
        .expect("added");
    let listed = rows(&root, "SHOW PROVIDERS").await;
    assert_eq!(listed.len(), built_in() + 1);
    let added_row = listed.iter().find(|row| row[0] == "otherlocal");
    assert_eq!(added_row.expect("listed")[6], added.digest());
    let inspected = root.inspect_provider("otherlocal").await.expect("there");
    assert_eq!(inspected.digest(), added.digest());
    // Another process has it as well.
    let other_host = world.another().await;
    let session = other_host.session(portolan::Principal::new("root"));
    let create = "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'";
    run(&session, create).await;

    let error = root
        .add_provider(&other(), AddProvider::default())
        .await
        .expect_err("it is there");
    assert_state(
        &error,
        SqlState::DuplicateObject,
        "provider otherlocal claims the name otherlocal, which provider otherlocal has",
    );
    root.remove_provider("otherlocal").await.expect("removed");
    assert_eq!(rows(&root, "SHOW PROVIDERS").await.len(), built_in());
    let sql = "CREATE EXTERNAL CONNECTION b AS 'otherlocal://1/a'";
    assert_eq!(
        refused(&root, sql).await.sqlstate(),
        SqlState::FeatureNotSupported
    );
    assert_eq!(
        std::fs::read_dir(world.path().join("plugins"))
            .expect("the directory")
            .count(),
        0
    );
    let error = root
        .remove_provider("nodelocal")
        .await
        .expect_err("built-in");
    assert_eq!(error.sqlstate(), SqlState::UndefinedObject);
    let trail = world.audit().await;
    let actions: Vec<_> = trail
        .iter()
        .filter(|row| row.action.ends_with("PROVIDER"))
        .map(|row| (row.action.as_str(), row.outcome.as_str()))
        .collect();
    assert_eq!(
        actions,
        [
            ("ADD PROVIDER", "ok"),
            ("ADD PROVIDER", "failed"),
            ("REMOVE PROVIDER", "ok"),
            ("REMOVE PROVIDER", "failed")
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_removed_provider_stay_and_are_used_again_once_it_is_added_again() {
    let world = World::new().await;
    let root = world.root();
    let add = async || root.add_provider(&other(), AddProvider::default()).await;
    add().await.expect("added");
    run(&root, "CREATE EXTERNAL CONNECTION b AS 'otherlocal://1/b'").await;
    root.remove_provider("otherlocal").await.expect("removed");
    let open = async || root.open("external://b", Operation::Backup).await;
    let error = open().await.expect_err("its provider is gone");
    assert_state(
        &error,
        SqlState::ObjectNotInPrerequisiteState,
        "provider otherlocal of external connection b is not in force",
    );
    assert_eq!(
        error.hint(),
        Some("add it again with `portolan provider add`")
    );
    let shown = rows(&root, "SHOW EXTERNAL CONNECTIONS").await;
    assert_eq!(shown, [["b", "otherlocal://1/b", "STORAGE"]]);
    add().await.expect("added again");
    open().await.expect("opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_that_is_taken_is_refused_unless_it_is_to_be_replaced() {
    let world = World::new().await;
    let root = world.root();
    let component = nodelocal().component;
    let error = root
        .add_provider(component, AddProvider::default())
        .await
        .expect_err("taken");
    assert_eq!(error.sqlstate(), SqlState::DuplicateObject);
    assert!(
        !world.path().join("plugins").exists(),
        "nothing was laid down"
    );
    let replace = AddProvider {
        replace: true,
        ..AddProvider::default()
    };
    root.add_provider(component, replace)
        .await
        .expect("replaced");
    let listed = rows(&root, "SHOW PROVIDERS").await;
    assert_eq!(listed.len(), built_in());
    let replaced = listed.iter().find(|row| row[0] == "nodelocal");
    assert_ne!(replaced.expect("listed")[5], "built-in");
    run(&root, "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_is_listed_with_the_provider_that_has_it() {
    let world = World::new().await;
    let root = world.root();
    let replace = AddProvider {
        replace: true,
        ..AddProvider::default()
    };
    let component = renamed("schemes = [\"otherlocal\", \"nodelocal\"]");
    let added = root.add_provider(&component, replace).await;
    added.expect("replaced");
    let listed = rows(&root, "SHOW PROVIDERS").await;
    let schemes = |name: &str| {
        let row = listed.iter().find(|row| row[0] == name);
        row.expect("listed")[2].clone()
    };
    assert_eq!(schemes("otherlocal"), "otherlocal, nodelocal");
    assert_eq!(schemes("nodelocal"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_was_exchanged_is_not_loaded() {
    let world = World::new().await;
    world
        .root()
        .add_provider(&other(), AddProvider::default())
        .await
        .expect("added");
    let plugins = world.path().join("plugins");
    let file = std::fs::read_dir(plugins)
        .expect("the directory")
        .next()
        .expect("a file")
        .expect("a file")
        .path();
    // Another component, a damaged one, and something else altogether: none of it is even read.
    let damaged = [&other()[..], b"x"].concat();
    for exchanged in [nodelocal().component, &damaged, b"[manifest"] {
        std::fs::write(&file, exchanged).expect("exchanged");
        let host = world.another().await;
        let error = refused(
            &host.session(portolan::Principal::new("root")),
            "EXPLAIN CREATE EXTERNAL CONNECTION a AS 'otherlocal://1/a'",
        )
        .await;
        assert_eq!(error.sqlstate(), SqlState::DataCorrupted, "{error:?}");
        assert!(error.message().contains("SHA-256"), "{error:?}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains("--replace")),
            "{error:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_adds_and_removes() {
    let world = World::new().await;
    run(&world.root(), "CREATE USER eve").await;
    let eve = world.session("eve");
    let added = eve.add_provider(&other(), AddProvider::default()).await;
    let removed = eve.remove_provider("nodelocal").await;
    for error in [added.err(), removed.err()] {
        assert_state(
            &error.expect("refused"),
            SqlState::InsufficientPrivilege,
            "only users with the admin role are allowed to add or remove providers",
        );
    }
    assert!(!world.path().join("plugins").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_a_provider_in_vain_is_in_the_trail_before_anything_is_added() {
    let world = World::new().await;
    run(&world.root(), "CREATE USER eve").await;
    let start = world.audit().await.len();
    let refused = world.session("eve").examine_provider(&other()).await;
    assert_eq!(
        refused.expect_err("no administrator").sqlstate(),
        SqlState::InsufficientPrivilege
    );
    let broken = world.root().examine_provider(b"no component").await;
    broken.expect_err("no component");
    let examined = world.root().examine_provider(&other()).await;
    assert_eq!(examined.expect("a provider").manifest().name, "otherlocal");
    let rows: Vec<_> = world.audit().await.into_iter().skip(start).collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (&*row.principal, &*row.action, row.outcome.as_str()))
        .collect();
    assert_eq!(
        rows,
        [
            ("eve", "ADD PROVIDER", "refused"),
            ("root", "ADD PROVIDER", "failed")
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_the_program_carries_is_embedded_and_makes_connections() {
    let world = World::with(|builder| builder.component(other())).await;
    let root = world.root();
    let create = "CREATE EXTERNAL CONNECTION a AS 'otherlocal://1/a'";
    run(&root, create).await;
    let shown = rows(&root, "SHOW EXTERNAL CONNECTIONS").await;
    assert_eq!(shown, [["a", "otherlocal://1/a", "STORAGE"]]);
    let listed = rows(&root, "SHOW PROVIDERS").await;
    assert_eq!(listed.len(), built_in() + 1);
    let row = listed.iter().find(|row| row[0] == "otherlocal");
    assert_eq!(row.expect("listed")[5], "embedded");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_components_that_claim_one_scheme_make_no_host() {
    let world = World::new().await;
    for component in [nodelocal().component.to_vec(), other()] {
        let error = support::builder(world.path())
            .catalog(world.catalog.clone())
            .component(component)
            .component(other())
            .build()
            .await
            .expect_err("one of them is too many");
        assert_eq!(error.sqlstate(), SqlState::DuplicateObject, "{error:?}");
        assert_eq!(
            error.hint(),
            Some("leave one of the two out of the host"),
            "{error:?}"
        );
    }
}
