use portolan_sdk::testing::{broken_at, pieces, public_options};
use portolan_sdk::{
    Endpoint, FailureClass, FormatVerdict, NamedSecret, PlanEntry, Provider, Secret, TlsProfile,
    print_redacted,
};

use super::*;
use crate::Webhook;

const MANIFEST: &str = include_str!("../../manifest.toml");

/// The pieces as the host gives them: with the path a secret, whose number comes last here.
fn read(uri: &str) -> UriPieces {
    let mut pieces = pieces(uri, &public_options(MANIFEST));
    if pieces.path != Value::Text(String::new()) {
        pieces.path = Value::Secret(Secret {
            number: 99,
            empty: false,
            verdict: FormatVerdict::Unchecked,
        });
    }
    pieces
}

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&read(uri))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(failure.hint.is_some(), "{uri}");
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
}

fn secret(name: &str, fragments: Vec<Fragment>) -> PlanEntry {
    PlanEntry::Secret(NamedSecret {
        name: name.to_owned(),
        fragments,
    })
}

fn text(text: &str) -> Fragment {
    Fragment::Text(text.to_owned())
}

fn profile(with: bool, verify: TlsVerification) -> PlanEntry {
    let name = |name: &str| with.then(|| name.to_owned());
    PlanEntry::Tls(TlsProfile {
        name: "server".to_owned(),
        certificate_authority: name("certificate-authority"),
        client_certificate: name("client-certificate"),
        client_key: name("client-key"),
        verify,
    })
}

fn endpoint(port: u16) -> PlanEntry {
    PlanEntry::Endpoint(Endpoint {
        host: "hooks.example".to_owned(),
        port,
        tls_profile: Some("server".to_owned()),
    })
}

/// What every plan begins with.
fn sink() -> Vec<PlanEntry> {
    vec![
        PlanEntry::Kind(Kind::Sink),
        PlanEntry::Supports(Operation::Changefeed),
    ]
}

#[test]
fn a_token_in_the_path_is_a_whole_plan() {
    let plan = planned("webhook-https://hooks.example/services/T0/hunter2?COCKROACH_LOCALITY=x");
    let mut expected = sink();
    expected.extend([
        profile(false, TlsVerification::Full),
        endpoint(443),
        secret("path", vec![text("/"), Fragment::Secret(99)]),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn certificates_a_user_and_the_endpoints_own_parameters_are_a_whole_plan() {
    let plan = planned(
        "webhook-https://ana:hunter2@hooks.example:8443?token=hunter2&ca_cert=a&token=b&empty=\
         &client_cert=c&client_key=d&Key.2=e",
    );
    let mut expected = sink();
    expected.extend([
        secret("certificate-authority", vec![Fragment::Secret(2)]),
        secret("client-certificate", vec![Fragment::Secret(5)]),
        secret("client-key", vec![Fragment::Secret(6)]),
        profile(true, TlsVerification::Full),
        endpoint(8443),
        secret("path", vec![text("/")]),
        secret("basic", vec![text("ana:"), Fragment::Secret(0)]),
        secret("query.token", vec![Fragment::Secret(1)]),
        secret("query.token", vec![Fragment::Secret(3)]),
        secret("query.empty", vec![Fragment::Secret(4)]),
        secret("query.Key.2", vec![Fragment::Secret(7)]),
    ]);
    assert_eq!(plan.expect("a plan").into_entries(), expected);
}

#[test]
fn an_unchecked_certificate_is_warned_of() {
    for (word, verify, warnings) in [
        ("true", TlsVerification::None, 1),
        ("false", TlsVerification::Full, 0),
        ("", TlsVerification::Full, 0),
    ] {
        let uri = format!("webhook-https://hooks.example/p?insecure_tls_skip_verify={word}");
        let entries = planned(&uri).expect("a plan").into_entries();
        assert!(entries.contains(&profile(false, verify)), "{word}");
        let is_warning = |entry: &&PlanEntry| matches!(entry, PlanEntry::Warning(_));
        assert_eq!(entries.iter().filter(is_warning).count(), warnings);
    }
}

#[test]
fn what_is_no_webhook_is_refused_with_what_to_write() {
    for (uri, expected) in [
        (
            "webhook-http://hooks.example/hunter2",
            "this sink requires https",
        ),
        (
            "webhook-https://h/p?insecure_tls_skip_verify=perhaps",
            "cannot parse insecure_tls_skip_verify as bool",
        ),
        (
            "webhook-https://h/p?client_cert=hunter2",
            "client_cert requires client_key to be set",
        ),
        (
            "webhook-https://h/p?client_key=hunter2",
            "client_key requires client_cert to be set",
        ),
        ("webhook-https:///p", "the webhook-https URI names no host"),
        (
            "webhook-https://a,b/p",
            "the webhook-https URI names several hosts",
        ),
        (
            "webhook-https://a%3Ab:hunter2@h/p",
            "the user before the host is none that HTTP can send",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
    let uri = broken_at(read("webhook-https://h/p?ca_cert=hunter2"), "ca_cert", 6);
    assert_eq!(
        plan(&uri).expect_err("it is broken").message,
        "param ca_cert must be base 64 encoded: illegal base64 data at input byte 6"
    );
}

#[test]
fn so_many_parameters_go_to_the_endpoint_and_no_more() {
    let uri = |count: usize| {
        let pairs: Vec<_> = (0..count).map(|number| format!("p{number}=x")).collect();
        format!(
            "webhook-https://u:p@h/p?ca_cert=a&client_cert=b&client_key=c&{}",
            pairs.join("&")
        )
    };
    let plan = planned(&uri(200)).expect("a plan");
    assert!(plan.entries().len() <= 256);
    assert_eq!(
        message(&uri(201)),
        "the webhook-https URI has more than 200 parameters for the endpoint"
    );
}

#[test]
fn what_is_shown_has_neither_path_nor_parameters() {
    let shown = |uri: &str| print_redacted(&Webhook::redact(read(uri)));
    assert_eq!(
        shown(
            "webhook-https://ana:hunter2@h:8443/services/hunter2?token=hunter2&ca_cert=hunter2\
             &insecure_tls_skip_verify=true"
        ),
        "webhook-https://ana:redacted@h:8443/redacted?ca_cert=redacted\
         &insecure_tls_skip_verify=true&token=redacted"
    );
    assert_eq!(shown("webhook-https://h"), "webhook-https://h");
}
