//! What an operator switches off, told by statements of every row of the table that a switch is
//! about. Nothing is dialled: a refusal comes before the first address is looked up.

use portolan::EgressOptions;

use crate::support::{World, refused, run};

/// The URI, what a refusal of it begins with, and what is refused.
const HTTP: &[(&str, &str, &str)] = &[
    (
        "s3://b?AWS_ENDPOINT=https://minio.example&AWS_ACCESS_KEY_ID=a&AWS_SECRET_ACCESS_KEY=b",
        "failed to create s3 external connection",
        "custom endpoints disallowed for s3 due to --external-io-disable-http flag",
    ),
    (
        "aws-kms:///k?REGION=eu&AWS_ENDPOINT=https://kms.example&AWS_ACCESS_KEY_ID=a&AWS_SECRET_ACCESS_KEY=b",
        "failed to create AWS KMS external connection",
        "custom endpoints disallowed for aws kms due to --aws-kms-disable-http flag",
    ),
    (
        "https://files.example/x",
        "invalid changefeed sink URI",
        "external http access disabled",
    ),
    (
        "file-http://files.example/x",
        "invalid changefeed sink URI",
        "external http access disabled",
    ),
];

/// The URI, what a refusal of it begins with, and whose credentials are refused.
const IMPLICIT: &[(&str, &str, &str)] = &[
    (
        "s3://b?AUTH=implicit",
        "failed to create s3 external connection",
        "s3",
    ),
    (
        "gs://b?AUTH=implicit",
        "failed to create gs external connection",
        "gs",
    ),
    (
        "azure-blob://c?AZURE_ACCOUNT_NAME=harbour&AUTH=implicit",
        "failed to create azure external connection",
        "azure",
    ),
    (
        "aws-kms:///k?REGION=eu-central-1&AUTH=implicit",
        "failed to create AWS KMS external connection",
        "aws kms",
    ),
    (
        "gcp-kms:///projects/p/locations/l/keyRings/r/cryptoKeys/k?AUTH=implicit",
        "failed to create GCP KMS external connection",
        "gcp kms",
    ),
    (
        "azure-kms:///k/0123456789abcdef0123456789abcdef?AZURE_VAULT_NAME=vault&AUTH=implicit",
        "failed to create Azure KMS external connection",
        "azure kms",
    ),
    (
        "gcpubsub://project?region=us-east1&AUTH=implicit",
        "invalid changefeed sink URI",
        "gcpubsub",
    ),
    (
        "kafka://broker.example:9098?tls_enabled=true&sasl_enabled=true\
         &sasl_mechanism=AWS_MSK_IAM&sasl_aws_region=eu-central-1\
         &sasl_aws_iam_role_arn=arn:aws:iam::123456789012:role/r\
         &sasl_aws_iam_session_name=portolan",
        "invalid changefeed sink URI",
        "kafka",
    ),
];

async fn world(disable_http: bool, disable_implicit_credentials: bool) -> World {
    let options = EgressOptions {
        disable_http,
        disable_implicit_credentials,
        ..EgressOptions::default()
    };
    World::with(|builder| builder.egress(options)).await
}

fn create(uri: &str) -> String {
    format!("CREATE EXTERNAL CONNECTION c AS '{uri}' WITH VALIDATE = 'none'")
}

async fn expect(world: &World, uri: &str, prefix: &str, words: &str, switch: &str) {
    let error = refused(&world.root(), &create(uri)).await;
    assert_eq!(error.sqlstate().code(), "42501", "{uri}: {error:?}");
    assert_eq!(
        error.message(),
        format!("failed to construct External Connection details: {prefix}: {words}")
    );
    let hint = format!("start the server without {switch} if it is meant");
    assert_eq!(error.hint(), Some(hint.as_str()));
}

#[tokio::test]
async fn own_servers_that_are_switched_off_are_refused_in_the_words_of_each_row() {
    let world = world(true, false).await;
    for (uri, prefix, words) in HTTP {
        expect(&world, uri, prefix, words, "--external-io-disable-http").await;
    }
}

#[tokio::test]
async fn implicit_credentials_that_are_switched_off_are_refused_in_the_words_of_each_row() {
    let world = world(false, true).await;
    let switch = "--external-io-disable-implicit-credentials";
    for (uri, prefix, whose) in IMPLICIT {
        let words = format!("implicit credentials disallowed for {whose} due to {switch} flag");
        expect(&world, uri, prefix, &words, switch).await;
    }
}

#[tokio::test]
async fn what_one_switch_refuses_is_made_while_only_the_other_is_set() {
    for (world, uris) in [
        (world(false, true).await, HTTP),
        (world(true, false).await, IMPLICIT),
    ] {
        for (uri, ..) in uris {
            run(&world.root(), &create(uri)).await;
            run(&world.root(), "DROP EXTERNAL CONNECTION c").await;
        }
    }
}
