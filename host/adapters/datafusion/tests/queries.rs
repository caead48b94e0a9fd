//! DataFusion over named connections: what it writes and reads, and when it is refused.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;

use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreUrl};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use object_store_0_13::memory::InMemory;
use object_store_0_13::path::Path;
use object_store_0_13::{ObjectStore, ObjectStoreExt};
use portolan::{Principal, SqlState};
use portolan_datafusion::{Connections, refusal};
use support::{World, number, query, refused};
use url::Url;

const NO_USAGE: &str = "user carl does not have USAGE privilege on external_connection lake";

/// The one file of the table in each place.
const OBJECT: &str = "t/1.parquet";

/// A store with a table of one number in each of two places, which `lake` and `other` name.
async fn world() -> World {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER carl",
            "CREATE USER eve",
            "CREATE EXTERNAL CONNECTION lake AS 'nodelocal://1/lake'",
            "CREATE EXTERNAL CONNECTION other AS 'nodelocal://1/other'",
            "GRANT USAGE ON EXTERNAL CONNECTION lake TO carl",
        ])
        .await;
    let root = world.context("root");
    for (name, value) in [("lake", 1), ("other", 2)] {
        let sql = format!(
            "COPY (SELECT {value} AS n) TO 'external://{name}/t/1.parquet' STORED AS PARQUET"
        );
        query(&root, &sql).await.expect("written");
    }
    world
}

/// A session of carl's that knows the table of `lake`.
async fn with_table(world: &World) -> SessionContext {
    let carl = world.context("carl");
    let sql = "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 'external://lake/t/'";
    query(&carl, sql).await.expect("a table");
    carl
}

