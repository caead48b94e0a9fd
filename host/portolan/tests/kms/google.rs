//! Keys of Google Cloud, with a stand-in as the service.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::{EgressOptions, Encrypted, SqlState};
use portolan_servers::{Authority, GoogleStandIn, Relay, ServiceAccount};

use super::setting::{key, plaintext, shared_connections, there_and_back, told, world};
use super::told::{escaped, ways};

const ACCOUNT: &str = "backup@p.iam.gserviceaccount.com";
const KMS: &str = "cloudkms.googleapis.com";
const TOKENS: &str = "oauth2.googleapis.com";

/// Google with one key, an account that may use it, and a relay before it.
pub(crate) struct Setting {
    authority: Authority,
    pub(crate) google: GoogleStandIn,
    relay: Relay,
    key: String,
}

impl Setting {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("of the servers");
        let account = ServiceAccount::new(ACCOUNT);
        let key = account.json();
        let google = GoogleStandIn::start(&authority, "harbour", account);
        Self {
            relay: Relay::to(google.address()),
            google,
            authority,
            key,
        }
    }

    pub(crate) fn options(&self) -> EgressOptions {
        let kms = format!("{KMS}:443");
        let tokens = format!("{TOKENS}:443");
        let ways_to = [
            (&*kms, self.relay.address()),
            (&*tokens, self.google.address()),
        ];
        ways(&self.authority, &ways_to)
    }

    pub(crate) fn uri(&self) -> String {
        self.uri_of(GoogleStandIn::KEY)
    }

    fn uri_of(&self, name: &str) -> String {
        let json = escaped(&BASE64_STANDARD.encode(&self.key));
        format!("gcp-kms:///{name}?AUTH=specified&CREDENTIALS={json}")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_key_goes_there_and_back_and_a_second_call_dials_and_authenticates_nothing_anew() {
    let setting = Setting::new();
    let world = world(setting.options(), &setting.uri()).await;
    let key = key(&world).await;
    assert_eq!(
        (setting.relay.connections(), setting.google.given()),
        (0, 0)
    );
    let encrypted = there_and_back(&key, &[1, 32, 4096]).await;
    assert_eq!(encrypted.key, GoogleStandIn::KEY);
    assert_eq!(encrypted.key_version.as_deref(), Some("1"));
    assert_eq!(key.key_id().as_deref(), Some(GoogleStandIn::KEY));
    let clone = key.clone();
    clone.encrypt(&plaintext(32)).await.expect("encrypted");
    shared_connections(7, setting.relay.connections());
    assert_eq!(setting.google.given(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_do_not_meet() {
    let setting = Setting::new();
    let world = world(setting.options(), &setting.uri()).await;
    let key = key(&world).await;
    let calls = (1..24).map(|length| {
        let key = key.clone();
        tokio::spawn(async move {
            there_and_back(&key, &[length]).await;
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_key_a_missing_role_and_a_token_that_was_revoked_are_told() {
    let setting = Setting::new();
    let world = world(setting.options(), &setting.uri()).await;
    let key = key(&world).await;
    let encrypted = there_and_back(&key, &[32]).await;
    setting.google.revoke_tokens();
    told(
        key.decrypt(&encrypted).await,
        SqlState::InvalidAuthorization,
        "Google Cloud KMS",
        "",
    );
    key.decrypt(&encrypted).await.expect("with another token");
    setting.google.own_key(ACCOUNT, &["encrypt"]);
    told(
        key.decrypt(&encrypted).await,
        SqlState::InsufficientPrivilege,
        "Google Cloud KMS",
        "",
    );
    setting.google.own_key(ACCOUNT, &["encrypt", "decrypt"]);
    setting.google.disable_key();
    told(
        key.decrypt(&encrypted).await,
        SqlState::InsufficientPrivilege,
        "Google Cloud KMS",
        "nable",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_made_with_another_key_is_not_decrypted() {
    let setting = Setting::new();
    let world = world(setting.options(), &setting.uri()).await;
    let key = key(&world).await;
    let good = key.encrypt(&plaintext(32)).await.expect("encrypted");
    let mut tampered = good.clone();
    tampered.ciphertext[20] ^= 1;
    told(
        key.decrypt(&tampered).await,
        SqlState::ProtocolViolation,
        "Google Cloud KMS",
        "",
    );
    for other in [
        GoogleStandIn::KEY.replace("/backups", "/another"),
        GoogleStandIn::KEY.replace("/europe-west3/", "/us/"),
        "arn:aws:kms:eu-central-1:1:key/k".to_owned(),
    ] {
        let other = Encrypted {
            key: other,
            ..good.clone()
        };
        told(
            key.decrypt(&other).await,
            SqlState::InvalidParameterValue,
            "another key",
            "the key that encrypted",
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_is_refused() {
    let setting = Setting::new();
    let world = world(setting.options(), &setting.uri()).await;
    let key = key(&world).await;
    let good = key.encrypt(&plaintext(32)).await.expect("encrypted");
    let json = &[("content-type", "application/json")];
    let long = BASE64_STANDARD.encode([1; 4097]);
    for (body, words) in [
        ("{}", "it holds no plaintext"),
        ("[]", "it holds no plaintext"),
        ("{\"plaintext\":1}", ""),
        ("{\"plaintext\":\"!\"}", ""),
        ("{\"plaintext\":\"AA==\",\"plaintext\":\"AA==\"}", ""),
        (
            &*format!("{{\"plaintext\":\"{long}\"}}"),
            "decrypts to more than 4 KiB",
        ),
    ] {
        setting.google.answer_with(KMS, 200, json, body);
        told(
            key.decrypt(&good).await,
            SqlState::ProtocolViolation,
            words,
            "",
        );
    }
}
