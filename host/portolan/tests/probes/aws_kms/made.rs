//! What is made and tried out, and as whom.

use portolan::EgressOptions;
use portolan_servers::{AwsStandIn, aws_machine};

use super::{
    BACKUP, EXTERNAL_ID, JUMP, SECRET, SESSION, Setting, TOKEN, USER, as_roles, with, with_token,
};
use crate::support::{World, refused, rows};
use crate::told::{ALL, escaped, made, metadata};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_tried_out_by_each_name_with_a_user_and_a_session_over_a_stand_in() {
    let setting = Setting::new();
    let names = [AwsStandIn::KEY, AwsStandIn::ALIAS, AwsStandIn::ARN];
    let mut uris = names.map(|key| with(key, USER, SECRET)).to_vec();
    uris.push(with_token(TOKEN));
    for uri in uris {
        assert_eq!(made(setting.options(), &uri).await, ALL, "{uri}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_names_the_key_and_no_secret_is_shown_over_a_stand_in() {
    let setting = Setting::new();
    let world = World::with(|builder| builder.egress(setting.options())).await;
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{}'", with_token(TOKEN));
    world.run(&[&create]).await;
    let root = world.root();
    let steps = rows(&root, "VALIDATE EXTERNAL CONNECTION c").await;
    let encrypted = &steps[5];
    assert_eq!((&*encrypted[0], &*encrypted[1]), ("encrypt", "ok"));
    assert_eq!(encrypted[3], format!("key: {}", AwsStandIn::ARN));
    let shown = rows(&root, "SHOW EXTERNAL CONNECTION c").await;
    let shown = format!("{shown:?}{steps:?}");
    assert!(shown.contains("AWS_SECRET_ACCESS_KEY=redacted"), "{shown}");
    assert!(shown.contains("AWS_SESSION_TOKEN=redacted"), "{shown}");
    for secret in [SECRET, TOKEN] {
        assert!(!shown.contains(secret) && !shown.contains(&escaped(secret)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_role_of_a_chain_uses_the_key_over_a_stand_in() {
    let setting = Setting::new();
    setting.aws.add_role(JUMP, USER, Some(EXTERNAL_ID));
    setting.aws.add_role(BACKUP, JUMP, None);
    setting.aws.allow(USER, &[]);
    setting.aws.allow(BACKUP, &["Encrypt", "Decrypt"]);
    assert_eq!(made(setting.options(), &as_roles()).await, ALL);
    // One for each of the two roles and of the two probes.
    assert_eq!(setting.aws.given(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machines_key_is_lent_where_the_host_lends_over_stand_ins() {
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ] {
        let variable = std::env::var_os(name);
        assert!(
            variable.is_none(),
            "unset {name}: this is a machine without"
        );
    }
    let setting = Setting::new();
    let machine = aws_machine([SESSION, SECRET, TOKEN]);
    let options = EgressOptions {
        metadata: metadata(&machine),
        ..setting.options()
    };
    let uri = format!(
        "aws-kms:///{}?AUTH=implicit&REGION=eu-central-1",
        AwsStandIn::ALIAS
    );
    let create = format!("CREATE EXTERNAL CONNECTION c AS '{uri}'");
    let lending = World::with(|builder| builder.egress(options.clone()).lend_host_credentials());
    let lending = lending.await;
    lending.run(&[&create]).await;
    let steps = rows(&lending.root(), "VALIDATE EXTERNAL CONNECTION c").await;
    let last = steps.last().expect("a step");
    assert_eq!((&*last[0], &*last[1]), ("compare", "ok"));

    // What the machine has may take on roles as well.
    setting.aws.add_role(BACKUP, SESSION, None);
    setting.aws.allow(BACKUP, &["Encrypt", "Decrypt"]);
    setting.aws.allow(SESSION, &[]);
    let as_role = format!("CREATE EXTERNAL CONNECTION r AS '{uri}&ASSUME_ROLE={BACKUP}'");
    lending.run(&[&as_role]).await;

    let world = World::with(|builder| builder.egress(options)).await;
    let error = refused(&world.root(), &create).await;
    assert_eq!(
        (error.sqlstate().to_string(), error.hint()),
        (
            "0A000".to_owned(),
            Some(
                "give the connection AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set up what \
                 this host lends"
            )
        )
    );
}
