use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    AssumedRole, Endpoint, FailureClass, Fragment, NamedSecret, ObjectStore, Operation, PlanEntry,
    Provider, TlsProfile, print_redacted,
};

use super::*;
use crate::Gs;

const MANIFEST: &str = include_str!("../../manifest.toml");

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(uri, &public_options(MANIFEST)))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
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

fn role(role: &str) -> PlanEntry {
    PlanEntry::AssumeRole(AssumedRole {
        role: role.to_owned(),
        external_id: None,
    })
}

/// What every plan begins with.
fn storage() -> Vec<PlanEntry> {
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
        endpoint("storage.googleapis.com"),
    ]
}

fn store(container: &str, prefix: &str) -> PlanEntry {
    PlanEntry::ObjectStore(ObjectStore {
        backend: "gs".to_owned(),
        container: container.to_owned(),
        prefix: prefix.to_owned(),
    })
}

fn implicit(plan: &Plan) -> Option<&str> {
    plan.entries().iter().find_map(|entry| match entry {
        PlanEntry::ImplicitAccess(what) => Some(what.as_str()),
        _ => None,
    })
}

#[test]
fn a_key_with_service_accounts_and_a_billing_project_is_a_whole_plan() {
    let plan = planned(
        "gs://my.bucket/daily/?AUTH=specified&CREDENTIALS=x&GOOGLE_BILLING_PROJECT=pays\
         &ASSUME_ROLE=a@p.iam.gserviceaccount.com,b@p.iam.gserviceaccount.com\
         &COCKROACH_LOCALITY=region%3Dx",
    );
    let mut expected = storage();
    expected.extend([
        setting("credentials", "specified"),
        secret("credentials"),
        endpoint("oauth2.googleapis.com"),
        role("a@p.iam.gserviceaccount.com"),
        role("b@p.iam.gserviceaccount.com"),
        endpoint("iamcredentials.googleapis.com"),
        setting("billing-project", "pays"),
        store("my.bucket", "daily"),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn a_token_needs_no_other_endpoint_and_a_key_wins_over_it() {
    let plan = planned("gs://b?AUTH=specified&BEARER_TOKEN=x").expect("a plan");
    let mut expected = storage();
    expected.extend([
        setting("credentials", "specified"),
        secret("bearer-token"),
        store("b", ""),
    ]);
    assert_eq!(plan.into_entries(), expected);
    let plan = planned("gs://b?AUTH=specified&CREDENTIALS=x&BEARER_TOKEN=y").expect("a plan");
    assert!(plan.entries().contains(&secret("credentials")));
    assert!(!plan.entries().contains(&secret("bearer-token")));
}

#[test]
fn the_servers_own_credentials_are_implicit_and_so_is_a_uri_that_does_not_say_specified() {
    let plan = planned("gs://b?AUTH=implicit&CREDENTIALS=x&ASSUME_ROLE=a@b").expect("a plan");
    let mut expected = storage();
    expected.extend([
        setting("credentials", "implicit"),
        PlanEntry::ImplicitAccess("the Google Cloud credentials of the server".to_owned()),
        role("a@b"),
        endpoint("iamcredentials.googleapis.com"),
        store("b", ""),
    ]);
    assert_eq!(plan.into_entries(), expected);
    // Any other word behaves as specified, and is not explicit all the same.
    for auth in ["", "AUTH=&", "AUTH=Specified&", "AUTH=garbage&"] {
        let plan = planned(&format!("gs://b?{auth}BEARER_TOKEN=x")).expect(auth);
        assert_eq!(implicit(&plan), Some("credentials without AUTH=specified"));
        assert_eq!(plan.setting("credentials"), Some("specified"));
    }
    let plan = planned("gs://b?AUTH=specified&BEARER_TOKEN=x").expect("a plan");
    assert_eq!(implicit(&plan), None);
}

#[test]
fn errors_come_in_the_order_that_users_know() {
    let neither = "CREDENTIALS or BEARER_TOKEN must be set if \"AUTH\" is \"specified\"";
    for (uri, expected) in [
        (
            "gs://$?bearer_token=hunter2&BAD=x",
            "unknown GS query parameters: bearer_token, BAD",
        ),
        ("gs://$", neither),
        ("gs://$?AUTH=garbage&CREDENTIALS=&BEARER_TOKEN=", neither),
        (
            "gs://hunter2@$?BEARER_TOKEN=x",
            "the gs URI holds a user or a password before its host",
        ),
        (
            "gs://$?BEARER_TOKEN=x&GOOGLE_BILLING_PROJECT=a%0ab",
            "GOOGLE_BILLING_PROJECT holds a character that it cannot have",
        ),
        (
            "gs://$?BEARER_TOKEN=x&ASSUME_ROLE=,",
            "the host of the gs URI is not the name of a bucket",
        ),
        (
            "gs://b/..?BEARER_TOKEN=x&ASSUME_ROLE=a%3Bexternal_id%3Db",
            "ASSUME_ROLE is no list of service accounts",
        ),
        (
            "gs://b/..?BEARER_TOKEN=x",
            "the path holds a `.` or `..` segment",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
}

#[test]
fn a_key_that_is_no_base64_tells_where_it_breaks() {
    let uri = pieces("gs://b?CREDENTIALS=%7B%22type", &public_options(MANIFEST));
    let failure = plan(&broken_at(uri.clone(), "CREDENTIALS", 0)).expect_err("it is broken");
    assert_eq!(
        failure.message,
        "error getting credentials from CREDENTIALS: illegal base64 data at input byte 0"
    );
    assert_eq!(failure.option_name.as_deref(), Some("CREDENTIALS"));
    // Nobody reads the key of a URI that says implicit.
    let mut uri = broken_at(uri, "CREDENTIALS", 0);
    uri.options.push(portolan_sdk::OptionPair {
        name: "AUTH".to_owned(),
        value: portolan_sdk::Value::Text("implicit".to_owned()),
    });
    assert!(plan(&uri).is_ok());
}

#[test]
fn a_bucket_leads_nowhere_else() {
    for bucket in [
        "",
        "..",
        "b:9000",
        "b%2fc",
        "b$",
        "a,b",
        "bücher",
        "bucket name",
    ] {
        assert_eq!(
            message(&format!("gs://{bucket}/x?BEARER_TOKEN=x")),
            "the host of the gs URI is not the name of a bucket",
            "{bucket}"
        );
    }
}

#[test]
fn a_chain_of_nothing_or_of_too_many_is_refused() {
    for chain in [",", "a,", "a b", "a/b", &vec!["a"; 33].join(",")] {
        assert_eq!(
            message(&format!("gs://b?BEARER_TOKEN=x&ASSUME_ROLE={chain}")),
            "ASSUME_ROLE is no list of service accounts",
            "{chain}"
        );
    }
}

#[test]
fn what_is_shown_is_what_users_know() {
    for (uri, shown) in [
        (
            "gs://bucket?AUTH=specified&BEARER_TOKEN=secret",
            "gs://bucket?AUTH=specified&BEARER_TOKEN=redacted",
        ),
        (
            "gs://bucket/p?credentials=x&CREDENTIALS=y&AUTH=specified",
            "gs://bucket/p?AUTH=specified&CREDENTIALS=redacted&credentials=redacted",
        ),
    ] {
        let pieces = pieces(uri, &public_options(MANIFEST));
        assert_eq!(print_redacted(&Gs::redact(pieces)), shown);
    }
}
