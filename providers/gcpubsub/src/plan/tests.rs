use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    AssumedRole, Endpoint, FailureClass, Fragment, NamedSecret, PlanEntry, Provider, print_redacted,
};

use super::*;
use crate::GcPubSub;

const MANIFEST: &str = include_str!("../../manifest.toml");

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(uri, &public_options(MANIFEST)))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(failure.hint.is_some(), "{uri}");
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
}

fn endpoint(host: &str) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port: 443,
        tls_profile: Some("server".to_owned()),
    })
}

fn setting(name: &str, value: &str) -> PlanEntry {
    PlanEntry::Setting((name.to_owned(), value.to_owned()))
}

/// What every plan begins with.
fn service(host: &str) -> Vec<PlanEntry> {
    let plan = Plan::new(Kind::Sink)
        .supports([Operation::Changefeed])
        .tls("server", TlsVerification::Full);
    let mut entries = plan.into_entries();
    entries.push(endpoint(host));
    entries
}

#[test]
fn a_topic_with_a_key_and_service_accounts_is_a_whole_plan() {
    let plan = planned(
        "gcpubsub://project-1?region=us-east1&topic_name=orders&CREDENTIALS=x\
         &with_table_name_attribute=true&ASSUME_ROLE=a@p.iam.gserviceaccount.com\
         &COCKROACH_LOCALITY=region%3Dx&unknown=y",
    );
    let mut expected = service("us-east1-pubsub.googleapis.com");
    expected.extend([
        setting("credentials", "specified"),
        PlanEntry::Secret(NamedSecret {
            name: "credentials".to_owned(),
            fragments: vec![Fragment::Secret(0)],
        }),
        endpoint("oauth2.googleapis.com"),
        PlanEntry::AssumeRole(AssumedRole {
            role: "a@p.iam.gserviceaccount.com".to_owned(),
            external_id: None,
        }),
        endpoint("iamcredentials.googleapis.com"),
        setting("project", "project-1"),
        setting("topic", "orders"),
        setting("table-name-attribute", "true"),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn the_servers_own_credentials_are_implicit_whatever_is_given_beside() {
    for more in ["", "&CREDENTIALS=x"] {
        let uri = format!("gcpubsub://p/?region=eu-west1&AUTH=implicit&topic_name={more}");
        let mut expected = service("eu-west1-pubsub.googleapis.com");
        expected.extend([
            setting("credentials", "implicit"),
            PlanEntry::ImplicitAccess("the Google Cloud credentials of the server".to_owned()),
            setting("project", "p"),
        ]);
        assert_eq!(planned(&uri).expect("a plan").into_entries(), expected);
    }
}

#[test]
fn the_errors_come_in_the_order_that_users_know() {
    let region = "region is not the name of a region";
    for (uri, expected) in [
        ("gcpubsub://?region=", "missing project name"),
        ("gcpubsub:///x", "missing project name"),
        ("gcpubsub://p", "region query parameter not found"),
        (
            "gcpubsub://p?region=&CREDENTIALS=x",
            "region query parameter not found",
        ),
        (
            "gcpubsub://p?region=a.b&AUTH=specified",
            "missing credentials parameter",
        ),
        (
            "gcpubsub://p?region=r&AUTH=other",
            "missing credentials parameter",
        ),
        (
            "gcpubsub://p?region=r&CREDENTIALS=",
            "missing credentials parameter",
        ),
        (
            "gcpubsub://p?region=r&AUTH=implicit&with_table_name_attribute=maybe",
            "cannot parse with_table_name_attribute as bool",
        ),
        ("gcpubsub://p?region=a.b&AUTH=implicit", region),
        ("gcpubsub://p?region=a/b&AUTH=implicit", region),
        ("gcpubsub://p?region=a@b&AUTH=implicit", region),
        ("gcpubsub://p?region=-a&AUTH=implicit", region),
        ("gcpubsub://p?region=US-EAST1&AUTH=implicit", region),
        (
            "gcpubsub://p?region=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&AUTH=implicit",
            region,
        ),
        (
            "gcpubsub://hunter2@p?region=r&AUTH=implicit",
            "the gcpubsub URI holds a user or a password before its host",
        ),
        (
            "gcpubsub://p/x?region=r&AUTH=implicit",
            "a gcpubsub URI has no path",
        ),
        (
            "gcpubsub://Project?region=r&AUTH=implicit",
            "the host of the gcpubsub URI is not the id of a project",
        ),
        (
            "gcpubsub://p?region=r&AUTH=implicit&topic_name=a/b",
            "topic_name is not the name of a topic",
        ),
        (
            "gcpubsub://p?region=r&AUTH=implicit&ASSUME_ROLE=,",
            "ASSUME_ROLE is no list of service accounts",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
    let failure = planned("gcpubsub://p").expect_err("no region");
    let hint = failure.hint.unwrap_or_default();
    assert!(hint.starts_with(
        "Use of gcpubsub without specifying a region requires the WITH unordered option."
    ));
}

#[test]
fn a_key_that_is_no_base64_tells_where_it_breaks() {
    let uri = pieces(
        "gcpubsub://p?region=r&CREDENTIALS=%7B%22type",
        &public_options(MANIFEST),
    );
    let failure = plan(&broken_at(uri, "CREDENTIALS", 0)).expect_err("it is broken");
    assert_eq!(
        failure.message,
        "decoding credentials json: illegal base64 data at input byte 0"
    );
    assert_eq!(failure.option_name.as_deref(), Some("CREDENTIALS"));
}

#[test]
fn what_is_shown_has_no_secret() {
    let uri = "gcpubsub://p?region=us-east1&CREDENTIALS=hunter2&topic_name=orders&foo=hunter2";
    let pieces = pieces(uri, &public_options(MANIFEST));
    assert_eq!(
        print_redacted(&GcPubSub::redact(pieces)),
        "gcpubsub://p?CREDENTIALS=redacted&foo=redacted&region=us-east1&topic_name=orders"
    );
}
