//! What is made and tried out, and as whom.

use portolan::EgressOptions;
use portolan_servers::{EntraStandIn, HttpServer, KeyVaultStandIn, answer};

use super::{CLOUDS, SECRET, Setting, VAULT, uri};
use crate::support::{World, refused, rows};
use crate::told::{ALL, escaped, made, metadata};

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
