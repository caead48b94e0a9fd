//! `azure-kms`: stand-ins for Entra and for Azure Key Vault. That the real services answer like them
//! is not proved.

use portolan::EgressOptions;
use portolan_servers::{
    Authority, EntraApplication, EntraStandIn, HttpServer, KeyVaultStandIn, answer,
};

use super::support::{World, refused, rows};
use super::told::{
    ALL, DECRYPTING, ENCRYPTING, NOT_DECRYPTED, NOT_ENCRYPTED, escaped, expect, failing, made,
    metadata, named, nobody, ways,
};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_tried_out_in_each_cloud_over_stand_ins() {
    let setting = Setting::new();
    assert_eq!(made(setting.options(), &uri()).await, ALL);
    for [environment, vault, login] in CLOUDS {
        let uri = format!("{}&AZURE_ENVIRONMENT={environment}", uri());
        assert_eq!(made(setting.ways(vault, login), &uri).await, ALL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_names_the_key_and_its_version_and_no_secret_is_shown_over_stand_ins() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{}'", uri());
    world.run(&[&create]).await;
    let root = world.root();
    let steps = rows(&root, "VALIDATE EXTERNAL CONNECTION c").await;
    let encrypted = &steps[5];
    assert_eq!((&*encrypted[0], &*encrypted[1]), ("encrypt", "ok"));
    let told = format!(
        "key: https://{VAULT}/keys/{}, version: {}",
        KeyVaultStandIn::KEY,
        KeyVaultStandIn::VERSION
    );
    assert_eq!(encrypted[3], told);
    let shown = rows(&root, "SHOW EXTERNAL CONNECTION c").await;
    let shown = format!("{shown:?}{steps:?}");
    assert!(shown.contains("AZURE_CLIENT_SECRET=redacted"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains(&escaped(SECRET)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_reads_encrypts_nothing_and_asks_for_no_token() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let uri = uri();
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{uri}' WITH VALIDATE = 'read'");
    world.run(&[&create]).await;
    assert_eq!(setting.entra.given(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machines_tokens_are_lent_where_the_host_lends_over_stand_ins() {
    for name in ["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"] {
        let variable = std::env::var_os(name);
        assert!(
            variable.is_none(),
            "unset {name}: this is a machine without"
        );
    }
    let setting = Setting::new();
    let machine = machine(&setting.entra);
    let options = EgressOptions {
        metadata: metadata(&machine),
        ..setting.options()
    };
    let create = format!(
        "CREATE EXTERNAL CONNECTION c AS \
         'azure-kms:///{}/{}?AUTH=implicit&AZURE_VAULT_NAME=harbour-1'",
        KeyVaultStandIn::KEY,
        KeyVaultStandIn::VERSION
    );
    let lending = World::with(|builder| builder.egress(options.clone()).lend_host_credentials());
    lending.await.run(&[&create]).await;

    let world = World::with(|builder| builder.egress(options)).await;
    let error = refused(&world.root(), &create).await;
    assert_eq!(
        (error.sqlstate().to_string(), error.hint()),
        (
            "0A000".to_owned(),
            Some("give the connection credentials of its own")
        )
    );
}

/// Answers as the metadata service of a machine in Azure is documented to, with a token for vaults.
fn machine(entra: &EntraStandIn) -> HttpServer {
    let token = entra.token("https://vault.azure.net");
    HttpServer::plain(move |request| {
        let line = format!("{} {}", request.method(), request.uri());
        let asked = "GET /metadata/identity/oauth2/token?api-version=2018-02-01&\
                     resource=https%3A%2F%2Fvault.azure.net%2F";
        let is_asked = line == asked && request.headers().contains_key("metadata");
        let told = match is_asked {
            true => answer(
                200,
                &[],
                format!(r#"{{"access_token":"{token}","expires_in":"86399"}}"#),
            ),
            false => answer(400, &[], ""),
        };
        Box::pin(async move { told })
    })
}

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
            "Check that AZURE_TENANT_ID is the tenant of the vault, and the clock of this server.",
        ],
    )
    .await;
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
    fails(
        setting.options(),
        &with("00000000000000000000000000000000", SECRET),
        [
            ENCRYPTING,
            "42704",
            &format!("{NOT_ENCRYPTED}Azure Key Vault answered 404 KeyNotFound"),
            "Check the key's name and version, and AZURE_VAULT_NAME.",
        ],
    )
    .await;
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
