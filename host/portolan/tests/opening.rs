//! Opening a connection again reads nothing from the catalog, and never opens what was once.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan::catalog::access::{ReadFunction, StateMark, WriteFunction};
use portolan::catalog::{
    AuditOutcome, Catalog, CatalogError, CatalogHandle, CatalogId, ConnectionPrivilege, KeySource,
    SqliteCatalog, SqliteOptions,
};
use portolan::{Error, Host, Operation, Policy, Principal, Session, SqlState, StorageConnection};
use support::{World, run};

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

async fn open(session: &Session, name: &str) -> Result<StorageConnection, Error> {
    let url = format!("external://{name}");
    session.open(&url, Operation::Backup).await?.into_storage()
}

/// Opens twice, so that the second time it is known.
async fn open_known(session: &Session, name: &str) -> StorageConnection {
    open(session, name).await.expect("opened");
    open(session, name).await.expect("opened again")
}

async fn refused(session: &Session, name: &str) -> SqlState {
    open(session, name).await.expect_err("refused").sqlstate()
}

fn catalog_in(directory: &std::path::Path) -> SqliteCatalog {
    SqliteCatalog::open(SqliteOptions {
        path: directory.join("catalog.sqlite"),
        key: KeySource::File(directory.join("master.key")),
    })
    .expect("a catalog")
}

