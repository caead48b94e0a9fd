use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    Endpoint, FailureClass, Fragment, NamedSecret, ObjectStore, Operation, PlanEntry, Provider,
    TlsProfile, print_redacted,
};

use super::*;
use crate::AzureBlob;

const MANIFEST: &str = include_str!("../../manifest.toml");
const APPLICATION: &str = "AZURE_TENANT_ID=t.example&AZURE_CLIENT_ID=c&AZURE_CLIENT_SECRET=hunter2";

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(uri, &public_options(MANIFEST)))
}

fn refusal(uri: &str) -> Failure {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure
}

fn setting(name: &str, value: &str) -> PlanEntry {
    PlanEntry::Setting((name.to_owned(), value.to_owned()))
}

fn secret(name: &str) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments: vec![Fragment::Secret(0)],
    })
}

fn endpoint(host: &str) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port: 443,
        tls_profile: Some("server".to_owned()),
    })
}

/// What every plan of this account begins with.
fn account(storage: &str, environment: &str) -> Vec<PlanEntry> {
    vec![
        PlanEntry::Kind(Kind::Storage),
        PlanEntry::Supports(Operation::Backup),
        PlanEntry::Supports(Operation::Restore),
        PlanEntry::Supports(Operation::Import),
        PlanEntry::Supports(Operation::Export),
        PlanEntry::Supports(Operation::Changefeed),
        PlanEntry::Tls(TlsProfile {
            name: "server".to_owned(),
            certificate_authority: None,
            client_certificate: None,
            client_key: None,
            verify: TlsVerification::Full,
        }),
        endpoint(storage),
        setting("account", "acct"),
        setting("environment", environment),
    ]
}

fn store(container: &str, prefix: &str) -> PlanEntry {
    PlanEntry::ObjectStore(ObjectStore {
        backend: "azure".to_owned(),
        container: container.to_owned(),
        prefix: prefix.to_owned(),
    })
}

#[test]
fn an_account_key_is_a_whole_plan_under_each_scheme() {
    for scheme in ["azure-blob", "azure", "azure-storage"] {
        let plan = planned(&format!(
            "{scheme}://backups/daily/?AZURE_ACCOUNT_NAME=acct&AZURE_ACCOUNT_KEY=x\
             &COCKROACH_LOCALITY=region%3Dx"
        ));
        let mut expected = account("acct.blob.core.windows.net", "AzurePublicCloud");
        expected.extend([
            setting("credentials", "specified"),
            secret("account-key"),
            store("backups", "daily"),
        ]);
        assert_eq!(plan.expect("a plan").into_entries(), expected);
    }
}

