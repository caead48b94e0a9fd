//! Connections to users' files: whose a set is, who may name it, and who uses it.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod support;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan::catalog::{KeySource, SqliteCatalog, SqliteOptions, UserFileSet};
use portolan::{Operation, Session, SqlState};
use support::{World, assert_state, refused, rows, run, table};

const NOT_YOURS: &str = "42501 user bob may not name this set of user files";

async fn world() -> World {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER ana",
            "CREATE USER bob",
            "GRANT SYSTEM EXTERNALCONNECTION TO ana",
            "GRANT SYSTEM EXTERNALCONNECTION TO bob",
        ])
        .await;
    world
}

async fn store(session: &Session, url: &str) -> std::sync::Arc<dyn ObjectStore> {
    let opened = session.open(url, Operation::Transfer).await.expect(url);
    opened.into_storage().expect("storage").object_store()
}

async fn text(session: &Session, url: &str, name: &str) -> String {
    let object = store(session, url).await.get(&Path::from(name)).await;
    let bytes = object.expect(name).bytes().await.expect("read");
    String::from_utf8(bytes.to_vec()).expect("text")
}

async fn owner(world: &World, set: &str) -> Option<String> {
    let set = set.to_owned();
    let found: Result<Option<UserFileSet>, portolan::catalog::CatalogError> = world
        .catalog
        .read(move |reader| reader.user_file_set(&set))
        .await;
    found.expect("reads").map(|set| set.owner)
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_has_a_set_and_whoever_may_use_a_connection_uses_its_creators() {
    let world = world().await;
    let (ana, bob) = (world.session("ana"), world.session("bob"));
    run(&ana, "CREATE EXTERNAL CONNECTION anas AS 'userfile:///x'").await;
    run(&bob, "CREATE EXTERNAL CONNECTION bobs AS 'userfile:///x'").await;
    run(&ana, "GRANT USAGE ON EXTERNAL CONNECTION anas TO bob").await;
    let file = Path::from("f");
    store(&ana, "external://anas")
        .await
        .put(&file, "ana's".into())
        .await
        .expect("put");
    store(&bob, "external://bobs")
        .await
        .put(&file, "bob's".into())
        .await
        .expect("put");
    assert_eq!(text(&bob, "external://anas", "f").await, "ana's");
    assert_eq!(text(&bob, "external://bobs", "f").await, "bob's");
    assert_eq!(
        owner(&world, "defaultdb.public.userfiles_ana")
            .await
            .as_deref(),
        Some("ana")
    );
    // The host is the same at its next start.
    let another = world.another().await;
    let bob = another.session(portolan::Principal::new("bob"));
    assert_eq!(text(&bob, "external://anas", "f").await, "ana's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_without_a_connection_is_of_the_users_own_set_and_the_trail_says_of_which_uri() {
    let world = world().await;
    let check = "CHECK EXTERNAL CONNECTION 'userfile:///x?COCKROACH_LOCALITY=a%3Db' WITH TRANSFER = '1 KiB'";
    let checked = rows(&world.session("ana"), check).await;
    assert_eq!(checked[0][2], "true", "{checked:?}");
    let last = world.audit().await.pop().expect("a row");
    let object = last.object.map(|it| it.to_string());
    let uri = "uri userfile:///x?COCKROACH_LOCALITY=a%3Db";
    assert_eq!(object.as_deref(), Some(uri));
    assert_eq!(last.detail.as_deref(), Some("1 of 1 workers ok"));
    // What is refused before it is planned is called by its scheme.
    let wrong = "CHECK EXTERNAL CONNECTION 'userfile://a;swordfish'";
    refused(&world.session("ana"), wrong).await;
    let last = world.audit().await.pop().expect("a row");
    let object = last.object.map(|it| it.to_string());
    assert_eq!(object.as_deref(), Some("uri userfile://"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_user_who_named_a_set_first_and_administrators_may_name_it() {
    let world = world().await;
    table(
        &world,
        &[
            ("ana", "CREATE EXTERNAL CONNECTION a AS 'userfile://db.public.shared/x'", "ok"),
            ("bob", "CREATE EXTERNAL CONNECTION b AS 'userfile://db.public.shared/y'", NOT_YOURS),
            // One name, however it is written.
            ("bob", "CREATE EXTERNAL CONNECTION b AS 'userfile://DB.Public.%22shared%22/y'", NOT_YOURS),
            ("bob", "EXPLAIN CREATE EXTERNAL CONNECTION b AS 'userfile://db.public.shared/y'", NOT_YOURS),
            // The set of a user is the user's also before it is used, and in any spelling.
            ("bob", "CREATE EXTERNAL CONNECTION b AS 'userfile://defaultdb.public.userfiles_ana/'", NOT_YOURS),
            ("bob", "CREATE EXTERNAL CONNECTION b AS 'userfile://defaultdb.public.%22userfiles_ana%22/'", NOT_YOURS),
            ("bob", "CREATE EXTERNAL CONNECTION b AS 'userfile://defaultdb.public.%22userfiles_Cy%22/'", NOT_YOURS),
            ("root", "CREATE EXTERNAL CONNECTION r AS 'userfile://db.public.shared/x'", "ok"),
            ("root", "CREATE EXTERNAL CONNECTION s AS 'userfile://defaultdb.public.userfiles_ana/'", "ok"),
            // A check writes, reads and deletes there as well.
            ("bob", "CHECK EXTERNAL CONNECTION 'userfile://db.public.shared/y' WITH TRANSFER = '1 KiB'", NOT_YOURS),
            ("bob", "CHECK EXTERNAL CONNECTION 'userfile://defaultdb.public.userfiles_ana/' WITH TRANSFER = '1 KiB'", NOT_YOURS),
            ("root", "CHECK EXTERNAL CONNECTION 'userfile://db.public.shared/y' WITH TRANSFER = '1 KiB'", "ok"),
            ("ana", "CREATE EXTERNAL CONNECTION t AS 'userfile:///'", "ok"),
            ("bob", "CREATE EXTERNAL CONNECTION b AS 'userfile:///y'", "ok"),
            ("bob", "ALTER EXTERNAL CONNECTION b AS 'userfile://db.public.shared/x'", NOT_YOURS),
            ("bob", "ALTER EXTERNAL CONNECTION b AS 'userfile://db.public.bobs/x'", "ok"),
            ("ana", "ALTER EXTERNAL CONNECTION a AS 'userfile://db.public.bobs/x'", "42501 user ana may not name this set of user files"),
        ],
    )
    .await;
    // Naming it does not make it an administrator's.
    assert_eq!(
        owner(&world, "db.public.shared").await.as_deref(),
        Some("ana")
    );
    assert_eq!(
        owner(&world, "defaultdb.public.userfiles_ana")
            .await
            .as_deref(),
        Some("ana")
    );
    // What was refused took nothing.
    assert_eq!(
        owner(&world, "defaultdb.public.\"userfiles_Cy\"").await,
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_fails_touches_no_file_and_takes_no_set() {
    let world = world().await;
    let bob = world.session("bob");
    run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION r AS 'userfile://db.public.roots/x'",
    )
    .await;
    let error = refused(
        &bob,
        "CREATE EXTERNAL CONNECTION b AS 'userfile://db.public.roots/y'",
    )
    .await;
    assert_state(
        &error,
        SqlState::InsufficientPrivilege,
        "user bob may not name this set of user files",
    );
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("ask an administrator")
    );
    let markers = store(&world.root(), "external://r").await;
    assert!(
        markers
            .head(&Path::from("crdb_external_storage_location"))
            .await
            .is_ok()
    );
    run(
        &world.root(),
        "CREATE EXTERNAL CONNECTION y AS 'userfile://db.public.roots/y' WITH VALIDATE = 'none'",
    )
    .await;
    let other = store(&world.root(), "external://y").await;
    let listed = other.list_with_delimiter(None).await.expect("list");
    assert!(
        listed.objects.is_empty(),
        "bob's probe wrote nothing: {listed:?}"
    );
    refused(
        &bob,
        "CREATE EXTERNAL CONNECTION b AS 'userfile://db.public.new/a/..'",
    )
    .await;
    assert_eq!(owner(&world, "db.public.new").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_edited_validated_or_handed_on_keeps_its_set() {
    let world = world().await;
    let (ana, bob) = (world.session("ana"), world.session("bob"));
    run(&ana, "CREATE EXTERNAL CONNECTION c AS 'userfile:///x'").await;
    store(&ana, "external://c")
        .await
        .put(&Path::from("f"), "ana's".into())
        .await
        .expect("put");
    run(&ana, "GRANT ALL ON EXTERNAL CONNECTION c TO bob").await;
    run(
        &bob,
        "ALTER EXTERNAL CONNECTION c SET (COCKROACH_LOCALITY = 'region=x')",
    )
    .await;
    assert_eq!(text(&bob, "external://c", "f").await, "ana's");
    let steps = rows(&bob, "VALIDATE EXTERNAL CONNECTION c").await;
    assert!(steps.iter().all(|row| row[1] == "ok"), "{steps:?}");
    run(
        &bob,
        "ALTER EXTERNAL CONNECTION c RESET (COCKROACH_LOCALITY)",
    )
    .await;
    assert_eq!(text(&bob, "external://c", "f").await, "ana's");
    run(&world.root(), "ALTER EXTERNAL CONNECTION c OWNER TO bob").await;
    assert_eq!(text(&bob, "external://c", "f").await, "ana's");
    assert_eq!(
        owner(&world, "defaultdb.public.userfiles_ana")
            .await
            .as_deref(),
        Some("ana"),
        "the set stays whose it was"
    );
    // A URI that bob gives names bob's own set.
    run(&bob, "ALTER EXTERNAL CONNECTION c AS 'userfile:///x'").await;
    let error = store(&bob, "external://c")
        .await
        .head(&Path::from("f"))
        .await;
    assert!(error.is_err(), "ana's file is not bob's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_user_of_the_same_name_does_not_get_the_files_of_the_one_before() {
    let world = world().await;
    run(
        &world.session("bob"),
        "CREATE EXTERNAL CONNECTION b AS 'userfile:///x'",
    )
    .await;
    table(
        &world,
        &[
            ("root", "ALTER EXTERNAL CONNECTION b OWNER TO root", "ok"),
            ("root", "DROP USER bob", "ok"),
            ("root", "CREATE USER bob", "ok"),
            ("root", "GRANT SYSTEM EXTERNALCONNECTION TO bob", "ok"),
            (
                "bob",
                "CREATE EXTERNAL CONNECTION n AS 'userfile:///x'",
                NOT_YOURS,
            ),
            (
                "bob",
                "CREATE EXTERNAL CONNECTION n AS 'userfile://db.public.bobs/x'",
                "ok",
            ),
            (
                "root",
                "CREATE EXTERNAL CONNECTION o AS 'userfile://defaultdb.public.userfiles_bob/x'",
                "ok",
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_names_the_set_and_writes_nothing() {
    let world = world().await;
    let ana = world.session("ana");
    let sql = "EXPLAIN CREATE EXTERNAL CONNECTION c AS 'userfile:///x'";
    let shown = rows(&ana, sql).await;
    let set = shown.iter().find(|row| row[0] == "set of user files");
    assert_eq!(set.expect("a row")[1], "defaultdb.public.userfiles_ana");
    assert_eq!(owner(&world, "defaultdb.public.userfiles_ana").await, None);
    assert!(!world.path().join("userfiles.db").exists());
    run(&ana, "SHOW EXTERNAL CONNECTIONS").await;
    assert!(
        !world.path().join("userfiles.db").exists(),
        "nobody asked for it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_says_what_the_store_can_do_and_check_runs_on_it() {
    let world = world().await;
    let root = world.root();
    run(&root, "CREATE EXTERNAL CONNECTION c AS 'userfile:///x'").await;
    let opened = root
        .open("external://c", Operation::Backup)
        .await
        .expect("opens");
    let able = opened.into_storage().expect("storage").capabilities();
    assert!(able.create_if_absent && able.update_if_unchanged);
    assert!(able.attributes && able.atomic_multipart);
    let checked = rows(&root, "CHECK EXTERNAL CONNECTION c WITH TRANSFER = '1MiB'").await;
    assert!(!checked.is_empty());
    let implicit = rows(
        &root,
        "EXPLAIN CREATE EXTERNAL CONNECTION d AS 'userfile:///x'",
    )
    .await;
    assert!(implicit.iter().all(|row| row[0] != "implicit access"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_and_a_damaged_store_have_their_own_states() {
    let world = world().await;
    let root = world.root();
    run(&root, "CREATE EXTERNAL CONNECTION c AS 'userfile:///x'").await;
    let file = world.path().join("userfiles.db");
    let other = rusqlite::Connection::open(&file).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let error = refused(&root, "CREATE EXTERNAL CONNECTION d AS 'userfile:///x'").await;
    assert_eq!(error.sqlstate(), SqlState::LockNotAvailable, "{error:?}");
    let error = store(&root, "external://c")
        .await
        .put(&Path::from("f"), "x".into())
        .await;
    let error = portolan::Error::from(error.expect_err("locked"));
    assert_state(
        &error,
        SqlState::LockNotAvailable,
        "the store of user files is locked by another process",
    );
    other.execute_batch("ROLLBACK").expect("unlocks");
    let damaged = "UPDATE chunks SET bytes = zeroblob(length(bytes))";
    other.execute_batch(damaged).expect("changes");
    let name = "crdb_external_storage_location";
    let error = store(&root, "external://c")
        .await
        .get(&Path::from(name))
        .await;
    assert_state(
        &portolan::Error::from(error.expect_err("damaged")),
        SqlState::DataCorrupted,
        "the content of `crdb_external_storage_location` is damaged",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_user_files_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: directory.path().join("catalog.db"),
        key: KeySource::File(directory.path().join("master.key")),
    })
    .expect("a catalog");
    let runtime = tokio::runtime::Handle::current();
    let catalog = portolan::catalog::CatalogHandle::new(std::sync::Arc::new(catalog), runtime);
    let host = portolan::Host::builder()
        .catalog(catalog)
        .build()
        .await
        .expect("a host");
    let root = host.session(portolan::Principal::new("root"));
    let error = refused(&root, "CREATE EXTERNAL CONNECTION c AS 'userfile:///x'").await;
    assert_state(
        &error,
        SqlState::FeatureNotSupported,
        "failed to construct External Connection details: failed to create userfile external \
         connection: userfile storage is not available: this host keeps no user files",
    );
    assert!(!directory.path().join("userfiles.db").exists());
}
