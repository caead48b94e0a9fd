//! The probe of Cloud Storage, from the statement through the sandboxed provider to a server.
//!
//! Each cause is really brought about, and the whole failure compared: the steps, the SQLSTATE, the
//! message and the hint. The servers are a stand-in for Google's token services and its XML API, and
//! `fake-gcs-server`; that Google's own answer so is not proved.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan_egress::tls::TrustRoots;
use portolan_egress::{ConnectTo, EgressOptions, MetadataClient, Resolve};
use portolan_servers::{Authority, GoogleStandIn, HttpServer, ServiceAccount, answer};
use support::{World, refused, rows, run};

const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";
const LAST: &str = "last@p.iam.gserviceaccount.com";
const STORAGE: &str = "storage.googleapis.com";
const TOKENS: &str = "oauth2.googleapis.com";
const ROLES: &str = "iamcredentials.googleapis.com";

/// What stands before every failure of a step.
const FAILED: &str =
    "failed to construct External Connection details: failed to create gs external connection: ";
const NOT_WRITTEN: &str = "failed to write a sentinel ExternalStorage file: ";

/// Google with one bucket, and the key of an account that may use it.
struct Setting {
    authority: Authority,
    google: GoogleStandIn,
    key: String,
}

impl Setting {
    fn new() -> Self {
        Self::over(GoogleStandIn::start)
    }

    fn over(start: impl FnOnce(&Authority, &str, ServiceAccount) -> GoogleStandIn) -> Self {
        let authority = Authority::new("tests");
        let account = ServiceAccount::new(ACCOUNT);
        let key = BASE64_STANDARD.encode(account.json());
        Self {
            google: start(&authority, "harbour", account),
            authority,
            key,
        }
    }

    fn options(&self) -> EgressOptions {
        options(
            &self.authority,
            &[STORAGE, TOKENS, ROLES],
            self.google.address(),
        )
    }

    fn uri(&self, more: &str) -> String {
        with_key("gs://harbour/backups", &self.key) + more
    }
}

fn with_key(place: &str, key: &str) -> String {
    let key = key
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    format!("{place}?AUTH=specified&CREDENTIALS={key}")
}

/// The way to some of Google's hosts; the others have no address.
fn options(authority: &Authority, hosts: &[&str], to: SocketAddr) -> EgressOptions {
    let mut connect_to = ConnectTo::default();
    for host in hosts {
        let host = format!("{host}:443");
        connect_to.add(&host, &to.to_string()).expect("a line");
    }
    EgressOptions {
        connect_to,
        roots: TrustRoots::nobody()
            .with_pem(authority.pem().as_bytes())
            .expect("an authority"),
        resolver: Arc::new(Names(Vec::new())),
        ..EgressOptions::default()
    }
}

/// Knows these addresses for every name, or that there are none.
#[derive(Debug)]
struct Names(Vec<IpAddr>);

#[async_trait::async_trait]
impl Resolve for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        match self.0.is_empty() {
            true => Err(std::io::ErrorKind::NotFound.into()),
            false => Ok(self.0.clone()),
        }
    }
}

/// How a probe failed: in a statement that makes a connection, and in one that validates it.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    /// The step that failed; all before it did not.
    step: String,
    sqlstate: String,
    message: String,
    hint: String,
}

/// Runs both statements, and sees to it that they tell the same.
async fn probe(options: EgressOptions, uri: &str) -> Told {
    let world = World::with(|builder| builder.egress(options)).await;
    let root = world.root();
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{uri}'");
    let error = refused(&root, &create).await;
    run(&root, &format!("{create} WITH VALIDATE = 'none'")).await;
    let told = rows(
        &root,
        "VALIDATE EXTERNAL CONNECTION c WITH VALIDATE = 'full'",
    )
    .await;
    let (failed, before) = told.split_last().expect("a row");
    assert!(before.iter().all(|row| row[1] == "ok"), "{told:?}");
    assert_eq!(failed[1], "failed", "{told:?}");
    let message = error.message().strip_prefix(FAILED).expect(error.message());
    let hint = error.hint().expect("a hint");
    assert_eq!((&*failed[3], &*failed[4]), (message, hint));
    for secret in ["PRIVATE", "ya29", "a text of the service"] {
        assert!(!format!("{error:?} {told:?}").contains(secret), "{error:?}");
    }
    Told {
        step: failed[0].clone(),
        sqlstate: error.sqlstate().to_string(),
        message: message.to_owned(),
        hint: hint.to_owned(),
    }
}

