//! Each cause of a failure on a real server, and what is told of it, whole.

use portolan_servers::{Authority, Postgres};

use super::servers::{NAME, Servers, client, told};
use super::told::{escaped, expect, named, nobody};

const AUTHENTICATING: &str = "resolve ok, dial ok, tls ok, authenticate failed";
const IN_TLS: &str = "resolve ok, dial ok, tls failed";

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_by_their_cause() {
    let servers = Servers::start();
    let checked = servers.checked();
    let (old, _) = Postgres::old_user();
    let password_hint =
        "Check the user and the password; in a URI a % is written %25 and an @ %40.";
    for user in ["reader", old] {
        expect(
            &servers
                .failing(&format!("postgres://{user}:hunter2@{NAME}/bank?{checked}"))
                .await,
            [
                AUTHENTICATING,
                "28000",
                &format!("the server answered: password authentication failed for user \"{user}\""),
                password_hint,
            ],
        );
    }
    // One who does not exist is told apart only by PostgreSQL's own log.
    expect(
        &servers
            .failing(&format!("postgres://nobody:hunter2@{NAME}/bank?{checked}"))
            .await,
        [
            AUTHENTICATING,
            "28000",
            "the server answered: password authentication failed for user \"nobody\"",
            password_hint,
        ],
    );
    expect(
        &servers
            .failing(&format!("postgres://reader@{NAME}/bank?{checked}"))
            .await,
        [
            AUTHENTICATING,
            "28000",
            "the server asks for a password, and the connection has none",
            "Write postgresql://USER:PASSWORD@HOST/DATABASE.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_not_let_in_is_told_by_its_cause() {
    let servers = Servers::start();
    let checked = servers.checked();
    expect(
        &servers.failing(&servers.uri("absent", &checked)).await,
        [
            // PostgreSQL looks at who it is first.
            "resolve ok, dial ok, tls ok, authenticate ok, metadata failed",
            "42704",
            "the server answered: database \"absent\" does not exist",
            "Check the name of the database, which stands after the host.",
        ],
    );
    expect(
        &servers.failing(&servers.uri("closed", &checked)).await,
        [
            AUTHENTICATING,
            "28000",
            "the server answered: no pg_hba.conf entry for host \"127.0.0.1\", user \"reader\", \
             database \"closed\", SSL encryption",
            "Add a line for this host, user and database to the server's pg_hba.conf.",
        ],
    );
    expect(
        &servers
            .failing(&servers.uri("only_tls", "sslmode=disable"))
            .await,
        [
            "resolve ok, dial ok, tls skipped, authenticate failed",
            "28000",
            "the server answered: no pg_hba.conf entry for host \"127.0.0.1\", user \"reader\", \
             database \"only_tls\", no encryption",
            "The server wants TLS: write sslmode=verify-full. Or add a line to pg_hba.conf.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn client_certificates_are_told_by_what_is_wrong_with_them() {
    let servers = Servers::start();
    let checked = servers.checked();
    let uri = |identity: &str| format!("postgres://reader@{NAME}/certificates?{checked}{identity}");
    expect(
        &servers.failing(&uri("")).await,
        [
            AUTHENTICATING,
            "28000",
            "the server answered: connection requires a valid client certificate",
            "Give a certificate that the server's authority has issued: sslcert, sslkey and \
             sslinline=true.",
        ],
    );
    let other = client(&servers.clients.issue_client("writer"));
    expect(
        &servers.failing(&uri(&format!("&{other}"))).await,
        [
            AUTHENTICATING,
            "28000",
            "the server answered: certificate authentication failed for user \"reader\"",
            "Give a certificate whose common name is the user, or map it in pg_ident.conf.",
        ],
    );
    let foreign = client(&Authority::new("of strangers").issue_client("reader"));
    expect(
        &servers.failing(&uri(&format!("&{foreign}"))).await,
        [
            AUTHENTICATING,
            "28000",
            "db.example.com:5432: the server refused the client certificate",
            "give the connection a client certificate that the server's authority has issued and \
             that is still valid",
        ],
    );
    let (one, other) = ("reader", "writer");
    let [one, other] = [one, other].map(|name| servers.clients.issue_client(name));
    let mixed = format!(
        "&sslcert={}&sslkey={}",
        escaped(&one.certificate),
        escaped(&other.key)
    );
    expect(
        &servers.failing(&uri(&mixed)).await,
        [
            IN_TLS,
            "22023",
            "unable to construct x509 key pair: the client key is not that of the client \
             certificate",
            "give the key that the client certificate was issued for",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_servers_are_checked_as_the_mode_says() {
    let servers = Servers::start();
    let other = Authority::new("of somebody else");
    let wrong = format!("sslinline=true&sslrootcert={}", escaped(&other.pem()));
    let unknown = [
        IN_TLS,
        "08001",
        "db.example.com:5432: the server's certificate comes from an authority that is not trusted",
        "give the connection the certificate of the server's own authority, or add it to [tls] \
         extra_ca; if the authority should be known, look for a proxy that breaks TLS",
    ];
    for mode in ["require", "verify-ca", "verify-full"] {
        let uri = servers.uri("bank", &format!("sslmode={mode}&{wrong}"));
        expect(&servers.failing(&uri).await, unknown);
    }
    let uri = servers.uri("bank", "sslmode=verify-full");
    expect(&servers.failing(&uri).await, unknown);
    // Another name is no matter to verify-ca, and is one to verify-full.
    let elsewhere = |options: &str| {
        servers
            .uri("bank", options)
            .replace(NAME, "other.example.com")
    };
    let root = servers.root();
    let steps = servers
        .made(&elsewhere(&format!("sslmode=verify-ca&{root}")))
        .await;
    assert_eq!(
        steps,
        "resolve ok, dial ok, tls ok, authenticate ok, metadata ok"
    );
    let told = servers.failing(&elsewhere(&servers.checked())).await;
    assert!(
        told.starts_with(&format!("{IN_TLS}\n08001\nother.example.com:5432: ")),
        "{told}"
    );
    assert!(
        told.ends_with("or have the certificate issued for this name"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_told() {
    let servers = Servers::start();
    let expired = servers.authority.issue_expired(&[NAME]);
    let expired = Postgres::start(Some(&expired), &servers.clients);
    let options = servers.leading(&[("db.example.com:5432", expired.address())]);
    let told = told(options, &servers.uri("bank", &servers.checked())).await;
    assert!(told.starts_with(&format!("{IN_TLS}\n08001\n")), "{told}");
    assert!(told.contains("expired"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_where_tls_is_required() {
    let servers = Servers::start();
    let plain = Postgres::start(None, &servers.clients);
    let options = || servers.leading(&[("db.example.com:5432", plain.address())]);
    for mode in ["sslmode=require".to_owned(), servers.checked()] {
        expect(
            &told(options(), &servers.uri("bank", &mode)).await,
            [
                IN_TLS,
                "08P01",
                "the server does not support SSL, but SSL was required",
                "Turn ssl on at the server; sslmode=disable would send everything in clear.",
            ],
        );
    }
    // A password is not sent as it is where nobody encrypts it.
    expect(
        &told(options(), &servers.uri("plain_password", "sslmode=prefer")).await,
        [
            "resolve ok, dial ok, tls skipped, resolve ok, dial ok, tls skipped, authenticate \
             failed",
            "42501",
            "the server asks for the password in clear, and the connection is not encrypted",
            "Write sslmode=verify-full, or allow scram-sha-256 in the server's pg_hba.conf.",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_where_nobody_is_are_told() {
    let servers = Servers::start();
    let options = servers.leading(&[("db.example.com:5432", nobody())]);
    let checked = servers.checked();
    expect(
        &told(options, &servers.uri("bank", &checked)).await,
        [
            "resolve ok, dial failed",
            "08001",
            "db.example.com:5432 refused the connection",
            "check the port, and that the server is running",
        ],
    );
    expect(
        &told(named(&[]), &servers.uri("bank", &checked)).await,
        [
            "resolve failed",
            "08001",
            "the name db.example.com does not resolve",
            "check the spelling of the host, and the DNS of this host",
        ],
    );
    let uri = servers
        .uri("bank", &checked)
        .replace(NAME, "a.example.com,b.example.com");
    let told = told(named(&[]), &uri).await;
    assert!(
        told.starts_with("resolve skipped, resolve failed\n08001\n"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_is_no_standby() {
    let servers = Servers::start();
    let uri = servers.uri(
        "bank",
        &format!("{}&target_session_attrs=standby", servers.checked()),
    );
    expect(
        &servers.failing(&uri).await,
        [
            "resolve ok, dial ok, tls ok, authenticate ok, metadata failed",
            "08001",
            "the server is a primary that takes writes, and target_session_attrs is standby",
            "Name the other servers as well, or leave target_session_attrs out.",
        ],
    );
}
