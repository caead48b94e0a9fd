//! What `open` gives, and when it stops working.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan::catalog::AuditOutcome;
use portolan::{Error, OpenOptions, Operation, Policy, Session, SqlState, StorageConnection};
use support::{World, assert_state, run};

async fn world() -> World {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER carl",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
            "GRANT USAGE ON EXTERNAL CONNECTION a TO carl",
        ])
        .await;
    world
}

async fn open(session: &Session, url: &str) -> Result<StorageConnection, Error> {
    session.open(url, Operation::Backup).await?.into_storage()
}

async fn follow(session: &Session, url: &str) -> StorageConnection {
    session
        .open_with(url, Operation::Backup, OpenOptions { follow: true })
        .await
        .expect("opened")
        .into_storage()
        .expect("a store")
}

async fn put(handle: &StorageConnection, name: &str) -> Result<(), Error> {
    let store = handle.object_store();
    store.put(&Path::from(name), name.to_owned().into()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_reads_and_writes_below_its_url() {
    let world = world().await;
    let handle = open(&world.session("carl"), "external://a/2026/may%20day/")
        .await
        .expect("opened");
    put(&handle, "one").await.expect("written");
    let file = world.external().join("a/2026/may day/one");
    assert_eq!(std::fs::read(file).expect("the file"), b"one");
    assert_eq!(handle.version(), 1);
    assert!(handle.is_current().await);
    assert!(handle.capabilities().create_if_absent);
    assert!(
        handle
            .capabilities()
            .operations
            .contains(&Operation::Transfer)
    );
    let mut upload = handle
        .multipart()
        .put_multipart(&Path::from("two"))
        .await
        .expect("begun");
    upload.put_part("two".into()).await.expect("a part");
    upload.complete().await.expect("whole");
    assert!(world.external().join("a/2026/may day/two").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_use_a_connection_learns_nothing_about_it() {
    let world = world().await;
    run(&world.root(), "CREATE USER eve").await;
    let eve = world.session("eve");
    for name in ["a", "missing"] {
        let error = open(&eve, &format!("external://{name}"))
            .await
            .expect_err("no USAGE");
        assert_state(
            &error,
            SqlState::InsufficientPrivilege,
            &format!("user eve does not have USAGE privilege on external_connection {name}"),
        );
    }
    let error = open(&world.root(), "external://missing")
        .await
        .expect_err("there is none");
    assert_state(
        &error,
        SqlState::UndefinedObject,
        "failed to load external connection object: external connection with name missing does \
         not exist",
    );
    let refusals: Vec<_> = world
        .audit()
        .await
        .into_iter()
        .filter(|row| row.principal == "eve")
        .collect();
    assert_eq!(refusals.len(), 2);
    assert_eq!(refusals[0].action, "OPEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_refused_is_in_the_trail_once_for_each_verdict() {
    let world = world().await;
    let carl = world.session("carl");
    let opened = carl.open("external://a", Operation::Backup).await;
    let store = opened.expect("opened").into_storage().expect("a store");
    let uses = async || -> Vec<_> {
        let trail = world.audit().await.into_iter();
        let uses = trail.filter(|row| row.action == "USE");
        uses.map(|row| {
            let object = row.object.map(|object| object.to_string());
            (row.principal, object, row.outcome)
        })
        .collect()
    };
    let put = async || store.object_store().put(&"x".into(), "x".into()).await;
    put().await.expect("written");
    assert_eq!(uses().await, []);
    let row = |outcome| ("carl".to_owned(), Some("connection a".to_owned()), outcome);
    let refused = || row(AuditOutcome::Refused("42501".to_owned()));
    let revoke = "REVOKE USAGE ON EXTERNAL CONNECTION a FROM carl";
    world.run(&[revoke]).await;
    assert!(!store.is_current().await, "to look is no use");
    assert_eq!(uses().await, []);
    for _ in 0..3 {
        put().await.expect_err("revoked");
    }
    assert_eq!(uses().await, [refused()]);
    world
        .run(&["GRANT USAGE ON EXTERNAL CONNECTION a TO carl"])
        .await;
    put().await.expect("written");
    world.run(&[revoke]).await;
    put().await.expect_err("revoked again");
    assert_eq!(uses().await, [refused(), refused()]);
    world.run(&["DROP EXTERNAL CONNECTION a"]).await;
    put().await.expect_err("dropped");
    let dropped = row(AuditOutcome::Failed("42704".to_owned()));
    assert_eq!(uses().await, [refused(), refused(), dropped]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_use_than_the_connections_is_refused() {
    let world = world().await;
    let refused = world
        .root()
        .open("external://a", Operation::EncryptedBackup)
        .await;
    assert_state(
        &refused.expect_err("no key"),
        SqlState::WrongObjectType,
        "KMS cannot use object of type STORAGE",
    );
    let refused = world
        .root()
        .open("external://a", Operation::SchemaRegistry)
        .await;
    assert_state(
        &refused.expect_err("no registry"),
        SqlState::FeatureNotSupported,
        "SCHEMA REGISTRY cannot use external connection a: provider nodelocal supports BACKUP, \
         RESTORE, IMPORT, EXPORT, CHANGEFEED, TRANSFER",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_revoke_the_next_operation_fails_and_after_a_grant_it_works_again() {
    let world = world().await;
    let handle = open(&world.session("carl"), "external://a")
        .await
        .expect("opened");
    put(&handle, "one").await.expect("written");
    run(
        &world.root(),
        "REVOKE USAGE ON EXTERNAL CONNECTION a FROM carl",
    )
    .await;
    assert_state(
        &put(&handle, "two").await.expect_err("revoked"),
        SqlState::InsufficientPrivilege,
        "user carl does not have USAGE privilege on external_connection a",
    );
    assert!(!handle.is_current().await);
    assert!(!world.external().join("a/two").exists());
    run(
        &world.root(),
        "GRANT USAGE ON EXTERNAL CONNECTION a TO carl",
    )
    .await;
    put(&handle, "two").await.expect("granted again");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_drop_a_handle_stays_dead_though_the_name_comes_back() {
    let world = world().await;
    let handle = open(&world.session("carl"), "external://a")
        .await
        .expect("opened");
    world
        .run(&[
            "DROP EXTERNAL CONNECTION a",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
            "GRANT USAGE ON EXTERNAL CONNECTION a TO carl",
        ])
        .await;
    assert_state(
        &put(&handle, "one").await.expect_err("dropped"),
        SqlState::UndefinedObject,
        "external connection a was dropped",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_another_process_is_noticed_within_a_second() {
    let world = world().await;
    let handle = open(&world.session("carl"), "external://a")
        .await
        .expect("opened");
    put(&handle, "one").await.expect("written");
    let other = world
        .another()
        .await
        .session(portolan::Principal::new("root"));
    run(&other, "REVOKE USAGE ON EXTERNAL CONNECTION a FROM carl").await;
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    let error = put(&handle, "two").await.expect_err("revoked");
    assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_alter_and_rename_a_handle_keeps_its_version_and_one_that_follows_takes_the_newest() {
    let world = world().await;
    let carl = world.session("carl");
    let keeps = open(&carl, "external://a").await.expect("opened");
    let follows = follow(&carl, "external://a").await;
    world
        .run(&[
            "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'",
            "ALTER EXTERNAL CONNECTION a RENAME TO renamed",
        ])
        .await;
    put(&keeps, "kept").await.expect("written");
    put(&follows, "followed").await.expect("written");
    assert!(world.external().join("a/kept").exists());
    assert!(world.external().join("b/followed").exists());
    assert_eq!((keeps.version(), follows.version()), (1, 2));
    assert!(!keeps.is_current().await);
    assert!(follows.is_current().await);
    let names: Vec<_> =
        futures::TryStreamExt::try_collect::<Vec<_>>(follows.object_store().list(None))
            .await
            .expect("a list");
    assert_eq!(names.len(), 2, "the marker and the object: {names:?}");
    run(
        &world.root(),
        "REVOKE USAGE ON EXTERNAL CONNECTION renamed FROM carl",
    )
    .await;
    for handle in [&keeps, &follows] {
        let error = put(handle, "late").await.expect_err("revoked");
        assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_wakes_up_at_the_change() {
    let world = world().await;
    let handle = open(&world.session("carl"), "external://a")
        .await
        .expect("opened");
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.changed().await }
    });
    // Another connection is no change of this one, and a policy that still allows it is none.
    run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/b'",
    )
    .await;
    world.host.set_policy(Policy::default());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    run(
        &world.root(),
        "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/c'",
    )
    .await;
    tokio::time::timeout(Duration::from_millis(900), waiting)
        .await
        .expect("at once")
        .expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_lists_its_open_handles() {
    let world = world().await;
    let carl = open(&world.session("carl"), "external://a")
        .await
        .expect("opened");
    let root = follow(&world.root(), "external://a").await;
    let listed = world.host.open_handles();
    assert_eq!(listed.len(), 2);
    assert_eq!((&*listed[0].principal, listed[0].follow), ("carl", false));
    assert_eq!((&*listed[1].principal, listed[1].follow), ("root", true));
    drop(carl);
    assert_eq!(world.host.open_handles().len(), 1);
    // The store keeps the handle open as well.
    let store = root.object_store();
    drop(root);
    assert_eq!(world.host.open_handles().len(), 1);
    drop(store);
    assert!(world.host.open_handles().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_cannot_climb_out() {
    let world = world().await;
    for path in ["..", "b/%2e%2e/..", "%252e%252e", "a%2f..", "a%00"] {
        let error = open(&world.root(), &format!("external://a/{path}"))
            .await
            .expect_err(path);
        assert_eq!(error.sqlstate(), SqlState::InvalidParameterValue, "{path}");
    }
}
