//! `http`, `https`, `file-http` and `file-https`: nginx, with WebDAV and without.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::EgressOptions;
use portolan_servers::{Authority, Nginx};

use super::support::{World, rows, run};
use super::told::{checked, escaped, expect, failing, made, named, nobody, ways};

struct Servers {
    nginx: Nginx,
    authority: Authority,
    clients: Authority,
}

impl Servers {
    fn start() -> Self {
        let authority = Authority::new("of the servers");
        let clients = Authority::new("of the clients");
        Self {
            nginx: Nginx::start(&authority, &["files.example"], &clients),
            authority,
            clients,
        }
    }

    /// The hosts of the URIs lead to nginx, whose authority the host does not trust by itself.
    fn options(&self) -> EgressOptions {
        EgressOptions {
            roots: portolan::TrustRoots::nobody(),
            ..ways(
                &self.authority,
                &[
                    ("files.example:80", self.nginx.plain()),
                    ("files.example:443", self.nginx.encrypted()),
                    ("files.example:8443", self.nginx.protected()),
                    ("files.example:9443", self.nginx.mutual()),
                    ("other.example:443", self.nginx.encrypted()),
                ],
            )
        }
    }

    /// The option that has a connection trust the servers.
    fn trusting(&self) -> String {
        format!("ca_cert={}", encoded(&self.authority.pem()))
    }

    async fn failing(&self, uri: &str) -> String {
        failing(self.options(), uri, &["hunter2", Nginx::user().1]).await
    }
}

