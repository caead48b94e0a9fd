//! `gs`: a stand-in for Google's token services and the XML API of Cloud Storage, and
//! `fake-gcs-server`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::{EgressOptions, TrustRoots};
use portolan_servers::{Authority, GoogleStandIn, HttpServer, ServiceAccount, answer};
use std::net::SocketAddr;

use super::support::{World, refused};
use super::told::{checked, escaped, expect, failing, made, metadata, named, nobody, ways};

const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";
const LAST: &str = "last@p.iam.gserviceaccount.com";
const STORAGE: &str = "storage.googleapis.com";
const TOKENS: &str = "oauth2.googleapis.com";
const ROLES: &str = "iamcredentials.googleapis.com";

const NOT_WRITTEN: &str = "failed to write a sentinel ExternalStorage file: ";
const WRITING: &str = "resolve ok, dial ok, tls ok, write failed";

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
        let authority = Authority::new("of the servers");
        let account = ServiceAccount::new(ACCOUNT);
        let key = account.json();
        Self {
            google: start(&authority, "harbour", account),
            authority,
            key,
        }
    }

    fn options(&self) -> EgressOptions {
        self.storage_at(self.google.address())
    }

    /// Storage is what listens at this address.
    fn storage_at(&self, address: SocketAddr) -> EgressOptions {
        let google = self.google.address();
        let hosts = [(STORAGE, address), (TOKENS, google), (ROLES, google)];
        let hosts = hosts.map(|(host, address)| (format!("{host}:443"), address));
        let hosts: Vec<_> = hosts.iter().map(|(host, to)| (&**host, *to)).collect();
        ways(&self.authority, &hosts)
    }

    fn uri(&self) -> String {
        with_key("harbour", &self.key)
    }
}

fn with_key(bucket: &str, key: &str) -> String {
    let key = escaped(&BASE64_STANDARD.encode(key));
    format!("gs://{bucket}/backups?AUTH=specified&CREDENTIALS={key}")
}

