//! What is made and tried out, and as whom.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use portolan::EgressOptions;
use portolan_servers::GoogleStandIn;

use super::{ACCOUNT, LAST, SCOPE, Setting, fails, with_key, with_token};
use crate::support::{World, refused, rows};
use crate::told::{ALL, ENCRYPTING, NOT_ENCRYPTED, escaped, made, metadata};

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