/// The store of `lake`, as a query of this session gets it.
fn held(context: &SessionContext) -> Arc<dyn ObjectStore> {
    let url = ObjectStoreUrl::parse("external://lake").expect("a URL");
    let store = context.runtime_env().object_store(url);
    store.expect("a store")
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_datafusion_wrote_to_a_connection_is_queried_back_by_sql() {
    let world = world().await;
    let carl = world.context("carl");
    let rows = "(VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, NULL, 3.5)) AS t(n, name, price)";
    let copy = "TO 'external://lake/2026/may%20day.parquet' STORED AS PARQUET";
    let written = query(&carl, &format!("COPY (SELECT * FROM {rows}) {copy}")).await;
    assert_eq!(number(&written.expect("written")), 3);
    let file = std::fs::read(world.external().join("lake/2026/may day.parquet"));
    assert!(file.expect("the file").starts_with(b"PAR1"));

    let carl = world.context("carl");
    let sql = "CREATE EXTERNAL TABLE sales STORED AS PARQUET LOCATION 'external://lake/2026/'";
    query(&carl, sql).await.expect("a table");
    let sql = "SELECT sum(n) FROM sales WHERE name IS NOT NULL AND price > 1";
    assert_eq!(number(&query(&carl, sql).await.expect("rows")), 3);
    query(&carl, "INSERT INTO sales VALUES (10, 'ten', 10.5)")
        .await
        .expect("a second file");
    assert_eq!(number(&query(&carl, sql).await.expect("rows")), 13);

    let location = "external://lake/2026/may%20day.parquet";
    let read = carl.read_parquet(location, ParquetReadOptions::default());
    assert_eq!(read.await.expect("a frame").count().await.expect("rows"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_open_while_it_is_used_and_once_for_all_who_use_it() {
    let world = world().await;
    let carl = with_table(&world).await;
    assert!(world.host.open_handles().is_empty(), "it has been read");
    let store = held(&carl);
    assert!(
        world.host.open_handles().is_empty(),
        "nothing was asked of it"
    );
    store.head(&Path::from(OBJECT)).await.expect("an object");
    query(&carl, "SELECT n FROM t").await.expect("rows");
    let open = world.host.open_handles();
    assert_eq!(open.len(), 1);
    assert_eq!((&*open[0].principal, open[0].follow), ("carl", true));
    drop(store);
    assert!(world.host.open_handles().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_use_a_connection_is_refused_in_portolans_own_words() {
    let world = world().await;
    let eve = world.context("eve");
    for name in ["lake", "missing"] {
        let location = format!("external://{name}/t/");
        let words = format!("user eve does not have USAGE privilege on external_connection {name}");
        for sql in [
            format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{location}'"),
            format!("COPY (SELECT 1) TO '{location}2.parquet' STORED AS PARQUET"),
        ] {
            let error = query(&eve, &sql).await.expect_err(&sql);
            let refusal = refusal(&error).expect("a refusal");
            assert_eq!(refusal.sqlstate(), SqlState::InsufficientPrivilege);
            assert_eq!(refusal.message(), words);
            assert!(refusal.hint().is_some(), "{refusal:?}");
            assert!(error.to_string().contains(&words), "{error}");
        }
    }
    assert!(world.host.open_handles().is_empty());
    assert!(!world.external().join("lake/t/2.parquet").exists());
    // The privilege of one session is not another's: the table is there, and carl reads it.
    let carl = with_table(&world).await;
    assert_eq!(
        number(&query(&carl, "SELECT n FROM t").await.expect("rows")),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_alter_a_table_and_a_store_that_is_held_read_the_new_version() {
    let world = world().await;
    let carl = with_table(&world).await;
    let store = held(&carl);
    let object = Path::from(OBJECT);
    let before = store.get(&object).await.expect("an object");
    let before = before.bytes().await.expect("its bytes");
    assert_eq!(
        number(&query(&carl, "SELECT n FROM t").await.expect("rows")),
        1
    );
    world
        .run(&["ALTER EXTERNAL CONNECTION lake AS 'nodelocal://1/other'"])
        .await;
    assert_eq!(
        number(&query(&carl, "SELECT n FROM t").await.expect("rows")),
        2
    );
    // Both places have a file of this path and size, and its statistics answer this one.
    assert_eq!(
        number(&query(&carl, "SELECT max(n) FROM t").await.expect("rows")),
        2
    );
    let after = store.get(&object).await.expect("an object");
    assert_ne!(after.bytes().await.expect("its bytes"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_revoke_a_query_is_refused_whatever_datafusion_saw_before_and_after_grant_it_works() {
    let world = world().await;
    let carl = with_table(&world).await;
    let store = held(&carl);
    let object = Path::from(OBJECT);
    store.head(&object).await.expect("an object");
    let counted = "SELECT count(*) FROM t";
    let queries = [counted, "SELECT max(n) FROM t", "SELECT n FROM t"];
    for sql in queries {
        assert_eq!(number(&query(&carl, sql).await.expect("rows")), 1);
    }
    world
        .run(&["REVOKE USAGE ON EXTERNAL CONNECTION lake FROM carl"])
        .await;
    for sql in queries {
        assert_eq!(refused(&carl, sql).await.message(), NO_USAGE, "{sql}");
    }
    let error = store.head(&object).await.expect_err("revoked");
    assert!(error.to_string().contains(NO_USAGE), "{error}");
    world
        .run(&["GRANT USAGE ON EXTERNAL CONNECTION lake TO carl"])
        .await;
    assert_eq!(number(&query(&carl, counted).await.expect("rows")), 1);
    store.head(&object).await.expect("granted again");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_drop_what_is_held_stays_dead_and_a_later_query_looks_the_name_up_anew() {
    let world = world().await;
    let carl = with_table(&world).await;
    let store = held(&carl);
    let object = Path::from(OBJECT);
    store.head(&object).await.expect("an object");
    world.run(&["DROP EXTERNAL CONNECTION lake"]).await;
    let dropped = refused(&carl, "SELECT n FROM t").await;
    assert_eq!(dropped.sqlstate(), SqlState::UndefinedObject);
    assert_eq!(dropped.message(), "external connection lake was dropped");
    world
        .run(&[
            "ALTER EXTERNAL CONNECTION other RENAME TO lake",
            "GRANT USAGE ON EXTERNAL CONNECTION lake TO carl",
        ])
        .await;
    let error = store.head(&object).await.expect_err("another connection");
    assert!(error.to_string().contains("was dropped"), "{error}");
    drop(store);
    assert_eq!(
        number(&query(&carl, "SELECT n FROM t").await.expect("rows")),
        2
    );
    world.run(&["DROP EXTERNAL CONNECTION lake"]).await;
    assert_eq!(refused(&carl, "SELECT n FROM t").await.message(), NO_USAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_connections_is_reachable_unless_the_program_says_so() {
    let world = world().await;
    let file = world.external().join("lake/t/1.parquet");
    let file = Url::from_file_path(file).expect("a URL").to_string();
    let root = world.context("root");
    for location in [&*file, "s3://AKIA:hunter2hunter2@bucket/t/", "memory:///t/"] {
        let read = root.read_parquet(location, ParquetReadOptions::default());
        let error = read.await.expect_err(location);
        let told = format!("{error} {error:?}");
        assert!(told.contains("no object store is registered"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
    let memory = InMemory::new();
    let stored = std::fs::read(world.external().join("other/t/1.parquet")).expect("the file");
    let object = Path::from(OBJECT);
    let put = memory.put(&object, stored.into());
    put.await.expect("written");
    let memory = Arc::new(memory);
    // A store that is registered in the place of a connection is not what is read.
    for place in ["memory://", "external://lake"] {
        let store = Arc::<InMemory>::clone(&memory);
        root.register_object_store(&url(place), store);
    }
    for (location, value) in [("memory:///t/", 2), ("external://lake/t/", 1)] {
        let read = root.read_parquet(location, ParquetReadOptions::default());
        let rows = read.await.expect("a frame").collect().await;
        assert_eq!(number(&rows.expect("rows")), value, "{location}");
    }
    let local = Connections::new(world.host.session(Principal::new("root")))
        .beside(Arc::new(DefaultObjectStoreRegistry::new()));
    let runtime = local.runtime().build_arc().expect("a runtime");
    let local = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    let read = local.read_parquet(&*file, ParquetReadOptions::default());
    let rows = read.await.expect("a frame").collect().await.expect("rows");
    assert_eq!(number(&rows), 1);
}
