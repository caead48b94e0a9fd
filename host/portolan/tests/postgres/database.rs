//! Use: statements over a handle, and how a handle is lost.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use portolan::{Database, DatabaseClient, Operation, SecretText};
use portolan_servers::{Authority, Postgres, PostgresStandIn};

use super::servers::{NAME, Servers};
use super::support::{World, assert_state, refused, run};
use super::told::{escaped, ways};

async fn world(servers: &Servers, options: &str) -> World {
    let world = World::with(|builder| builder.egress(servers.options())).await;
    let root = world.root();
    let uri = servers.uri("bank", options);
    run(&root, &format!("CREATE EXTERNAL CONNECTION db AS '{uri}'")).await;
    run(&root, "CREATE USER ana").await;
    run(&root, "GRANT USAGE ON EXTERNAL CONNECTION db TO ana").await;
    world
}

async fn opened(world: &World) -> Database {
    let ana = world.session("ana");
    let opened = ana.open("external://db", Operation::Replication).await;
    opened
        .expect("it opens")
        .into_database()
        .expect("a database")
}

async fn connected(database: &Database) -> DatabaseClient {
    let (client, driver) = database.connect().await.expect("it connects");
    tokio::spawn(driver);
    client
}

async fn ask(client: &DatabaseClient, sql: &str) -> Option<String> {
    let rows = client.query(sql, &[]).await.ok()?;
    Some(rows[0].get(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_run_over_the_way_that_the_uri_names() {
    let servers = Servers::start();
    for (options, encrypted) in [
        (servers.checked(), "true"),
        (
            format!("{}&channel_binding=require", servers.checked()),
            "true",
        ),
        ("sslmode=prefer".to_owned(), "true"),
        ("sslmode=disable".to_owned(), "false"),
    ] {
        let world = world(&servers, &format!("{options}&application_name=moves")).await;
        let client = connected(&opened(&world).await).await;
        let sql = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        assert_eq!(
            ask(&client, sql).await.as_deref(),
            Some(encrypted),
            "{options}"
        );
        let name = ask(&client, "SELECT current_setting('application_name')").await;
        assert_eq!(name.as_deref(), Some("moves"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_right_loses_what_is_connected() {
    let servers = Servers::start();
    for lost in [
        "REVOKE USAGE ON EXTERNAL CONNECTION db FROM ana",
        "DROP EXTERNAL CONNECTION db",
    ] {
        let world = world(&servers, &servers.checked()).await;
        let database = opened(&world).await;
        let client = connected(&database).await;
        assert!(ask(&client, "SELECT 'a'").await.is_some());
        run(&world.root(), lost).await;
        assert_eq!(ask(&client, "SELECT 'a'").await, None, "{lost}");
        let error = database.connect().await.expect_err("it may not");
        assert!(
            ["42501", "42704"].contains(&error.sqlstate().code()),
            "{error:?}"
        );
        assert!(!database.is_current().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_keeps_its_version_unless_it_follows() {
    let servers = Servers::start();
    let world = world(&servers, &servers.checked()).await;
    let pinned = opened(&world).await;
    let uri = servers.uri("plain_password", &servers.checked());
    run(
        &world.root(),
        &format!("ALTER EXTERNAL CONNECTION db AS '{uri}'"),
    )
    .await;
    let sql = "SELECT current_database()::text";
    let client = connected(&pinned).await;
    assert_eq!(ask(&client, sql).await.as_deref(), Some("bank"));
    assert!(!pinned.is_current().await);
    assert_eq!(pinned.version() + 1, opened(&world).await.version());
    let client = connected(&opened(&world).await).await;
    assert_eq!(ask(&client, sql).await.as_deref(), Some("plain_password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_for_replication_and_for_nothing_else() {
    let servers = Servers::start();
    let world = world(&servers, &servers.checked()).await;
    let ana = world.session("ana");
    for (operation, words) in [
        (
            Operation::Backup,
            "STORAGE cannot use object of type FOREIGNDATA",
        ),
        (
            Operation::EncryptedBackup,
            "KMS cannot use object of type FOREIGNDATA",
        ),
        (
            Operation::Changefeed,
            "CHANGEFEED cannot use external connection db: provider postgres supports REPLICATION",
        ),
    ] {
        let error = ana.open("external://db", operation).await.expect_err(words);
        assert_eq!(error.message(), words);
    }
    let error = ana.open("external://db/x", Operation::Replication).await;
    assert_eq!(error.expect_err("a path").sqlstate().code(), "22023");
    let shown = format!("{:?}", opened(&world).await);
    assert!(!shown.contains(Postgres::user().1), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_comes_out_where_the_program_allows_it_and_is_written_down() {
    let servers = Servers::start();
    let uri = servers.uri("bank", &servers.checked());
    let create = format!("CREATE EXTERNAL CONNECTION db AS '{uri}'");
    let closed = World::with(|builder| builder.egress(servers.options())).await;
    run(&closed.root(), &create).await;
    let error = closed.root().export_connection_string("db").await;
    let error = error.expect_err("this program does not allow it");
    assert_eq!(error.sqlstate().code(), "42501");
    assert!(
        error
            .hint()
            .expect("a hint")
            .contains("allow_credential_export")
    );

    let open =
        World::with(|builder| builder.egress(servers.options()).allow_credential_export()).await;
    run(&open.root(), &create).await;
    run(&open.root(), "CREATE USER ana").await;
    run(&open.root(), "GRANT USAGE ON EXTERNAL CONNECTION db TO ana").await;
    let exported = open.root().export_connection_string("db").await;
    assert_eq!(exported.expect("it comes out"), SecretText::new(uri));
    // To use is not to know.
    let error = open.session("ana").export_connection_string("db").await;
    assert_eq!(error.expect_err("refused").sqlstate().code(), "42501");
    let audit = open.audit().await;
    let rows: Vec<_> = audit
        .iter()
        .filter(|row| row.action == "EXPORT CONNECTION STRING")
        .map(|row| (row.principal.as_str(), format!("{:?}", row.outcome)))
        .collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(!format!("{audit:?}").contains(Postgres::user().1));
    run(
        &open.root(),
        "CREATE EXTERNAL CONNECTION files AS 'nodelocal://self/x'",
    )
    .await;
    let error = open.root().export_connection_string("files").await;
    assert_eq!(error.expect_err("no database").sqlstate().code(), "0A000");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_that_wants_the_password_in_clear_does_not_get_it() {
    let authority = Authority::new("of nobody");
    let came = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&came);
    let server = PostgresStandIn::raw(move |stream| {
        let _ = PostgresStandIn::startup(stream);
        let _ = stream.write_all(&PostgresStandIn::authentication(3, b""));
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        seen.lock().expect("a lock").extend(answer);
    });
    let options = ways(&authority, &[("db.example.com:5432", server.address())]);
    let world = World::with(|builder| builder.egress(options)).await;
    let (user, password) = Postgres::user();
    let password = escaped(password);
    let uri = format!("postgres://{user}:{password}@{NAME}/bank?sslmode=disable");
    let root = world.root();
    let sql = format!("CREATE EXTERNAL CONNECTION db AS '{uri}' WITH VALIDATE = 'none'");
    run(&root, &sql).await;
    let opened = root.open("external://db", Operation::Replication).await;
    let database = opened
        .expect("it opens")
        .into_database()
        .expect("a database");
    let error = database.connect().await.expect_err("it may not");
    assert_state(
        &error,
        portolan::SqlState::InsufficientPrivilege,
        "the server asks for the password in clear, and the connection is not encrypted",
    );
    drop(database);
    let _ = refused(&root, "CHECK EXTERNAL CONNECTION db").await;
    assert!(came.lock().expect("a lock").is_empty());
}
