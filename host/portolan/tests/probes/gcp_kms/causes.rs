//! Each cause of a failure, brought about.

use portolan_servers::{GoogleStandIn, ServiceAccount};

use super::{ACCOUNT, FORBIDDEN, KMS, SCOPE, Setting, fails, with_key, with_token};
use crate::told::{
    ALL, DECRYPTING, ENCRYPTING, NOT_DECRYPTED, NOT_ENCRYPTED, apart, expect, failing, made, named,
    nobody, ways,
};

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
    let ended = setting.google.give_for(ACCOUNT, SCOPE);
    // Of two hours ago: by the clock of the services, it has lived for one.
    setting.google.set_clock_ahead(2 * 3600);
    let revoked = setting.google.give_for(ACCOUNT, SCOPE);
    for (token, revokes) in [(ended, false), (revoked, true)] {
        if revokes {
            setting.google.revoke_tokens();
        }
        fails(
            setting.options(),
            &with_token(&token),
            [
                ENCRYPTING,
                "28000",
                &format!("{NOT_ENCRYPTED}Google Cloud KMS answered 401 UNAUTHENTICATED"),
                "Give a BEARER_TOKEN that is still valid, or CREDENTIALS, whose tokens are \
                 renewed.",
            ],
        )
        .await;
    }
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
async fn the_wrong_credentials_of_a_user_are_told_by_a_stand_in() {
    let setting = Setting::new();
    let user = setting.google.user();
    for (part, refusal, hint) in [
        (
            "GOCSPX-s3cr3t-of-client",
            "the client secret is wrong",
            "give the value of the client's secret, not the secret's ID, and check that it belongs \
             to this client",
        ),
        (
            "1//r3fr3sh-t0k3n",
            "the refresh token has expired or was revoked",
            "let the user log in again, and give the new credentials",
        ),
    ] {
        assert!(user.contains(part), "{part}");
        let wrong = user.replace(part, "hunter2");
        fails(
            setting.options(),
            &with_key(GoogleStandIn::KEY, &wrong),
            [
                ENCRYPTING,
                "28000",
                &format!("{NOT_ENCRYPTED}oauth2.googleapis.com refused the credentials: {refusal}"),
                hint,
            ],
        )
        .await;
    }
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
async fn a_key_that_is_disabled_or_in_another_place_is_told_by_a_stand_in() {
    let setting = Setting::new();
    for (part, another) in [
        ("europe-west3", "us-east1"),
        ("projects/p/", "projects/q/"),
        ("backups", "backups-2"),
    ] {
        let elsewhere = GoogleStandIn::KEY.replace(part, another);
        assert_ne!(elsewhere, GoogleStandIn::KEY);
        fails(
            setting.options(),
            &with_key(&elsewhere, &setting.key),
            [
                ENCRYPTING,
                "42704",
                &format!("{NOT_ENCRYPTED}Google Cloud KMS answered 404 NOT_FOUND"),
                "Check the key's project, location, key ring and name.",
            ],
        )
        .await;
    }
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
async fn clocks_that_are_apart_are_told_in_seconds_by_the_date_of_a_stand_in() {
    let setting = Setting::new();
    for (ahead, direction) in [(2 * 3600, "behind"), (-2 * 3600, "ahead of")] {
        setting.google.set_clock_ahead(ahead);
        let told = failing(setting.options(), &setting.uri(), &FORBIDDEN).await;
        expect(
            &apart(&told, 2 * 3600),
            [
                ENCRYPTING,
                "28000",
                &format!(
                    "failed to create GCP KMS external connection: {NOT_ENCRYPTED}\
                     oauth2.googleapis.com refused the credentials: this host's clock is N s \
                     {direction} that of the server"
                ),
                "set this host's clock, and have it kept by NTP",
            ],
        );
    }
    // A little is allowed.
    setting.google.set_clock_ahead(60);
    assert_eq!(made(setting.options(), &setting.uri()).await, ALL);
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