#[test]
fn an_application_logs_in_at_its_cloud() {
    let plan = planned(&format!(
        "azure-blob://$web?AUTH=specified&AZURE_ACCOUNT_NAME=acct&{APPLICATION}\
         &AZURE_ENVIRONMENT=azureusgovernmentcloud"
    ));
    let mut expected = account("acct.blob.core.usgovcloudapi.net", "AzureUSGovernmentCloud");
    expected.extend([
        setting("credentials", "specified"),
        endpoint("login.microsoftonline.us"),
        setting("tenant", "t.example"),
        setting("client-id", "c"),
        secret("client-secret"),
        store("$web", ""),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn only_the_servers_own_credentials_are_implicit() {
    let plan = planned(
        "azure-blob://b?AUTH=implicit&AZURE_ACCOUNT_NAME=acct&AZURE_ENVIRONMENT=AzureChinaCloud",
    );
    let mut expected = account("acct.blob.core.chinacloudapi.cn", "AzureChinaCloud");
    expected.extend([
        setting("credentials", "implicit"),
        PlanEntry::ImplicitAccess("the Azure credentials of the server".to_owned()),
        store("b", ""),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn errors_come_in_the_order_that_users_know() {
    let explicit = "explicit azure uri requires exactly one authentication method: \
                    \"AZURE_ACCOUNT_KEY\" OR all three of \"AZURE_TENANT_ID\", \
                    \"AZURE_CLIENT_ID\", and \"AZURE_CLIENT_SECRET\"";
    let no_environment = "azure environment: autorest/azure: There is no cloud environment \
                          matching the name \"RANDOM-ENV\"";
    for (query, expected) in [
        ("AUTH=x&BAD=hunter2", "unsupported value x for AUTH"),
        (
            "BAD=hunter2&azure_account_name=x",
            "unknown azure query parameters: BAD, azure_account_name",
        ),
        (
            "AZURE_ACCOUNT_NAME=&AZURE_CLIENT_ID=x",
            "azure uri missing \"AZURE_ACCOUNT_NAME\" parameter",
        ),
        ("AZURE_ACCOUNT_NAME=a.b&AZURE_ENVIRONMENT=x", explicit),
        ("AZURE_ACCOUNT_NAME=a.b&AZURE_ACCOUNT_KEY=", explicit),
        ("AZURE_ACCOUNT_NAME=a.b&AZURE_CLIENT_ID=x", explicit),
        (
            "AZURE_ACCOUNT_NAME=a.b&AZURE_CLIENT_SECRET=hunter2&AZURE_CLIENT_ID=x",
            explicit,
        ),
        (
            "AZURE_ACCOUNT_NAME=a.b&AZURE_ACCOUNT_KEY=hunter2&AZURE_TENANT_ID=x",
            explicit,
        ),
        (
            "AZURE_ACCOUNT_NAME=a.b&AUTH=implicit&AZURE_CLIENT_SECRET=hunter2&AZURE_ACCOUNT_KEY=y\
             &AZURE_ENVIRONMENT=x",
            "implicit azure auth does not support uri param AZURE_ACCOUNT_KEY, AZURE_CLIENT_SECRET",
        ),
        (
            "AZURE_ACCOUNT_NAME=a.b&AZURE_ACCOUNT_KEY=x&AZURE_ENVIRONMENT=random-env",
            no_environment,
        ),
        (
            "AZURE_ACCOUNT_NAME=a.b&AZURE_ACCOUNT_KEY=x",
            "AZURE_ACCOUNT_NAME is not the name of a storage account",
        ),
        (
            "AZURE_ACCOUNT_NAME=a&AZURE_ACCOUNT_KEY=x",
            "the host of the azure URI is not the name of a container",
        ),
    ] {
        let failure = refusal(&format!("azure-blob://B/..?{query}"));
        assert_eq!(failure.message, expected, "{query}");
    }
    let failure = refusal("azure://b/..?AZURE_ACCOUNT_NAME=a&AZURE_ACCOUNT_KEY=x");
    assert_eq!(failure.message, "the path holds a `.` or `..` segment");
    let failure = refusal("azure://hunter2@b?AZURE_ACCOUNT_NAME=a&AZURE_ACCOUNT_KEY=x");
    assert_eq!(
        failure.message,
        "the azure URI holds a user or a password before its host"
    );
}

#[test]
fn an_account_key_that_is_no_base64_tells_where_it_breaks() {
    let uri = "azure://b?AZURE_ACCOUNT_NAME=a&AZURE_ACCOUNT_KEY=x%3F";
    let uri = broken_at(
        pieces(uri, &public_options(MANIFEST)),
        "AZURE_ACCOUNT_KEY",
        1,
    );
    let failure = plan(&uri).expect_err("it is broken");
    assert_eq!(
        failure.message,
        "azure shared key credential: decode account key: illegal base64 data at input byte 1"
    );
    assert_eq!(failure.option_name.as_deref(), Some("AZURE_ACCOUNT_KEY"));
}

#[test]
fn an_account_is_one_label_of_a_host() {
    for account in [
        "a.b", "a/b", "a@b", "a:1", "a%23", "Account", "-a", "a_b", "a%00",
    ] {
        let uri = format!("azure://b?AZURE_ACCOUNT_KEY=x&AZURE_ACCOUNT_NAME={account}");
        assert_eq!(
            refusal(&uri).message,
            "AZURE_ACCOUNT_NAME is not the name of a storage account",
            "{account}"
        );
    }
}

#[test]
fn a_container_and_a_tenant_lead_nowhere_else() {
    for container in [
        "", "..", "b:443", "b%2fc", "$other", "a,b", "B", "a.b", "a b",
    ] {
        let uri = format!("azure://{container}/x?AZURE_ACCOUNT_KEY=x&AZURE_ACCOUNT_NAME=a");
        assert_eq!(
            refusal(&uri).message,
            "the host of the azure URI is not the name of a container",
            "{container}"
        );
    }
    for tenant in ["..", "a/b", "a%3Fb", "a%23", "a%5Cb", "a%2525", "."] {
        let uri = format!(
            "azure://b?AZURE_ACCOUNT_NAME=a&AZURE_TENANT_ID={tenant}&AZURE_CLIENT_ID=c\
             &AZURE_CLIENT_SECRET=hunter2"
        );
        assert_eq!(
            refusal(&uri).message,
            "AZURE_TENANT_ID is not a tenant",
            "{tenant}"
        );
    }
}

#[test]
fn what_is_shown_is_what_users_know() {
    for (uri, shown) in [
        (
            "azure-storage://bucket/path?AZURE_ACCOUNT_NAME=foo&AZURE_ACCOUNT_KEY=Zm9vCg==\
             &AZURE_ENVIRONMENT=AzureUSGovernmentCloud",
            "azure-storage://bucket/path?AZURE_ACCOUNT_KEY=redacted&AZURE_ACCOUNT_NAME=foo\
             &AZURE_ENVIRONMENT=AzureUSGovernmentCloud",
        ),
        (
            "azure-blob://b?AZURE_CLIENT_SECRET=x&AZURE_CLIENT_ID=c&AZURE_TENANT_ID=t",
            "azure-blob://b?AZURE_CLIENT_ID=c&AZURE_CLIENT_SECRET=redacted&AZURE_TENANT_ID=t",
        ),
    ] {
        let pieces = pieces(uri, &public_options(MANIFEST));
        assert_eq!(print_redacted(&AzureBlob::redact(pieces)), shown);
    }
}