/// Compares a failure: its steps, its SQLSTATE, its message and its hint.
async fn fails(options: EgressOptions, uri: &str, expected: [&str; 4]) {
    let forbidden = ["PRIVATE", "ya29", "s3cr3t", "a text of the service"];
    let told = failing(options, uri, &forbidden).await;
    let [steps, state, message, hint] = expected;
    let message = format!("failed to create gs external connection: {message}");
    expect(&told, [steps, state, &message, hint]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_works_is_made_over_a_stand_in() {
    let setting = Setting::new();
    setting.google.own_bucket(LAST);
    setting.google.allow(ACCOUNT, LAST);
    let uri = format!(
        "{}&ASSUME_ROLE={LAST}&GOOGLE_BILLING_PROJECT=payer-7",
        setting.uri()
    );
    assert_eq!(
        made(setting.options(), &uri).await,
        "resolve ok, dial ok, tls ok, write ok, list ok, read back ok, compare ok"
    );
    assert_eq!(setting.google.billed().as_deref(), Some("payer-7"));
    checked(setting.options(), &uri).await;
    assert_eq!(setting.google.uploads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_reads_writes_nothing_to_a_stand_in() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let uri = setting.uri();
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

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_tokens_that_are_not_taken_are_told_by_a_stand_in() {
    let setting = Setting::new();
    let other = with_key("harbour", &ServiceAccount::new(ACCOUNT).json());
    fails(
        setting.options(),
        &other,
        [
            WRITING,
            "28000",
            &format!(
                "{NOT_WRITTEN}oauth2.googleapis.com refused the credentials: the service \
                 account's key is not accepted"
            ),
            "create a new key for the service account, unless the account itself was disabled or \
             deleted",
        ],
    )
    .await;
    let token = setting.google.give(ACCOUNT);
    setting.google.revoke_tokens();
    let uri = format!("gs://harbour/backups?AUTH=specified&BEARER_TOKEN={token}");
    fails(
        setting.options(),
        &uri,
        [
            WRITING,
            "28000",
            &format!("{NOT_WRITTEN}Google Cloud Storage refused the connection's token"),
            "give the connection a token that is still valid, or a key, whose tokens are renewed",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_would_lead_elsewhere_is_refused_before_anybody_is_asked() {
    let setting = Setting::new();
    let leading = setting.key.replace("oauth2.googleapis.com", "evil.example");
    let other = setting.key.replace("service_account", "external_account");
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
        let uri = with_key("harbour", &json);
        fails(
            setting.options(),
            &uri,
            ["provider failed", "22023", message, hint],
        )
        .await;
    }
    assert_eq!(setting.google.given(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_be_taken_on_is_told_by_a_stand_in() {
    let setting = Setting::new();
    let uri = format!("{}&ASSUME_ROLE={LAST}", setting.uri());
    fails(
        setting.options(),
        &uri,
        [
            WRITING,
            "42501",
            &format!(
                "{NOT_WRITTEN}failed to assume role: iamcredentials.googleapis.com refused the \
                 credentials: it is not allowed to act as `{LAST}`"
            ),
            "grant the account before it in the chain the role Service Account Token Creator on \
             it",
        ],
    )
    .await;
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
    let told = failing(setting.options(), &setting.uri(), &["PRIVATE"]).await;
    let (before, skew) = told.split_once("clock is ").expect("the skew");
    let (seconds, after) = skew.split_once(' ').expect("a number");
    // From this year to that one.
    assert!(seconds.parse::<u64>().expect("a number") > 60 * 365 * 24 * 3600);
    expect(
        &format!("{before}clock is N {after}"),
        [
            WRITING,
            "28000",
            &format!(
                "failed to create gs external connection: {NOT_WRITTEN}oauth2.googleapis.com \
                 refused the credentials: this host's clock is N s behind that of the server"
            ),
            "set this host's clock, and have it kept by NTP",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_is_told_by_an_emulator_and_a_stand_in() {
    let message = format!("{NOT_WRITTEN}the bucket does not exist (NoSuchBucket)");
    let emulated = Setting::over(GoogleStandIn::before_emulator);
    for setting in [Setting::new(), emulated] {
        let uri = with_key("nowhere", &setting.key);
        fails(
            setting.options(),
            &uri,
            [
                WRITING,
                "42704",
                &message,
                "check the name of the bucket, or create it",
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_lack_are_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.google.deny_lists();
    fails(
        setting.options(),
        &setting.uri(),
        [
            "resolve ok, dial ok, tls ok, write ok, list failed",
            "42501",
            "failed to list sentinel ExternalStorage file: Google Cloud Storage does not allow \
             storage.objects.list (AccessDenied)",
            "grant the connection's credentials storage.objects.list on the bucket, and look for \
             a policy that denies it",
        ],
    )
    .await;
    setting.google.own_bucket("somebody@else.example");
    fails(
        setting.options(),
        &setting.uri(),
        [
            WRITING,
            "42501",
            &format!(
                "{NOT_WRITTEN}Google Cloud Storage does not allow storage.objects.create \
                 (AccessDenied)"
            ),
            "grant the connection's credentials storage.objects.create on the bucket, and look \
             for a policy that denies it",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_do_not_fit_are_told() {
    let setting = Setting::new();
    let untrusted = EgressOptions {
        roots: TrustRoots::nobody(),
        ..setting.options()
    };
    fails(
        untrusted,
        &setting.uri(),
        [
            "resolve ok, dial ok, tls failed",
            "08001",
            "storage.googleapis.com:443: the server's certificate comes from an authority that is \
             not trusted",
            "give the connection the certificate of the server's own authority, or add it to \
             [tls] extra_ca; if the authority should be known, look for a proxy that breaks TLS",
        ],
    )
    .await;
    let other = HttpServer::encrypted(&setting.authority, &["other.example"], |_| {
        Box::pin(async { answer(500, &[], "") })
    });
    let elsewhere = setting.storage_at(other.address());
    fails(
        elsewhere,
        &setting.uri(),
        [
            "resolve ok, dial ok, tls failed",
            "08001",
            "storage.googleapis.com:443: the server's certificate is for another name",
            "write the host as the server's certificate names it, or have the certificate issued \
             for this name",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_reached_is_told() {
    let setting = Setting::new();
    let uri = setting.uri();
    fails(
        setting.storage_at(nobody()),
        &uri,
        [
            "resolve ok, dial failed",
            "08001",
            "storage.googleapis.com:443 refused the connection",
            "check the port, and that the server is running",
        ],
    )
    .await;
    fails(
        named(&[]),
        &uri,
        [
            "resolve failed",
            "08001",
            "the name storage.googleapis.com does not resolve",
            "check the spelling of the host, and the DNS of this host",
        ],
    )
    .await;
    fails(named(&[[127, 0, 0, 1]]), &uri, ["resolve failed",
            "42501",
            "the policy denies storage.googleapis.com:443: the name stands for a loopback address",
            "if it is meant, allow it with the rule storage.googleapis.com:443 in the host's policy"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_service_that_is_not_reached_is_told_by_its_own_name() {
    let setting = Setting::new();
    let storage = [("storage.googleapis.com:443", setting.google.address())];
    let options = EgressOptions {
        resolver: named(&[]).resolver,
        ..ways(&setting.authority, &storage)
    };
    fails(
        options,
        &setting.uri(),
        [
            WRITING,
            "08001",
            &format!("{NOT_WRITTEN}the name oauth2.googleapis.com does not resolve"),
            "check the spelling of the host, and the DNS of this host",
        ],
    )
    .await;
}
