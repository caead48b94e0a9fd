//! Each cause of a failure, brought about.

use portolan_servers::KeyVaultStandIn;

use super::{LOGIN, SECRET, Setting, VAULT, fails, uri, with};
use crate::told::{
    DECRYPTING, ENCRYPTING, NOT_DECRYPTED, NOT_ENCRYPTED, expect, failing, named, nobody, ways,
};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_and_tokens_that_are_not_taken_are_told_by_stand_ins() {
    let setting = Setting::new();
    fails(
        setting.options(),
        &with(KeyVaultStandIn::VERSION, "hunter2"),
        [
            ENCRYPTING,
            "28000",
            &format!(
                "{NOT_ENCRYPTED}login.microsoftonline.com refused the credentials: the client \
                 secret is wrong"
            ),
            "give the value of the client's secret, not the secret's ID, and check that it belongs \
             to this client",
        ],
    )
    .await;
    setting.entra.give_worthless_tokens();
    fails(
        setting.options(),
        &uri(),
        [
            ENCRYPTING,
            "28000",
            &format!("{NOT_ENCRYPTED}Azure Key Vault answered 401 Unauthorized"),
            "Check that AZURE_TENANT_ID is the tenant of the vault.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_not_known_or_whose_secret_has_ended_is_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.entra.end_secret();
    for (uri, refusal, hint) in [
        (
            uri().replace("backup-client", "another-client"),
            "the client is not known there",
            "check the client's ID, and that it belongs to this tenant",
        ),
        (
            uri().replace("contoso.example", "fabrikam.example"),
            "the tenant is not known there",
            "check the tenant, and the Azure environment that it is in",
        ),
        (
            uri(),
            "the client secret has expired",
            "create a new secret for the client",
        ),
    ] {
        fails(
            setting.options(),
            &uri,
            [
                ENCRYPTING,
                "28000",
                &format!("{NOT_ENCRYPTED}{LOGIN} refused the credentials: {refusal}"),
                hint,
            ],
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_for_only_one_of_the_two_is_told_by_a_stand_in() {
    let setting = Setting::new();
    setting.vault.allow(&["encrypt"]);
    fails(
        setting.options(),
        &uri(),
        [
            DECRYPTING,
            "42501",
            &format!("{NOT_DECRYPTED}Azure Key Vault answered 403 Forbidden (ForbiddenByRbac)"),
            "Allow the application to decrypt: by the role Key Vault Crypto User, or the key \
             permission Decrypt of the vault's access policy. A disabled key is refused as well.",
        ],
    )
    .await;
    setting.vault.allow(&["decrypt"]);
    fails(
        setting.options(),
        &uri(),
        [
            ENCRYPTING,
            "42501",
            &format!("{NOT_ENCRYPTED}Azure Key Vault answered 403 Forbidden (ForbiddenByRbac)"),
            "Allow the application to encrypt: by the role Key Vault Crypto User, or the key \
             permission Encrypt of the vault's access policy. A disabled key is refused as well.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_disabled_or_not_there_is_told_by_a_stand_in() {
    let setting = Setting::new();
    for missing in [
        with("00000000000000000000000000000000", SECRET),
        uri().replace(KeyVaultStandIn::KEY, "another"),
    ] {
        fails(
            setting.options(),
            &missing,
            [
                ENCRYPTING,
                "42704",
                &format!("{NOT_ENCRYPTED}Azure Key Vault answered 404 KeyNotFound"),
                "Check the key's name and version, and AZURE_VAULT_NAME.",
            ],
        )
        .await;
    }
    setting.vault.disable_key();
    fails(
        setting.options(),
        &uri(),
        [
            ENCRYPTING,
            "42501",
            &format!("{NOT_ENCRYPTED}Azure Key Vault answered 403 Forbidden (KeyDisabled)"),
            "Enable this version of the key, or name one that is enabled.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_version_is_refused_from_a_stand_in() {
    let setting = Setting::new();
    setting
        .vault
        .tell_of_version("ffffffffffffffffffffffffffffffff");
    fails(
        setting.options(),
        &uri(),
        [
            ENCRYPTING,
            "08P01",
            &format!(
                "{NOT_ENCRYPTED}the answer is none of Azure Key Vault: it is of another key than \
                 the one that was asked for"
            ),
            "Look for a proxy on the way that answers in the place of Azure Key Vault.",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_behind_is_told_by_the_date_of_a_stand_in() {
    let setting = Setting::new();
    setting.entra.answer_with(
        401,
        &[("date", "Thu, 01 Jan 2099 00:00:00 GMT")],
        r#"{"error":"invalid_client","error_description":"hunter2","error_codes":[]}"#,
    );
    let told = failing(setting.options(), &uri(), &[SECRET, "hunter2"]).await;
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
                "failed to create Azure KMS external connection: {NOT_ENCRYPTED}{LOGIN} refused \
                 the credentials: this host's clock is N s behind that of the server"
            ),
            "set this host's clock, and have it kept by NTP",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_not_reached_is_told() {
    let setting = Setting::new();
    fails(
        ways(&setting.authority, &[(&format!("{VAULT}:443"), nobody())]),
        &uri(),
        [
            "resolve ok, dial failed",
            "08001",
            &format!("{VAULT}:443 refused the connection"),
            "check the port, and that the server is running",
        ],
    )
    .await;
    fails(
        named(&[]),
        &uri(),
        [
            "resolve failed",
            "08001",
            &format!("the name {VAULT} does not resolve"),
            "check the spelling of the host, and the DNS of this host",
        ],
    )
    .await;
}
