//! `gcp-kms`: a stand-in for Google's token services and Cloud KMS. That the real services answer
//! like it is not proved.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::EgressOptions;
use portolan_servers::{Authority, GoogleStandIn, ServiceAccount};

use super::support::{World, refused, rows};
use super::told::{
    ALL, DECRYPTING, ENCRYPTING, NOT_DECRYPTED, NOT_ENCRYPTED, escaped, expect, failing, made,
    metadata, named, nobody, ways,
};

const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";
const LAST: &str = "last@p.iam.gserviceaccount.com";
const KMS: &str = "cloudkms.googleapis.com";
const TOKENS: &str = "oauth2.googleapis.com";
const ROLES: &str = "iamcredentials.googleapis.com";
const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";

/// Google with one key, and the key of an account that may use it.
struct Setting {
    authority: Authority,
    google: GoogleStandIn,
    key: String,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        let account = ServiceAccount::new(ACCOUNT);
        let key = account.json();
        Self {
            google: GoogleStandIn::start(&authority, "harbour", account),
            authority,
            key,
        }
    }

    fn options(&self) -> EgressOptions {
        let hosts = [KMS, TOKENS, ROLES].map(|host| format!("{host}:443"));
        let address = self.google.address();
        let hosts: Vec<_> = hosts.iter().map(|host| (&**host, address)).collect();
        ways(&self.authority, &hosts)
    }

    fn uri(&self) -> String {
        with_key(GoogleStandIn::KEY, &self.key)
    }
}

fn with_key(name: &str, json: &str) -> String {
    let json = escaped(&BASE64_STANDARD.encode(json));
    format!("gcp-kms:///{name}?AUTH=specified&CREDENTIALS={json}")
}

fn with_token(token: &str) -> String {
    let name = GoogleStandIn::KEY;
    format!("gcp-kms:///{name}?AUTH=specified&BEARER_TOKEN={token}")
}