/// A catalog that counts its read transactions, and does something after one.
struct Watched {
    catalog: SqliteCatalog,
    reads: AtomicUsize,
    after_read: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Catalog for Watched {
    fn id(&self) -> CatalogId {
        self.catalog.id()
    }

    fn mark(&self) -> Option<StateMark> {
        self.catalog.mark()
    }

    fn read(&self, function: &mut ReadFunction<'_>) -> Result<(), CatalogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let read = self.catalog.read(function);
        let after = self.after_read.lock().expect("a lock").take();
        if let Some(after) = after {
            after();
        }
        read
    }

    fn write(&self, function: &mut WriteFunction<'_>) -> Result<u64, CatalogError> {
        self.catalog.write(function)
    }
}

/// Another host over the files of `world`, and its catalog.
async fn watched(world: &World) -> (Host, Arc<Watched>) {
    let watched = Arc::new(Watched {
        catalog: catalog_in(world.path()),
        reads: AtomicUsize::new(0),
        after_read: Mutex::default(),
    });
    let catalog: Arc<dyn Catalog> = Arc::<Watched>::clone(&watched);
    let runtime = tokio::runtime::Handle::current();
    let host = support::builder(world.path())
        .catalog(CatalogHandle::new(catalog, runtime))
        .build()
        .await
        .expect("a host");
    (host, watched)
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_known_connection_begins_no_transaction() {
    let world = world().await;
    let (host, watched) = watched(&world).await;
    let carl = host.session(Principal::new("carl"));
    open(&carl, "a").await.expect("opened");
    let reads = watched.reads.load(Ordering::SeqCst);
    for _ in 0..10 {
        open(&carl, "a").await.expect("opened");
    }
    assert_eq!(watched.reads.load(Ordering::SeqCst), reads);
    // What is known is known of one principal and one use.
    open(&host.session(Principal::new("root")), "a")
        .await
        .expect("opened");
    assert_eq!(watched.reads.load(Ordering::SeqCst), reads + 1);
    let keys = carl.open("external://a", Operation::EncryptedBackup).await;
    let error = keys.expect_err("no key");
    assert_eq!(error.sqlstate(), SqlState::WrongObjectType);
    // And until anything changes.
    world
        .run(&["COMMENT ON EXTERNAL CONNECTION a IS 'x'"])
        .await;
    open(&carl, "a").await.expect("opened");
    assert_eq!(watched.reads.load(Ordering::SeqCst), reads + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_host_changed_is_seen_by_the_very_next_open() {
    let world = world().await;
    let carl = world.session("carl");
    let other = world.another().await.session(Principal::new("root"));
    for round in 0..20_u64 {
        let handle = open_known(&carl, "a").await;
        assert_eq!(handle.version(), round + 1);
        run(&other, "REVOKE USAGE ON EXTERNAL CONNECTION a FROM carl").await;
        assert_eq!(refused(&carl, "a").await, SqlState::InsufficientPrivilege);
        run(&other, "GRANT USAGE ON EXTERNAL CONNECTION a TO carl").await;
        open_known(&carl, "a").await;
        let sql = format!("ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/{round}'");
        run(&other, &sql).await;
        let handle = open(&carl, "a").await.expect("opened");
        let store = handle.object_store();
        store.put(&Path::from("x"), "x".into()).await.expect("put");
        assert!(world.external().join(format!("{round}/x")).exists());
    }
    let root = world.root();
    open_known(&root, "a").await;
    run(&other, "ALTER EXTERNAL CONNECTION a RENAME TO b").await;
    assert_eq!(refused(&root, "a").await, SqlState::UndefinedObject);
    open_known(&root, "b").await;
    run(&other, "DROP EXTERNAL CONNECTION b").await;
    assert_eq!(refused(&root, "b").await, SqlState::UndefinedObject);
    run(
        &other,
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/new'",
    )
    .await;
    assert_eq!(open(&root, "b").await.expect("opened").version(), 1);
    let refusals = world.audit().await;
    let refusals = refusals
        .iter()
        .filter(|row| row.action == "OPEN" && matches!(row.outcome, AuditOutcome::Refused(_)));
    assert_eq!(refusals.count(), 20, "one row for each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_privilege_that_is_taken_away_on_any_way_is_gone_at_once() {
    let world = world().await;
    world
        .run(&[
            "CREATE ROLE readers",
            "CREATE ROLE all_readers",
            "CREATE USER dora",
            "GRANT USAGE ON EXTERNAL CONNECTION a TO all_readers",
            "GRANT all_readers TO readers",
            "GRANT readers TO dora",
        ])
        .await;
    let dora = world.session("dora");
    for (take, give) in [
        ("REVOKE readers FROM dora", "GRANT readers TO dora"),
        (
            "REVOKE all_readers FROM readers",
            "GRANT all_readers TO readers",
        ),
        (
            "REVOKE USAGE ON EXTERNAL CONNECTION a FROM all_readers",
            "ALTER EXTERNAL CONNECTION a OWNER TO dora",
        ),
        (
            "ALTER EXTERNAL CONNECTION a OWNER TO root",
            "GRANT admin TO dora",
        ),
        (
            "REVOKE admin FROM dora",
            "GRANT USAGE ON EXTERNAL CONNECTION a TO public",
        ),
    ] {
        open_known(&dora, "a").await;
        run(&world.root(), take).await;
        let state = refused(&dora, "a").await;
        assert_eq!(state, SqlState::InsufficientPrivilege, "{take}");
        run(&world.root(), give).await;
    }
    open_known(&dora, "a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_one_session_vouches_for_opens_nothing_for_another() {
    let world = world().await;
    world
        .run(&[
            "CREATE ROLE readers",
            "GRANT USAGE ON EXTERNAL CONNECTION a TO readers",
        ])
        .await;
    let vouched = world.host.session(Principal::new("eve").role("readers"));
    open_known(&vouched, "a").await;
    let state = refused(&world.session("eve"), "a").await;
    assert_eq!(state, SqlState::InsufficientPrivilege);
    open_known(&vouched, "a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_right_after_the_catalog_was_read_is_seen_by_the_next_open() {
    let world = world().await;
    let (host, watched) = watched(&world).await;
    let carl = host.session(Principal::new("carl"));
    let other = catalog_in(world.path());
    *watched.after_read.lock().expect("a lock") = Some(Box::new(move || {
        let revoked = other.write(&mut |writer| {
            let connection = writer.connection("a")?.expect("it is there");
            let usage = ConnectionPrivilege::Usage;
            assert!(writer.delete_connection_grant(connection.id, "carl", usage)?);
            Ok(())
        });
        revoked.expect("revoked");
    }));
    open(&carl, "a").await.expect("it was still allowed");
    assert_eq!(refused(&carl, "a").await, SqlState::InsufficientPrivilege);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_moment_judges_a_connection_that_is_known() {
    let allowed = || Policy::with_rules(vec!["127.0.0.1:9".parse().expect("a rule")]);
    let world = World::with(|builder| builder.policy(allowed())).await;
    let create = "CREATE EXTERNAL CONNECTION bucket AS \
                  's3://bucket?AWS_ENDPOINT=http://127.0.0.1:9&AWS_USE_PATH_STYLE=true&\
                  AWS_ACCESS_KEY_ID=id&AWS_SECRET_ACCESS_KEY=secret' WITH VALIDATE = 'none'";
    world.run(&[create]).await;
    let root = world.root();
    open_known(&root, "bucket").await;
    world.host.set_policy(Policy::default());
    assert_eq!(
        refused(&root, "bucket").await,
        SqlState::InsufficientPrivilege
    );
    world.host.set_policy(allowed());
    open_known(&root, "bucket").await;
}
