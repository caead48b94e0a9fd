use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    AssumedRole, Endpoint, FailureClass, Fragment, NamedSecret, PlanEntry, Provider, TlsProfile,
    print_redacted,
};

use super::*;
use crate::GcpKms;

const MANIFEST: &str = include_str!("../../manifest.toml");
const NAME: &str = "projects/p/locations/eu/keyRings/r/cryptoKeys/k";

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(uri, &public_options(MANIFEST)))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
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

fn secret(name: &str) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments: vec![Fragment::Secret(0)],
    })
}

fn role(role: &str) -> PlanEntry {
    PlanEntry::AssumeRole(AssumedRole {
        role: role.to_owned(),
        external_id: None,
    })
}

/// What every plan begins with.
fn service() -> Vec<PlanEntry> {
    vec![
        PlanEntry::Kind(Kind::Kms),
        PlanEntry::Supports(Operation::EncryptedBackup),
        PlanEntry::Tls(TlsProfile {
            name: "server".to_owned(),
            certificate_authority: None,
            client_certificate: None,
            client_key: None,
            verify: TlsVerification::Full,
        }),
        endpoint("cloudkms.googleapis.com"),
    ]
}

#[test]
fn a_key_with_service_accounts_is_a_whole_plan() {
    let plan = planned(&format!(
        "gcp-kms:///{NAME}?AUTH=specified&CREDENTIALS=x&BEARER_TOKEN=y\
         &ASSUME_ROLE=a@p.iam.gserviceaccount.com,b@p.iam.gserviceaccount.com\
         &COCKROACH_LOCALITY=region%3Dx"
    ));
    let mut expected = service();
    expected.extend([
        setting("credentials", "specified"),
        secret("credentials"),
        endpoint("oauth2.googleapis.com"),
        role("a@p.iam.gserviceaccount.com"),
        role("b@p.iam.gserviceaccount.com"),
        endpoint("iamcredentials.googleapis.com"),
        setting("key", NAME),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn a_token_needs_no_other_endpoint() {
    let plan = planned(&format!("gcp-kms:///{NAME}?BEARER_TOKEN=x"));
    let mut expected = service();
    expected.extend([
        setting("credentials", "specified"),
        secret("bearer-token"),
        setting("key", NAME),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn the_servers_own_credentials_are_implicit() {
    let plan = planned(&format!("gcp-kms:///{NAME}?AUTH=implicit"));
    let mut expected = service();
    expected.extend([
        setting("credentials", "implicit"),
        PlanEntry::ImplicitAccess("the Google Cloud credentials of the server".to_owned()),
        setting("key", NAME),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn the_version_of_a_key_is_left_to_the_service() {
    for version in ["", "/cryptoKeyVersions/1", "/cryptoKeyVersions/23"] {
        let plan = planned(&format!("gcp-kms:///{NAME}{version}?AUTH=implicit"));
        assert_eq!(plan.expect(version).setting("key"), Some(NAME));
    }
}

#[test]
fn the_errors_come_in_the_order_that_users_know() {
    let empty = "path component of the KMS cannot be empty; must contain the Customer Managed Key";
    let neither = "CREDENTIALS or BEARER_TOKEN must be set if \"AUTH\" is \"specified\"";
    for (uri, expected) in [
        ("gcp-kms:///?BAD=1&AUTH=other", empty),
        ("gcp-kms://k?BAD=1", empty),
        (
            "gcp-kms:///k?AUTH=other&BAD=1&WORSE=hunter2",
            "unknown KMS query parameters: BAD, WORSE",
        ),
        (
            "gcp-kms:///k?AUTH=other",
            "unsupported value other for AUTH",
        ),
        ("gcp-kms:///k?AUTH=specified", neither),
        ("gcp-kms:///k?CREDENTIALS=&BEARER_TOKEN=", neither),
        (
            "gcp-kms://hunter2@h/k?AUTH=implicit",
            "the gcp-kms URI holds a user or a password before its host",
        ),
        ("gcp-kms://h/k?AUTH=implicit", "a gcp-kms URI names no host"),
        (
            "gcp-kms:///k?AUTH=implicit&ASSUME_ROLE=,",
            "the path of the gcp-kms URI is not the name of a key",
        ),
        (
            "gcp-kms:///projects/p/locations/eu/keyRings/r/cryptoKeys/k?AUTH=implicit&ASSUME_ROLE=,",
            "ASSUME_ROLE is no list of service accounts",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
}

#[test]
fn a_key_that_is_no_base64_tells_where_it_breaks() {
    let uri = format!("gcp-kms:///{NAME}?CREDENTIALS=%7B%22type");
    let uri = pieces(&uri, &public_options(MANIFEST));
    let failure = plan(&broken_at(uri, "CREDENTIALS", 0)).expect_err("it is broken");
    assert_eq!(
        failure.message,
        "error getting credentials from CREDENTIALS: illegal base64 data at input byte 0"
    );
    assert_eq!(failure.option_name.as_deref(), Some("CREDENTIALS"));
}

#[test]
fn what_is_no_name_of_a_key_is_refused() {
    for path in [
        "k",
        "projects/p/locations/eu/keyRings/r",
        "projects/p/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/",
        "projects/p/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/a",
        "projects/p/locations/eu/keyRings/r/cryptoKeys/k:destroy",
        "projects/../locations/eu/keyRings/r/cryptoKeys/k",
        "projects/p/locations/eu/keyRings/r/cryptoKeys/a%2fb",
        "projects/p/locations/eu/keyRings/r/cryptoKeys/\"",
    ] {
        assert_eq!(
            message(&format!("gcp-kms:///{path}?AUTH=implicit")),
            "the path of the gcp-kms URI is not the name of a key",
            "{path}"
        );
    }
}

#[test]
fn what_is_shown_has_no_secret_and_no_key() {
    let uri = format!("gcp-kms:///{NAME}?AUTH=specified&CREDENTIALS=hunter2&BEARER_TOKEN=hunter3");
    let pieces = pieces(&uri, &public_options(MANIFEST));
    assert_eq!(
        print_redacted(&GcpKms::redact(pieces)),
        "gcp-kms:///redacted?AUTH=specified&BEARER_TOKEN=redacted&CREDENTIALS=redacted"
    );
}