fn told(step: &str, sqlstate: &str, message: &str, hint: &str) -> Told {
    Told {
        step: step.to_owned(),
        sqlstate: sqlstate.to_owned(),
        message: message.to_owned(),
        hint: hint.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_works_is_made_over_a_stand_in() {
    let setting = Setting::new();
    setting.google.own_bucket(LAST);
    setting.google.allow(ACCOUNT, LAST);
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let uri = setting.uri(&format!(
        "&ASSUME_ROLE={LAST}&GOOGLE_BILLING_PROJECT=payer-7"
    ));
    world
        .run(&[&format!("CREATE EXTERNAL CONNECTION c AS '{uri}'")])
        .await;
    assert_eq!(setting.google.billed().as_deref(), Some("payer-7"));
    let told = rows(&world.root(), "VALIDATE EXTERNAL CONNECTION c").await;
    let steps: Vec<_> = told.iter().map(|row| (&*row[0], &*row[1])).collect();
    assert_eq!(
        steps,
        [
            ("plan", "ok"),
            ("policy", "ok"),
            ("resolve", "ok"),
            ("dial", "ok"),
            ("tls", "ok"),
            ("write", "ok"),
            ("list", "ok"),
            ("read back", "ok"),
            ("compare", "ok")
        ]
    );
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION c").await[0][1],
        format!(
            "gs://harbour/backups?ASSUME_ROLE={}&AUTH=specified&CREDENTIALS=redacted\
             &GOOGLE_BILLING_PROJECT=payer-7",
            LAST.replace('@', "%40")
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_reads_writes_nothing_to_a_stand_in() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let uri = setting.uri("");
    world
        .run(&[&format!(
            "CREATE EXTERNAL CONNECTION c AS '{uri}' WITH VALIDATE = 'read'"
        )])
        .await;
    let requests = setting.google.storage_requests();
    assert!(!requests.is_empty());
    let reads = |line: &String| line.starts_with("GET ") || line.starts_with("HEAD ");
    assert!(requests.iter().all(reads), "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machines_tokens_are_lent_where_the_host_lends_over_a_stand_in() {
    let key = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS");
    assert!(key.is_none(), "unset it: this test is of a machine without");
    let setting = Setting::new();
    let machine = setting.google.machine(ACCOUNT);
    let options = EgressOptions {
        metadata: metadata(&machine),
        ..setting.options()
    };
    let create = "CREATE EXTERNAL CONNECTION c AS 'gs://harbour/backups?AUTH=implicit'";
    let lending = World::with(|builder| builder.egress(options.clone()).lend_host_credentials());
    lending.await.run(&[create]).await;
    assert_eq!(setting.google.given(), 1);

    let world = World::with(|builder| builder.egress(options)).await;
    let error = refused(&world.root(), create).await;
    assert_eq!(
        (error.sqlstate().to_string(), error.hint()),
        (
            "0A000".to_owned(),
            Some("give the connection credentials of its own")
        )
    );
    assert_eq!(setting.google.given(), 1);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the metadata server of this test is on loopback"
)]
fn metadata(machine: &HttpServer) -> MetadataClient {
    MetadataClient::on_loopback(machine.address().port(), Duration::from_secs(10))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_tokens_that_are_not_taken_are_told_by_a_stand_in() {
    let setting = Setting::new();
    let other = BASE64_STANDARD.encode(ServiceAccount::new(ACCOUNT).json());
    assert_eq!(
        probe(setting.options(), &with_key("gs://harbour/backups", &other)).await,
        told(
            "write",
            "28000",
            &format!(
                "{NOT_WRITTEN}oauth2.googleapis.com refused the credentials: the service \
                 account's key is not accepted"
            ),
            "create a new key for the service account, unless the account itself was disabled or \
             deleted",
        )
    );
    let token = setting.google.give(ACCOUNT);
    setting.google.revoke_tokens();
    let uri = format!("gs://harbour/backups?AUTH=specified&BEARER_TOKEN={token}");
    assert_eq!(
        probe(setting.options(), &uri).await,
        told(
            "write",
            "28000",
            &format!("{NOT_WRITTEN}Google Cloud Storage refused the connection's token"),
            "give the connection a token that is still valid, or a key, whose tokens are renewed",
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_would_lead_elsewhere_is_refused_before_anybody_is_asked() {
    let setting = Setting::new();
    let json = BASE64_STANDARD.decode(&setting.key).expect("base64");
    let json = String::from_utf8(json).expect("text");
    let leading = json.replace("oauth2.googleapis.com", "evil.example");
    let other = json.replace("service_account", "external_account");
    let cases = [
        (
            leading,
            "the field `token_uri` of the Google credentials has a value that is not taken",
            "write https://oauth2.googleapis.com/token there, or take the field out",
        ),
        (
            other,
            "the field `type` of the Google credentials is neither `service_account` nor \
             `authorized_user`",
            "give the JSON key of a service account, or that of an authorized user, and let other \
             identities act through ASSUME_ROLE",
        ),
        (
            "{}".to_owned(),
            "the Google credentials have no field `type`",
            "give the JSON key as Google has issued it",
        ),
    ];
    for (json, message, hint) in cases {
        let uri = with_key("gs://harbour/backups", &BASE64_STANDARD.encode(json));
        assert_eq!(
            probe(setting.options(), &uri).await,
            told("provider", "22023", message, hint)
        );
    }
    assert_eq!(setting.google.given(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_be_taken_on_is_told_by_a_stand_in() {
    let setting = Setting::new();
    let uri = setting.uri(&format!("&ASSUME_ROLE={LAST}"));
    assert_eq!(
        probe(setting.options(), &uri).await,
        told(
            "write",
            "42501",
            &format!(
                "{NOT_WRITTEN}iamcredentials.googleapis.com refused the credentials: it is not \
                 allowed to act as `{LAST}`"
            ),
            "grant the account before it in the chain the role Service Account Token Creator on \
             it",
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_behind_is_told_by_the_date_of_a_stand_in() {
    let setting = Setting::new();
    setting.google.answer_with(
        TOKENS,
        400,
        &[("date", "Thu, 01 Jan 2099 00:00:00 GMT")],
        r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}"#,
    );
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{}'", setting.uri(""));
    let error = refused(&world.root(), &create).await;
    let before = format!(
        "{FAILED}{NOT_WRITTEN}oauth2.googleapis.com refused the credentials: this host's clock is "
    );
    let skew = error.message().strip_prefix(&before);
    let (seconds, rest) = skew.expect("the skew").split_once(' ').expect("a number");
    // From this year to that one, in seconds.
    assert!(seconds.parse::<u64>().expect("a number") > 60 * 365 * 24 * 3600);
    assert_eq!(rest, "s behind that of the server");
    assert_eq!(error.sqlstate().to_string(), "28000");
    assert_eq!(
        error.hint(),
        Some("set this host's clock, and have it kept by NTP")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_is_told_by_an_emulator_and_a_stand_in() {
    let message = format!("{NOT_WRITTEN}the bucket does not exist (NoSuchBucket)");
    let emulated = Setting::over(GoogleStandIn::before_emulator);
    for setting in [Setting::new(), emulated] {
        let uri = with_key("gs://nowhere/backups", &setting.key);
        assert_eq!(
            probe(setting.options(), &uri).await,
            told(
                "write",
                "42704",
                &message,
                "check the name of the bucket, or create it",
            )
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_lack_are_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.google.deny_lists();
    assert_eq!(
        probe(setting.options(), &setting.uri("")).await,
        told(
            "list",
            "42501",
            "failed to list sentinel ExternalStorage file: Google Cloud Storage does not allow \
             storage.objects.list (AccessDenied)",
            "grant the connection's credentials storage.objects.list on the bucket, and look for \
             a policy that denies it",
        )
    );
    setting.google.own_bucket("somebody@else.example");
    assert_eq!(
        probe(setting.options(), &setting.uri("")).await,
        told(
            "write",
            "42501",
            &format!(
                "{NOT_WRITTEN}Google Cloud Storage does not allow storage.objects.create \
                 (AccessDenied)"
            ),
            "grant the connection's credentials storage.objects.create on the bucket, and look \
             for a policy that denies it",
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_do_not_fit_are_told() {
    let setting = Setting::new();
    let untrusted = EgressOptions {
        roots: TrustRoots::nobody(),
        ..setting.options()
    };
    assert_eq!(
        probe(untrusted, &setting.uri("")).await,
        told(
            "tls",
            "08001",
            "storage.googleapis.com:443: the server's certificate comes from an authority that is \
             not trusted",
            "give the connection the certificate of the server's own authority, or add it to \
             [tls] extra_ca; if the authority should be known, look for a proxy that breaks TLS",
        )
    );
    let other = HttpServer::encrypted(&setting.authority, &["other.example"], |_| {
        Box::pin(async { answer(500, &[], "") })
    });
    let elsewhere = options(&setting.authority, &[STORAGE], other.address());
    assert_eq!(
        probe(elsewhere, &setting.uri("")).await,
        told(
            "tls",
            "08001",
            "storage.googleapis.com:443: the server's certificate is for another name",
            "write the host as the server's certificate names it, or have the certificate issued \
             for this name",
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_reached_is_told() {
    let setting = Setting::new();
    let (uri, authority) = (setting.uri(""), Authority::new("tests"));
    let address = setting.google.address();
    drop(setting);
    assert_eq!(
        probe(options(&authority, &[STORAGE], address), &uri).await,
        told(
            "dial",
            "08001",
            "storage.googleapis.com:443 refused the connection",
            "check the port, and that the server is running",
        )
    );
    assert_eq!(
        probe(options(&authority, &[], address), &uri).await,
        told(
            "resolve",
            "08001",
            "the name storage.googleapis.com does not resolve",
            "check the spelling of the host, and the DNS of this host",
        )
    );
    let inside = EgressOptions {
        resolver: Arc::new(Names(vec![[127, 0, 0, 1].into()])),
        ..options(&authority, &[], address)
    };
    assert_eq!(
        probe(inside, &uri).await,
        told(
            "resolve",
            "42501",
            "the policy denies storage.googleapis.com:443: the name stands for a loopback address",
            "if it is meant, allow it with the rule storage.googleapis.com:443 in the host's policy",
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_service_that_is_not_reached_is_told_by_its_own_name() {
    let setting = Setting::new();
    let options = options(&setting.authority, &[STORAGE], setting.google.address());
    assert_eq!(
        probe(options, &setting.uri("")).await,
        told(
            "write",
            "08001",
            &format!("{NOT_WRITTEN}the name oauth2.googleapis.com does not resolve"),
            "check the spelling of the host, and the DNS of this host",
        )
    );
}
