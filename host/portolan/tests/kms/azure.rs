//! Keys of Azure Key Vault, with stand-ins for it and for Entra.

use portolan::{EgressOptions, Encrypted, SqlState};
use portolan_servers::{Authority, EntraApplication, EntraStandIn, KeyVaultStandIn, Relay};

use super::setting::{key, plaintext, shared_connections, there_and_back, told, world};
use super::told::{escaped, ways};

const VAULT: &str = "harbour-1.vault.azure.net";
const LOGIN: &str = "login.microsoftonline.com";
pub(crate) const SECRET: &str = "abC8Q~s3cr3t+/&=of%client";

pub(crate) struct Setting {
    authority: Authority,
    entra: EntraStandIn,
    vault: KeyVaultStandIn,
    relay: Relay,
}

impl Setting {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("of the servers");
        let application = EntraApplication {
            tenant: "contoso.example".to_owned(),
            client: "backup-client".to_owned(),
            secret: SECRET.to_owned(),
        };
        let entra = EntraStandIn::start(&authority, &[LOGIN], application);
        let vault = KeyVaultStandIn::start(&authority, &[VAULT], &entra);
        Self {
            relay: Relay::to(vault.address()),
            vault,
            entra,
            authority,
        }
    }

    pub(crate) fn options(&self) -> EgressOptions {
        ways(
            &self.authority,
            &[
                (&format!("{VAULT}:443"), self.relay.address()),
                (&format!("{LOGIN}:443"), self.entra.address()),
            ],
        )
    }
}

pub(crate) fn uri(secret: &str) -> String {
    let (key, version) = (KeyVaultStandIn::KEY, KeyVaultStandIn::VERSION);
    let secret = escaped(secret);
    format!(
        "azure-kms:///{key}/{version}?AZURE_VAULT_NAME=harbour-1&AZURE_TENANT_ID=contoso.example&\
         AZURE_CLIENT_ID=backup-client&AZURE_CLIENT_SECRET={secret}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_key_goes_there_and_back_and_a_second_call_dials_and_authenticates_nothing_anew() {
    let setting = Setting::new();
    let world = world(setting.options(), &uri(SECRET)).await;
    let key = key(&world).await;
    let encrypted = there_and_back(&key, &[1, 32, 64]).await;
    let id = format!("https://{VAULT}/keys/{}", KeyVaultStandIn::KEY);
    assert_eq!(encrypted.key, id);
    assert_eq!(
        encrypted.key_version.as_deref(),
        Some(KeyVaultStandIn::VERSION)
    );
    assert_eq!(key.key_id().as_deref(), Some(KeyVaultStandIn::KEY));
    shared_connections(6, setting.relay.connections());
    assert_eq!(setting.entra.given(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_a_disabled_key_and_a_missing_role_are_told() {
    let setting = Setting::new();
    let wrong = world(setting.options(), &uri("another~s3cr3t")).await;
    let refused = key(&wrong).await.encrypt(&plaintext(32)).await;
    assert!(!format!("{refused:?}").contains("s3cr3t"), "{refused:?}");
    told(
        refused,
        SqlState::InvalidAuthorization,
        LOGIN,
        "the client's secret",
    );
    let world = world(setting.options(), &uri(SECRET)).await;
    let key = key(&world).await;
    let encrypted = there_and_back(&key, &[32]).await;
    setting.vault.allow(&["encrypt"]);
    told(
        key.decrypt(&encrypted).await,
        SqlState::InsufficientPrivilege,
        "Azure Key Vault",
        "",
    );
    setting.vault.allow(&["encrypt", "decrypt"]);
    setting.vault.disable_key();
    told(
        key.decrypt(&encrypted).await,
        SqlState::InsufficientPrivilege,
        "Azure Key Vault",
        "nable",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_another_key_and_what_was_changed_are_not_decrypted() {
    let setting = Setting::new();
    let world = world(setting.options(), &uri(SECRET)).await;
    let key = key(&world).await;
    let good = key.encrypt(&plaintext(32)).await.expect("encrypted");
    let version = Encrypted {
        key_version: Some("00000000000000000000000000000001".to_owned()),
        ..good.clone()
    };
    told(
        key.decrypt(&version).await,
        SqlState::UndefinedObject,
        "Azure Key Vault",
        "",
    );
    let mut tampered = good.clone();
    tampered.ciphertext[7] ^= 1;
    told(
        key.decrypt(&tampered).await,
        SqlState::ProtocolViolation,
        "Azure Key Vault",
        "",
    );
    for other in [
        good.key.replace("harbour-1", "harbour-2"),
        good.key.replace("backups", "another"),
        GOOGLES.to_owned(),
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
    // The service answers for another version than the one that was asked.
    setting
        .vault
        .tell_of_version("ffffffffffffffffffffffffffffffff");
    told(
        key.decrypt(&good).await,
        SqlState::ProtocolViolation,
        "it is of another key than the one that was asked for",
        "",
    );
}

const GOOGLES: &str = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
