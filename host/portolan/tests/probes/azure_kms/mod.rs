//! `azure-kms`: stand-ins for Entra and for Azure Key Vault. That the real services answer like them
//! is not proved.

use portolan::EgressOptions;
use portolan_servers::{Authority, EntraApplication, EntraStandIn, KeyVaultStandIn};

use super::told::{escaped, expect, failing, ways};

mod causes;
mod made;

const VAULT: &str = "harbour-1.vault.azure.net";
const LOGIN: &str = "login.microsoftonline.com";
const SECRET: &str = "abC8Q~s3cr3t+/&=of%client";

/// The other clouds: environment, vault and login.
const CLOUDS: [[&str; 3]; 2] = [
    [
        "AzureUSGovernmentCloud",
        "harbour-1.vault.usgovcloudapi.net",
        "login.microsoftonline.us",
    ],
    [
        "AzureChinaCloud",
        "harbour-1.vault.azure.cn",
        "login.chinacloudapi.cn",
    ],
];

/// Entra with one application, and a vault with one key.
struct Setting {
    authority: Authority,
    entra: EntraStandIn,
    vault: KeyVaultStandIn,
}

impl Setting {
    fn new() -> Self {
        let authority = Authority::new("of the servers");
        let application = EntraApplication {
            tenant: "contoso.example".to_owned(),
            client: "backup-client".to_owned(),
            secret: SECRET.to_owned(),
        };
        let [[_, vault_us, login_us], [_, vault_china, login_china]] = CLOUDS;
        let logins = [LOGIN, login_us, login_china];
        let entra = EntraStandIn::start(&authority, &logins, application);
        let vaults = [VAULT, vault_us, vault_china];
        Self {
            vault: KeyVaultStandIn::start(&authority, &vaults, &entra),
            entra,
            authority,
        }
    }

    /// The ways to the servers under the names of a cloud.
    fn ways(&self, vault: &str, login: &str) -> EgressOptions {
        ways(
            &self.authority,
            &[
                (&format!("{vault}:443"), self.vault.address()),
                (&format!("{login}:443"), self.entra.address()),
            ],
        )
    }

    fn options(&self) -> EgressOptions {
        self.ways(VAULT, LOGIN)
    }
}

fn uri() -> String {
    with(KeyVaultStandIn::VERSION, SECRET)
}

/// With this version of the key, and this secret of the client.
fn with(version: &str, secret: &str) -> String {
    let (key, secret) = (KeyVaultStandIn::KEY, escaped(secret));
    format!(
        "azure-kms:///{key}/{version}?AZURE_VAULT_NAME=harbour-1&AZURE_TENANT_ID=contoso.example&\
         AZURE_CLIENT_ID=backup-client&AZURE_CLIENT_SECRET={secret}"
    )
}

/// Compares a failure: its steps, its SQLSTATE, its message and its hint.
async fn fails(options: EgressOptions, uri: &str, expected: [&str; 4]) {
    let forbidden = [SECRET, &escaped(SECRET), "a text of the service", "hunter2"];
    let told = failing(options, uri, &forbidden).await;
    let [steps, state, message, hint] = expected;
    let message = format!("failed to create Azure KMS external connection: {message}");
    expect(&told, [steps, state, &message, hint]);
}