/// A PEM file as the options want it.
fn encoded(pem: &str) -> String {
    escaped(&BASE64_STANDARD.encode(pem))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_a_server_goes_all_the_way() {
    let servers = Servers::start();
    let ca = servers.trusting();
    let (user, password) = Nginx::user();
    let password = escaped(password);
    let client = servers.clients.issue_client("client");
    let (certificate, key) = (encoded(&client.certificate), encoded(&client.key));
    for (uri, tls) in [
        (
            "http://files.example/in/here".to_owned(),
            "skipped, recognise ok",
        ),
        (format!("file-https://files.example/in/here?{ca}"), "ok"),
        (
            format!("https://{user}:{password}@files.example:8443/in/here?{ca}"),
            "ok, recognise ok",
        ),
        (
            format!(
                "https://files.example:9443/in/here?{ca}&client_cert={certificate}&\
                 client_key={key}"
            ),
            "ok, recognise ok",
        ),
    ] {
        assert_eq!(
            made(servers.options(), &uri).await,
            format!("resolve ok, dial ok, tls {tls}, write ok, list ok, read back ok, compare ok"),
            "{uri}"
        );
        checked(servers.options(), &uri).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_being_told_a_probe_only_looks_and_writes_nothing() {
    let servers = Servers::start();
    let world = World::with(|builder| builder.egress(servers.options())).await;
    let root = world.root();
    run(
        &root,
        "CREATE EXTERNAL CONNECTION c AS 'http://files.example/in/here'",
    )
    .await;
    run(
        &root,
        "CREATE EXTERNAL CONNECTION d AS 'http://files.example/no-dav/in'",
    )
    .await;
    assert_eq!(
        std::fs::read_dir(servers.nginx.files())
            .expect("a folder")
            .count(),
        0
    );
    let told = rows(&root, "VALIDATE EXTERNAL CONNECTION d").await;
    let told: Vec<_> = told.iter().map(|row| (&*row[0], &*row[1])).collect();
    assert_eq!(
        told[5..],
        [
            ("recognise", "ok"),
            ("list", "skipped"),
            ("read back", "ok")
        ],
        "a server without WebDAV lists nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_told() {
    let servers = Servers::start();
    let ca = servers.trusting();
    let uri = format!("https://reader:hunter2@files.example:8443/in/here?{ca}");
    expect(
        &servers.failing(&uri).await,
        [
            "resolve ok, dial ok, tls ok, recognise ok, write failed",
            "28000",
            "invalid changefeed sink URI: failed to write a sentinel ExternalStorage file: the \
             server refused the password: it is not that of the user",
            "check the user and the password in the URI: what is not a letter or a digit is \
             written with percent escapes there",
        ],
    );
    let uri = format!("https://files.example:8443/in/here?{ca}");
    expect(
        &servers.failing(&uri).await,
        [
            "resolve ok, dial ok, tls ok, recognise ok, write failed",
            "28000",
            "invalid changefeed sink URI: failed to write a sentinel ExternalStorage file: the \
             server asks for the user and the password",
            "write USER:PASSWORD@ before the host in the URI",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_server_is_not_reached_is_told() {
    let servers = Servers::start();
    let ca = servers.trusting();
    expect(
        &servers.failing("https://files.example/in/here").await,
        [
            "resolve ok, dial ok, tls failed",
            "08001",
            "invalid changefeed sink URI: files.example:443: the server's certificate comes from \
             an authority that is not trusted",
            "give the connection the certificate of the server's own authority, or add it to [tls] \
             extra_ca; if the authority should be known, look for a proxy that breaks TLS",
        ],
    );
    expect(
        &servers
            .failing(&format!("https://other.example/in/here?{ca}"))
            .await,
        [
            "resolve ok, dial ok, tls failed",
            "08001",
            "invalid changefeed sink URI: other.example:443: the server's certificate is for \
             another name",
            "write the host as the server's certificate names it, or have the certificate issued \
             for this name",
        ],
    );
    let uri = "https://files.example/in/here";
    let nobody = ways(&servers.authority, &[("files.example:443", nobody())]);
    expect(
        &failing(nobody, uri, &[]).await,
        [
            "resolve ok, dial failed",
            "08001",
            "invalid changefeed sink URI: files.example:443 refused the connection",
            "check the port, and that the server is running",
        ],
    );
    expect(
        &failing(named(&[]), uri, &[]).await,
        [
            "resolve failed",
            "08001",
            "invalid changefeed sink URI: the name files.example does not resolve",
            "check the spelling of the host, and the DNS of this host",
        ],
    );
    expect(
        &failing(named(&[[192, 168, 0, 1]]), uri, &[]).await,
        [
            "resolve failed",
            "42501",
            "invalid changefeed sink URI: the policy denies files.example:443: the name stands for \
             a private address",
            "if it is meant, allow it with the rule files.example:443 in the host's policy",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_do_is_told() {
    let servers = Servers::start();
    for (path, expected) in [
        (
            "redirect",
            [
                "resolve ok, dial ok, tls skipped, recognise ok, write failed",
                "08P01",
                "invalid changefeed sink URI: failed to write a sentinel ExternalStorage file: \
                 files.example redirects to elsewhere.example",
                "name the host that is meant: redirects are not followed, so that credentials go \
                 nowhere else",
            ],
        ),
        (
            "read-only",
            [
                "resolve ok, dial ok, tls skipped, recognise ok, write failed",
                "42501",
                "invalid changefeed sink URI: failed to write a sentinel ExternalStorage file: the \
                 server does not allow PUT",
                "let the server allow the method there for the connection's user",
            ],
        ),
        (
            "no-dav",
            [
                "resolve ok, dial ok, tls skipped, recognise ok, write failed",
                "0A000",
                "invalid changefeed sink URI: failed to write a sentinel ExternalStorage file: \
                 files.example cannot do this",
                "have the server allow the method; a list and a copy need one that speaks WebDAV",
            ],
        ),
        (
            "broken",
            [
                "resolve ok, dial ok, tls skipped, recognise ok, write failed",
                "08001",
                "invalid changefeed sink URI: failed to write a sentinel ExternalStorage file: the \
                 server failed with status 500",
                "try again later, and look at the state of the server",
            ],
        ),
    ] {
        let uri = format!("http://files.example/{path}/here");
        expect(&servers.failing(&uri).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_files_that_is_switched_off_is_not_reached() {
    let servers = Servers::start();
    let options = EgressOptions {
        disable_http: true,
        ..servers.options()
    };
    let world = World::with(|builder| builder.egress(options)).await;
    let sql = "CREATE EXTERNAL CONNECTION c AS 'http://files.example/in/here'";
    let error = super::support::refused(&world.root(), sql).await;
    assert_eq!(error.sqlstate().code(), "42501");
    assert!(
        error.message().ends_with("external http access disabled"),
        "{error:?}"
    );
}
