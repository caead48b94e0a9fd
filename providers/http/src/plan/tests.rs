use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    Endpoint, FailureClass, Fragment, NamedSecret, ObjectStore, Provider, TlsProfile,
    print_redacted,
};

use super::*;
use crate::Http;

const MANIFEST: &str = include_str!("../../manifest.toml");

fn read(uri: &str) -> UriPieces {
    pieces(uri, &public_options(MANIFEST))
}

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&read(uri))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
}

fn secret(name: &str, fragments: Vec<Fragment>) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments,
    })
}

fn endpoint(host: &str, port: u16, profile: Option<&str>) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: host.to_owned(),
        port,
        tls_profile: profile.map(str::to_owned),
    })
}

/// What every plan of this scheme begins with.
fn begins(scheme: &str) -> Vec<PlanEntry> {
    let mut entries = vec![
        PlanEntry::Kind(Kind::Storage),
        PlanEntry::Supports(Operation::Changefeed),
    ];
    if !scheme.starts_with("file-") {
        entries.extend([
            PlanEntry::Kind(Kind::Registry),
            PlanEntry::Supports(Operation::SchemaRegistry),
        ]);
    }
    let network = "the network of the server".to_owned();
    entries.push(PlanEntry::ImplicitAccess(network));
    entries
}

fn store(prefix: &str) -> PlanEntry {
    PlanEntry::ObjectStore(ObjectStore {
        backend: "http".to_owned(),
        container: String::new(),
        prefix: prefix.to_owned(),
    })
}

fn basic_of(uri: &str) -> Option<Vec<Fragment>> {
    let plan = planned(uri).expect(uri);
    plan.into_entries()
        .into_iter()
        .find_map(|entry| match entry {
            PlanEntry::Secret(named) if named.name == "basic" => Some(named.fragments),
            _ => None,
        })
}

#[test]
fn plain_text_is_a_whole_plan_under_both_schemes() {
    for scheme in ["http", "file-http"] {
        let plan = planned(&format!(
            "{scheme}://Files.example/a%20b/?COCKROACH_LOCALITY=x"
        ));
        let mut expected = begins(scheme);
        expected.extend([endpoint("Files.example", 80, None), store("a b")]);
        assert_eq!(plan.expect("a plan").into_entries(), expected);
    }
}

#[test]
fn certificates_a_user_and_the_sinks_options_are_a_whole_plan() {
    for scheme in ["https", "file-https"] {
        let plan = planned(&format!(
            "{scheme}://KEY:SECRET@[::1]:8443/x?topic_prefix=t&file_size=1MB&ca_cert=a\
             &client_cert=b&client_key=c&partition_format=flat&timeout=5s"
        ));
        let named = |name: &str| Some(name.to_owned());
        let setting =
            |name: &str, text: &str| PlanEntry::Setting((name.to_owned(), text.to_owned()));
        let mut expected = begins(scheme);
        expected.extend([
            secret("certificate-authority", vec![Fragment::Secret(1)]),
            secret("client-certificate", vec![Fragment::Secret(2)]),
            secret("client-key", vec![Fragment::Secret(3)]),
            PlanEntry::Tls(TlsProfile {
                name: "server".to_owned(),
                certificate_authority: named("certificate-authority"),
                client_certificate: named("client-certificate"),
                client_key: named("client-key"),
                verify: TlsVerification::Full,
            }),
            endpoint("::1", 8443, Some("server")),
            secret(
                "basic",
                vec![Fragment::Text("KEY:".to_owned()), Fragment::Secret(0)],
            ),
            setting("file_size", "1MB"),
            setting("partition_format", "flat"),
            setting("topic_prefix", "t"),
            setting("timeout", "5s"),
            store("x"),
        ]);
        assert_eq!(plan.expect("a plan").into_entries(), expected);
    }
}

#[test]
fn a_user_is_decoded_and_one_without_a_colon_is_a_secret() {
    let text = |text: &str| Fragment::Text(text.to_owned());
    assert_eq!(
        basic_of("https://us%20er:p@h"),
        Some(vec![text("us er:"), Fragment::Secret(0)])
    );
    assert_eq!(
        basic_of("https://token@h"),
        Some(vec![Fragment::Secret(0), text(":")])
    );
    assert_eq!(
        basic_of("https://user:@h"),
        Some(vec![text("user:"), Fragment::Secret(0)])
    );
    for nobody in ["https://h", "https://@h", "https://:@h"] {
        assert_eq!(basic_of(nobody), None, "{nobody}");
    }
    for user in ["a%3Ab", "a%0d%0ab", "%ff", "%00"] {
        assert_eq!(
            message(&format!("https://{user}:hunter2@h")),
            "the user before the host is none that HTTP can send"
        );
    }
}

#[test]
fn a_password_in_plain_text_is_warned_of() {
    let warns = |uri: &str| {
        let plan = planned(uri).expect(uri);
        let mut entries = plan.entries().iter();
        entries.any(|entry| matches!(entry, PlanEntry::Warning(_)))
    };
    assert!(warns("http://user:hunter2@h"));
    assert!(!warns("https://user:hunter2@h"));
    assert!(!warns("http://h"));
}

#[test]
fn errors_come_in_one_order() {
    for (uri, expected) in [
        (
            "http:///..?file_size=x&CA_CERT=hunter2&Timeout=5s",
            "unknown HTTP query parameters: CA_CERT, Timeout",
        ),
        (
            "http:///..?file_size=x&timeout=x",
            "file_size is not a size",
        ),
        (
            "http:///..?partition_format=x&timeout=x",
            "invalid partition_format of x",
        ),
        (
            "http:///..?timeout=x&ca_cert=x",
            "timeout is not a duration",
        ),
        ("http:///..?ca_cert=x", "ca_cert requires https"),
        (
            "https:///..?client_cert=x",
            "client_cert requires client_key to be set",
        ),
        (
            "file-https:///..?client_key=x&client_cert=",
            "client_key requires client_cert to be set",
        ),
        ("https:///..", "the https URI names no host"),
        (
            "file-http://a,b/..",
            "the file-http URI names several hosts",
        ),
        (
            "https://a%3Ab:hunter2@h/..",
            "the user before the host is none that HTTP can send",
        ),
        ("https://h/..", "the path holds a `.` or `..` segment"),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
}

#[test]
fn a_certificate_that_is_no_base64_tells_where_it_breaks() {
    for name in ["ca_cert", "client_cert", "client_key"] {
        let uri = read("https://h?ca_cert=a&client_cert=b&client_key=c");
        let failure = plan(&broken_at(uri, name, 6)).expect_err(name);
        assert_eq!(
            failure.message,
            format!("param {name} must be base 64 encoded: illegal base64 data at input byte 6")
        );
        assert_eq!(failure.option_name.as_deref(), Some(name));
    }
}

#[test]
fn what_is_shown_is_what_users_know() {
    for (uri, shown) in [
        (
            "https://KEY:SECRET@host/path?topic_prefix=t&ca_cert=x",
            "https://KEY:redacted@host/path?ca_cert=redacted&topic_prefix=t",
        ),
        (
            "file-http://token@host:80?token=x",
            "file-http://redacted@host:80?token=redacted",
        ),
    ] {
        assert_eq!(print_redacted(&Http::redact(read(uri))), shown);
    }
}