/// Compares a failure: its steps, its SQLSTATE, its message and its hint.
async fn fails(options: EgressOptions, uri: &str, expected: [&str; 4]) {
    let forbidden = ["PRIVATE", "ya29", "s3cr3t", "a text of the service"];
    let told = failing(options, uri, &forbidden).await;
    let [steps, state, message, hint] = expected;
    let message = format!("failed to create GCP KMS external connection: {message}");
    expect(&told, [steps, state, &message, hint]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_tried_out_with_a_key_a_token_and_a_user_over_a_stand_in() {
    let setting = Setting::new();
    let version = format!("{}/cryptoKeyVersions/1", GoogleStandIn::KEY);
    for uri in [
        setting.uri(),
        with_key(&version, &setting.key),
        with_key(GoogleStandIn::KEY, &setting.google.user()),
        with_token(&setting.google.give_for(ACCOUNT, SCOPE)),
    ] {
        assert_eq!(made(setting.options(), &uri).await, ALL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_names_the_key_and_its_version_and_no_secret_is_shown_over_a_stand_in() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let uri = setting.uri();
    world
        .run(&[&format!("CREATE EXTERNAL CONNECTION c AS '{uri}'")])
        .await;
    let root = world.root();
    let steps = rows(&root, "VALIDATE EXTERNAL CONNECTION c").await;
    let encrypted = &steps[5];
    assert_eq!((&*encrypted[0], &*encrypted[1]), ("encrypt", "ok"));
    assert!(encrypted[3].contains(GoogleStandIn::KEY), "{encrypted:?}");
    assert!(encrypted[3].contains("version: 1"), "{encrypted:?}");
    let shown = rows(&root, "SHOW EXTERNAL CONNECTION c").await;
    let shown = format!("{shown:?}{steps:?}");
    assert!(shown.contains("CREDENTIALS=redacted"), "{shown}");
    assert!(!shown.contains(&escaped(&BASE64_STANDARD.encode(&setting.key))));
    assert!(!shown.contains("PRIVATE") && !shown.contains("ya29"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_reads_encrypts_nothing_and_asks_for_no_token() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let uri = setting.uri();
    world
        .run(&[&format!(
            "CREATE EXTERNAL CONNECTION c AS '{uri}' WITH VALIDATE = 'read'"
        )])
        .await;
    assert_eq!(setting.google.given(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_account_of_a_chain_uses_the_key_over_a_stand_in() {
    let setting = Setting::new();
    setting.google.own_key(LAST, &["encrypt", "decrypt"]);
    let uri = format!("{}&ASSUME_ROLE={LAST}", setting.uri());
    fails(
        setting.options(),
        &uri,
        [
            ENCRYPTING,
            "42501",
            &format!(
                "{NOT_ENCRYPTED}failed to assume role: iamcredentials.googleapis.com refused the \
                 credentials: it is not allowed to act as `{LAST}`"
            ),
            "grant the account before it in the chain the role Service Account Token Creator on \
             it",
        ],
    )
    .await;
    setting.google.allow(ACCOUNT, LAST);
    assert_eq!(made(setting.options(), &uri).await, ALL);
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
    let name = GoogleStandIn::KEY;
    let create = format!("CREATE EXTERNAL CONNECTION c AS 'gcp-kms:///{name}?AUTH=implicit'");
    let lending = World::with(|builder| builder.egress(options.clone()).lend_host_credentials());
    lending.await.run(&[&create]).await;
    assert_eq!(setting.google.given(), 1);

    let world = World::with(|builder| builder.egress(options)).await;
    let error = refused(&world.root(), &create).await;
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
async fn wrong_keys_and_ended_tokens_are_told_by_a_stand_in() {
    let setting = Setting::new();
    let other = with_key(GoogleStandIn::KEY, &ServiceAccount::new(ACCOUNT).json());
    fails(
        setting.options(),
        &other,
        [
            ENCRYPTING,
            "28000",
            &format!(
                "{NOT_ENCRYPTED}oauth2.googleapis.com refused the credentials: the service \
                 account's key is not accepted"
            ),
            "create a new key for the service account, unless the account itself was disabled or \
             deleted",
        ],
    )
    .await;
    let token = setting.google.give_for(ACCOUNT, SCOPE);
    setting.google.revoke_tokens();
    fails(
        setting.options(),
        &with_token(&token),
        [
            ENCRYPTING,
            "28000",
            &format!("{NOT_ENCRYPTED}Google Cloud KMS answered 401 UNAUTHENTICATED"),
            "Give a BEARER_TOKEN that is still valid, or CREDENTIALS, whose tokens are renewed.",
        ],
    )
    .await;
    let narrow = "https://www.googleapis.com/auth/devstorage.read_write";
    let token = setting.google.give_for(ACCOUNT, narrow);
    fails(
        setting.options(),
        &with_token(&token),
        [
            ENCRYPTING,
            "42501",
            &format!(
                "{NOT_ENCRYPTED}Google Cloud KMS answered 403 PERMISSION_DENIED \
                 (ACCESS_TOKEN_SCOPE_INSUFFICIENT)"
            ),
            "Give a BEARER_TOKEN for the scope cloudkms or cloud-platform.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_for_only_one_of_the_two_is_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.google.own_key(ACCOUNT, &["encrypt"]);
    fails(
        setting.options(),
        &setting.uri(),
        [
            DECRYPTING,
            "42501",
            &format!("{NOT_DECRYPTED}Google Cloud KMS answered 403 PERMISSION_DENIED"),
            "Grant the role Cloud KMS CryptoKey Encrypter/Decrypter on the key: it has \
             cloudkms.cryptoKeyVersions.useToDecrypt.",
        ],
    )
    .await;
    setting.google.own_key(ACCOUNT, &["decrypt"]);
    fails(
        setting.options(),
        &setting.uri(),
        [
            ENCRYPTING,
            "42501",
            &format!("{NOT_ENCRYPTED}Google Cloud KMS answered 403 PERMISSION_DENIED"),
            "Grant the role Cloud KMS CryptoKey Encrypter/Decrypter on the key: it has \
             cloudkms.cryptoKeyVersions.useToEncrypt.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_disabled_or_not_there_is_told_by_a_stand_in() {
    let setting = Setting::new();
    fails(
        setting.options(),
        &with_key(&format!("{}-2", GoogleStandIn::KEY), &setting.key),
        [
            ENCRYPTING,
            "42704",
            &format!("{NOT_ENCRYPTED}Google Cloud KMS answered 404 NOT_FOUND"),
            "Check the key's project, location, key ring and name.",
        ],
    )
    .await;
    setting.google.disable_key();
    fails(
        setting.options(),
        &setting.uri(),
        [
            ENCRYPTING,
            "42501",
            &format!(
                "{NOT_ENCRYPTED}Google Cloud KMS answered 400 FAILED_PRECONDITION (KEY_DISABLED)"
            ),
            "Enable the key's version, or make an enabled one the primary version.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ciphertext_that_was_changed_on_the_way_is_told_by_its_checksum_from_a_stand_in() {
    let setting = Setting::new();
    setting.google.spoil_ciphertexts();
    fails(
        setting.options(),
        &setting.uri(),
        [
            ENCRYPTING,
            "08P01",
            &format!(
                "{NOT_ENCRYPTED}the ciphertext of Google Cloud KMS does not have its checksum"
            ),
            "Try again; if it stays so, look for a proxy on the way that changes answers.",
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
        r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}"#,
    );
    let told = failing(setting.options(), &setting.uri(), &["PRIVATE"]).await;
    let (before, skew) = told.split_once("clock is ").expect("the skew");
    let (seconds, after) = skew.split_once(' ').expect("a number");
    // From this year to that one.
    assert!(seconds.parse::<u64>().expect("a number") > 60 * 365 * 24 * 3600);
    expect(
        &format!("{before}clock is N {after}"),
        [
            ENCRYPTING,
            "28000",
            &format!(
                "failed to create GCP KMS external connection: {NOT_ENCRYPTED}\
                 oauth2.googleapis.com refused the credentials: this host's clock is N s behind \
                 that of the server"
            ),
            "set this host's clock, and have it kept by NTP",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_reached_is_told() {
    let setting = Setting::new();
    let uri = setting.uri();
    fails(
        ways(&setting.authority, &[(&format!("{KMS}:443"), nobody())]),
        &uri,
        [
            "resolve ok, dial failed",
            "08001",
            "cloudkms.googleapis.com:443 refused the connection",
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
            "the name cloudkms.googleapis.com does not resolve",
            "check the spelling of the host, and the DNS of this host",
        ],
    )
    .await;
}
