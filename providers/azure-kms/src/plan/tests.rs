use portolan_sdk::testing::{pieces, public_options};
use portolan_sdk::{FailureClass, PlanEntry, Provider, print_redacted};

use super::*;
use crate::AzureKms;

const MANIFEST: &str = include_str!("../../manifest.toml");
const CLIENT: &str = "AZURE_CLIENT_ID=c&AZURE_CLIENT_SECRET=hunter2&AZURE_TENANT_ID=t";

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(uri, &public_options(MANIFEST)))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
}

fn hosts(plan: &Plan) -> Vec<&str> {
    let entries = plan.entries().iter();
    let hosts = entries.filter_map(|entry| match entry {
        PlanEntry::Endpoint(endpoint) => Some(endpoint.host.as_str()),
        _ => None,
    });
    hosts.collect()
}

fn settings<'a>(plan: &'a Plan, names: &[&str]) -> Vec<Option<&'a str>> {
    names.iter().map(|name| plan.setting(name)).collect()
}

#[test]
fn a_key_is_in_its_vault_of_its_cloud() {
    for (environment, vault, login) in [
        ("", "v-1.vault.azure.net", "login.microsoftonline.com"),
        (
            "azurepubliccloud",
            "v-1.vault.azure.net",
            "login.microsoftonline.com",
        ),
        (
            "AzureUSGovernmentCloud",
            "v-1.vault.usgovcloudapi.net",
            "login.microsoftonline.us",
        ),
        (
            "AzureChinaCloud",
            "v-1.vault.azure.cn",
            "login.chinacloudapi.cn",
        ),
    ] {
        let plan = planned(&format!(
            "azure-kms:///k-1/0a1b?AZURE_VAULT_NAME=v-1&AZURE_ENVIRONMENT={environment}&{CLIENT}\
             &COCKROACH_LOCALITY=x"
        ))
        .expect("a plan");
        assert_eq!(hosts(&plan), [vault, login]);
        assert_eq!(
            settings(
                &plan,
                &["credentials", "tenant", "client-id", "key", "key-version"]
            ),
            [
                Some("specified"),
                Some("t"),
                Some("c"),
                Some("k-1"),
                Some("0a1b")
            ]
        );
    }
}

#[test]
fn the_servers_own_credentials_are_implicit() {
    let plan = planned("azure-kms:///k/1?AUTH=implicit&AZURE_VAULT_NAME=V").expect("a plan");
    assert_eq!(hosts(&plan), ["v.vault.azure.net"]);
    assert_eq!(plan.setting("credentials"), Some("implicit"));
    assert!(plan.entries().contains(&PlanEntry::ImplicitAccess(
        "the Azure credentials of the server".to_owned()
    )));
}

#[test]
fn the_errors_come_in_the_order_that_users_know() {
    let form = "azure kms key must be of form 'id/version'";
    for (uri, expected) in [
        (
            "azure-kms:///?AUTH=other&BAD=1",
            "path component of the KMS cannot be empty; must contain the Customer Managed Key",
        ),
        (
            "azure-kms:///k?AUTH=other&BAD=1",
            "azure kms requires explicit auth (RBAC) or implicit auth",
        ),
        (
            "azure-kms:///k?BAD=1&WORSE=hunter2",
            "unknown KMS query parameters: BAD, WORSE",
        ),
        (
            "azure-kms:///k?AZURE_ENVIRONMENT=x",
            "kms URI expected but did not receive: AZURE_VAULT_NAME, AZURE_CLIENT_ID, \
             AZURE_CLIENT_SECRET, AZURE_TENANT_ID",
        ),
        (
            "azure-kms:///k?AZURE_VAULT_NAME=v&AZURE_CLIENT_SECRET=hunter2&AZURE_TENANT_ID=",
            "kms URI expected but did not receive: AZURE_CLIENT_ID, AZURE_TENANT_ID",
        ),
        (
            "azure-kms:///k?AUTH=implicit&AZURE_CLIENT_ID=c",
            "kms URI expected but did not receive: AZURE_VAULT_NAME",
        ),
        (
            "azure-kms:///k?AUTH=implicit&AZURE_VAULT_NAME=v&AZURE_CLIENT_SECRET=hunter2\
             &AZURE_TENANT_ID=t",
            "kms URI does not support: AZURE_CLIENT_SECRET, AZURE_TENANT_ID",
        ),
        (
            "azure-kms:///k?AUTH=implicit&AZURE_VAULT_NAME=v&AZURE_ENVIRONMENT=random",
            "azure kms environment: autorest/azure: There is no cloud environment matching the \
             name \"RANDOM\"",
        ),
        ("azure-kms://h/k?AUTH=implicit&AZURE_VAULT_NAME=v", form),
        ("azure-kms:///k/1/2?AUTH=implicit&AZURE_VAULT_NAME=v", form),
        (
            "azure-kms://h/k/1?AUTH=implicit&AZURE_VAULT_NAME=v",
            "an azure-kms URI names no host",
        ),
        (
            "azure-kms:///k/?AUTH=implicit&AZURE_VAULT_NAME=v.w",
            "the path of the azure-kms URI is not the version of a key",
        ),
        (
            "azure-kms:///k/1?AUTH=implicit&AZURE_VAULT_NAME=v.w",
            "AZURE_VAULT_NAME is not the name of a vault",
        ),
        (
            "azure-kms:///k/1?AZURE_VAULT_NAME=v&AZURE_CLIENT_ID=c&AZURE_CLIENT_SECRET=hunter2\
             &AZURE_TENANT_ID=../x",
            "AZURE_TENANT_ID is not a tenant",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
}

#[test]
fn a_vault_and_a_key_lead_nowhere_else() {
    for vault in ["a.b", "a%2fb", "a@b", "a:1", "-a", "a_b", "a%20b", "a%23"] {
        assert_eq!(
            message(&format!(
                "azure-kms:///k/1?AUTH=implicit&AZURE_VAULT_NAME={vault}"
            )),
            "AZURE_VAULT_NAME is not the name of a vault",
            "{vault}"
        );
    }
    for path in ["../1", "k/..", "k.x/1", "k/a b", "k/%22", "/1"] {
        assert_eq!(
            message(&format!(
                "azure-kms:///{path}?AUTH=implicit&AZURE_VAULT_NAME=v"
            )),
            "the path of the azure-kms URI is not the version of a key",
            "{path}"
        );
    }
}

#[test]
fn what_is_shown_has_no_secret_and_no_key() {
    let uri = format!("azure-kms:///k/1?AZURE_VAULT_NAME=v&{CLIENT}");
    let pieces = pieces(&uri, &public_options(MANIFEST));
    assert_eq!(
        print_redacted(&AzureKms::redact(pieces)),
        "azure-kms:///redacted?AZURE_CLIENT_ID=c&AZURE_CLIENT_SECRET=redacted&AZURE_TENANT_ID=t\
         &AZURE_VAULT_NAME=v"
    );
}
