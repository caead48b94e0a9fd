//! The built-in providers of cloud storage, in their sandbox and with their real manifests: what they
//! plan, refuse and show.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use portolan_contract::{EMBEDDED_PUBLIC, split};
use portolan_sandbox::{Allocation, Component, Provider, ProviderError, Sandbox, SandboxOptions};
use portolan_secret::SecretText;

async fn provider(name: &str) -> Provider {
    let options = SandboxOptions {
        allocation: Allocation::OnDemand,
        ..SandboxOptions::default()
    };
    let built_in = portolan_plugins::built_in_named(name).expect("it is built in");
    let component = Component {
        allow_public: EMBEDDED_PUBLIC.map(|(name, _)| name.to_owned()).to_vec(),
        ..Component::new(built_in.component)
    };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    sandbox.load(component).await.expect("it loads")
}

async fn plan(provider: &Provider, uri: &str) -> Result<String, ProviderError> {
    let uri = split(&SecretText::new(uri), provider.manifest()).expect("it splits");
    let planned = provider.plan(&uri).await?;
    Ok(planned.redacted_uri)
}

/// Whatever stands in a URI, the provider's answer is a plan that the host accepts, its endpoints
/// under the rules of the manifest among the rest, or a refusal in the provider's own words.
#[tokio::test]
async fn every_uri_of_the_fuzzers_corpora_is_planned_under_the_rules_or_refused() {
    for (name, corpus) in [
        ("aws-kms", "plan_aws_kms"),
        ("azure-blob", "plan_azure_blob"),
        ("azure-kms", "plan_azure_kms"),
        ("gcp-kms", "plan_gcp_kms"),
        ("gcpubsub", "plan_gcpubsub"),
        ("gs", "plan_gs"),
        ("http", "plan_http"),
        ("s3", "plan_s3"),
        ("webhook", "plan_webhook"),
    ] {
        let provider = provider(name).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        let (mut planned, mut refused) = (0, 0);
        for entry in std::fs::read_dir(folder.join(corpus)).expect("the corpus") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a URI");
            let Ok(uri) = split(&SecretText::new(text), provider.manifest()) else {
                refused += 1;
                continue;
            };
            match provider.plan(&uri).await {
                Ok(_) => planned += 1,
                Err(ProviderError::Refused(failure)) => {
                    assert!(failure.hint.is_some(), "{}: {failure}", path.display());
                    refused += 1;
                }
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
        assert!(
            planned >= 8 && refused >= 8,
            "{name}: {planned} planned, {refused} refused"
        );
    }
}

#[tokio::test]
async fn what_is_shown_is_what_users_know() {
    for (name, uri, shown) in [
        (
            "s3",
            "s3://bucket?AUTH=specified&AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=secret",
            "s3://bucket?AUTH=specified&AWS_ACCESS_KEY_ID=key&AWS_SECRET_ACCESS_KEY=redacted",
        ),
        (
            "gs",
            "gs://bucket?AUTH=specified&BEARER_TOKEN=token",
            "gs://bucket?AUTH=specified&BEARER_TOKEN=redacted",
        ),
        (
            "azure-blob",
            "azure-storage://bucket/path?AZURE_ACCOUNT_NAME=foo&AZURE_ACCOUNT_KEY=Zm9vCg==\
             &AZURE_ENVIRONMENT=AzureUSGovernmentCloud",
            "azure-storage://bucket/path?AZURE_ACCOUNT_KEY=redacted&AZURE_ACCOUNT_NAME=foo\
             &AZURE_ENVIRONMENT=AzureUSGovernmentCloud",
        ),
        (
            "http",
            "https://KEY:SECRET@host/path?topic_prefix=a&ca_cert=LS0=",
            "https://KEY:redacted@host/path?ca_cert=redacted&topic_prefix=a",
        ),
        (
            "http",
            "file-http://token@host/path",
            "file-http://redacted@host/path",
        ),
    ] {
        let provider = provider(name).await;
        assert_eq!(plan(&provider, uri).await.as_deref(), Ok(shown));
    }
}

#[tokio::test]
async fn a_slip_in_a_parameters_name_gets_the_name_that_was_meant() {
    for (name, uri, message, hint) in [
        (
            "s3",
            "s3://b?aws_region=eu-west-1&AWS_ACCESS_KEY_ID=a&AWS_SECRET_ACCESS_KEY=b",
            "unknown S3 query parameters: aws_region",
            "did you mean AWS_REGION?",
        ),
        (
            "gs",
            "gs://b?Bearer_Token=x",
            "unknown GS query parameters: Bearer_Token",
            "did you mean BEARER_TOKEN?",
        ),
        (
            "azure-blob",
            "azure://b?AZURE_ACCOUNT_NMAE=x",
            "unknown azure query parameters: AZURE_ACCOUNT_NMAE",
            "did you mean AZURE_ACCOUNT_NAME?",
        ),
        (
            "http",
            "https://h/x?CA_CERT=x",
            "unknown HTTP query parameters: CA_CERT",
            "did you mean ca_cert?",
        ),
        (
            "http",
            "https://h/x?sig=x",
            "unknown HTTP query parameters: sig",
            "write & as %26 in the value before it, or leave it out",
        ),
    ] {
        let error = plan(&provider(name).await, uri).await.expect_err(uri);
        assert_eq!(error.to_string(), message);
        assert_eq!(error.hint(), Some(hint));
        assert_eq!(error.sqlstate(), "22023");
    }
}

/// The verdict of the host reaches the provider with the place at which the value breaks.
#[tokio::test]
async fn a_value_that_is_no_base64_tells_where_it_breaks() {
    for (name, uri, message) in [
        (
            "gs",
            "gs://b?CREDENTIALS=%7B%22type%22%3A1%7D",
            "error getting credentials from CREDENTIALS: illegal base64 data at input byte 0",
        ),
        (
            "azure-blob",
            "azure://b?AZURE_ACCOUNT_NAME=a&AZURE_ACCOUNT_KEY=abcd%3F",
            "azure shared key credential: decode account key: illegal base64 data at input byte 4",
        ),
        (
            "http",
            "https://h?ca_cert=Zm9vYm%3F",
            "param ca_cert must be base 64 encoded: illegal base64 data at input byte 6",
        ),
    ] {
        let error = plan(&provider(name).await, uri).await.expect_err(uri);
        assert_eq!(error.to_string(), message);
    }
}
