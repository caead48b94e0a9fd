//! Every way in: each `sslmode`, each way to authenticate, several hosts.

use portolan_servers::{Authority, Postgres};

use super::servers::{NAME, Servers, client};
use super::support::{World, rows, run};
use super::told::{escaped, made, nobody};

const OVER_TLS: &str = "resolve ok, dial ok, tls ok, authenticate ok, metadata ok";
const IN_CLEAR: &str = "resolve ok, dial ok, tls skipped, authenticate ok, metadata ok";

#[tokio::test(flavor = "multi_thread")]
async fn every_sslmode_reaches_a_server_that_it_is_for() {
    let servers = Servers::start();
    let root = servers.root();
    for (database, mode, steps) in [
        ("bank", "sslmode=disable".to_owned(), IN_CLEAR),
        ("bank", "sslmode=allow".to_owned(), IN_CLEAR),
        ("bank", "sslmode=prefer".to_owned(), OVER_TLS),
        ("bank", String::new(), OVER_TLS),
        ("bank", "sslmode=require".to_owned(), OVER_TLS),
        ("bank", format!("sslmode=require&{root}"), OVER_TLS),
        ("bank", format!("sslmode=verify-ca&{root}"), OVER_TLS),
        ("bank", servers.checked(), OVER_TLS),
        // A server that wants the one way turns the other away, and then it is tried.
        (
            "only_tls",
            "sslmode=allow".to_owned(),
            "resolve ok, dial ok, tls skipped, authenticate skipped, resolve ok, dial ok, tls ok, \
             authenticate ok, metadata ok",
        ),
        (
            "only_clear",
            "sslmode=prefer".to_owned(),
            "resolve ok, dial ok, tls ok, authenticate skipped, resolve ok, dial ok, tls skipped, \
             authenticate ok, metadata ok",
        ),
    ] {
        let uri = servers.uri(database, &mode);
        assert_eq!(servers.made(&uri).await, steps, "{database} {mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_reached_in_clear_where_the_mode_allows_it() {
    let servers = Servers::start();
    let plain = Postgres::start(None, &servers.clients);
    let options = || servers.leading(&[("db.example.com:5432", plain.address())]);
    let steps = made(options(), &servers.uri("bank", "sslmode=prefer")).await;
    assert_eq!(
        steps,
        "resolve ok, dial ok, tls skipped, resolve ok, dial ok, tls skipped, authenticate ok, \
         metadata ok"
    );
}

/// Makes a connection and tells what its last probe found out: the mechanism, and the version.
async fn found(servers: &Servers, uri: &str) -> (String, String) {
    let world = World::with(|builder| builder.egress(servers.options())).await;
    let root = world.root();
    run(&root, &format!("CREATE EXTERNAL CONNECTION c AS '{uri}'")).await;
    let told = rows(&root, "VALIDATE EXTERNAL CONNECTION c").await;
    let detail = |step: &str| {
        let mut rows = told.iter().rev();
        rows.find(|row| row[0] == step).expect(step)[3].clone()
    };
    (detail("authenticate"), detail("metadata"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_authenticate_lets_in() {
    let servers = Servers::start();
    let checked = servers.checked();
    let (old, password) = Postgres::old_user();
    let password = escaped(password);
    let identity = servers.clients.issue_client("reader");
    let certificate = client(&identity);
    for (uri, mechanism) in [
        (servers.uri("bank", &checked), "SCRAM-SHA-256-PLUS"),
        (
            servers.uri("bank", &format!("{checked}&channel_binding=require")),
            "SCRAM-SHA-256-PLUS",
        ),
        (
            servers.uri("bank", &format!("{checked}&channel_binding=disable")),
            "SCRAM-SHA-256",
        ),
        (servers.uri("bank", "sslmode=disable"), "SCRAM-SHA-256"),
        (
            format!("postgres://{old}:{password}@{NAME}/bank?{checked}"),
            "md5",
        ),
        (servers.uri("plain_password", &checked), "password"),
        (
            format!("postgres://reader@{NAME}/certificates?{checked}&{certificate}"),
            "none",
        ),
        (servers.uri("trusted", &checked), "none"),
    ] {
        let (told, version) = found(&servers, &uri).await;
        assert_eq!(told, format!("mechanism: {mechanism}"), "{uri}");
        assert!(version.starts_with("server_version: 15."), "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_is_shown_without_its_secrets() {
    let servers = Servers::start();
    let world = World::with(|builder| builder.egress(servers.options())).await;
    let root = world.root();
    let uri = servers.uri("bank", &servers.checked());
    run(&root, &format!("CREATE EXTERNAL CONNECTION c AS '{uri}'")).await;
    let shown = rows(&root, "SHOW EXTERNAL CONNECTIONS").await;
    assert_eq!(
        shown[0][1],
        "postgresql://reader:redacted@db.example.com/bank?sslinline=true&sslmode=verify-full&\
         sslrootcert=redacted"
    );
    assert_eq!(shown[0][2], "FOREIGNDATA");
    let created = rows(&root, "SHOW CREATE EXTERNAL CONNECTION c").await;
    assert!(created[0][1].contains(&uri), "{}", created[0][1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_of_several_hosts_is_tried_where_nobody_answers() {
    let servers = Servers::start();
    let (user, password) = Postgres::user();
    let password = escaped(password);
    let lines = [
        ("dead.example.com:5432", nobody()),
        ("db.example.com:5432", servers.encrypted.address()),
    ];
    let checked = servers.checked();
    for hosts in [
        format!("{user}:{password}@dead.example.com,{NAME}/bank?{checked}"),
        format!("{user}:{password}@/bank?host=dead.example.com,{NAME}&{checked}"),
    ] {
        let steps = made(servers.leading(&lines), &format!("postgres://{hosts}")).await;
        assert_eq!(
            steps,
            "resolve ok, dial skipped, resolve ok, dial ok, tls ok, authenticate ok, metadata ok"
        );
    }
    let clients = Authority::new("of nobody");
    let identity = servers.authority.issue(&[NAME]);
    let second = Postgres::start(Some(&identity), &clients);
    let lines = [
        ("db.example.com:5432", servers.encrypted.address()),
        ("db.example.com:5433", second.address()),
    ];
    // Neither is a standby, and the last one will do.
    let uri = format!(
        "postgres://{user}:{password}@{NAME},{NAME}:5433/bank?{checked}\
         &target_session_attrs=prefer-standby"
    );
    assert_eq!(
        made(servers.leading(&lines), &uri).await,
        "resolve ok, dial ok, tls ok, authenticate ok, metadata skipped, resolve ok, dial ok, \
         tls ok, authenticate ok, metadata ok"
    );
}
