//! What the host of the walks refuses, whatever the script says.

use portolan_contract_walks::{Guest, Script};

use super::against_a_script_without_sockets_tls_or_servers::{aws_kms, kafka, postgres, s3};
use super::manifest;

const OPAQUE: &str =
    include_str!("../../scripts/aws-kms/the_marker_goes_there_and_back_and_stays_opaque.txt");
const DATA_KEY: &str =
    include_str!("../../scripts/aws-kms/a_data_key_is_encrypted_and_decrypted.txt");
const SCRAM: &str =
    include_str!("../../scripts/postgres/scram_is_bound_to_tls_and_the_version_is_read.txt");
const ELSEWHERE: &str = include_str!("../../scripts/kafka/a_broker_elsewhere_is_denied.txt");
const ROLES: &str = include_str!(
    "../../scripts/s3/two_roles_are_taken_on_before_the_marker_goes_there_and_back.txt"
);

/// Why a walk stopped.
fn stopped(guest: &Guest, script: &str) -> String {
    let script = Script::parse(script).expect("a script");
    let error = guest.walk(script).expect_err("the walk goes on");
    format!("{error:?}")
}

/// The text with one place changed, which must be there.
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the text");
    text.replacen(from, to, 1)
}

#[test]
fn a_request_that_no_rule_describes_is_refused_before_it_is_answered() {
    let other = changed(
        &manifest("aws-kms"),
        "name = \"decrypt\"",
        "name = \"open\"",
    );
    let guest = aws_kms::GUEST.under(&other).expect("a manifest");
    let error = stopped(&guest, DATA_KEY);
    assert!(
        error.contains("no rule of the provider's manifest describes it; from the nearest,"),
        "{error}"
    );

    let other = manifest("aws-kms").replace("path = \"/\"", "path = \"/other\"");
    let guest = aws_kms::GUEST.under(&other).expect("a manifest");
    let error = stopped(&guest, DATA_KEY);
    assert!(
        error.contains("it differs from its rule in its path (the rule's is /other)"),
        "{error}"
    );
}

#[test]
fn an_endpoint_that_no_rule_admits_is_refused_when_it_is_planned() {
    let other = changed(
        &manifest("aws-kms"),
        "[[endpoint]]\nhost = \"kms.*.amazonaws.com\"",
        "[[endpoint]]\nhost = \"kms.*.amazonaws.com.cn\"",
    );
    let guest = aws_kms::GUEST.under(&other).expect("a manifest");
    let error = stopped(&guest, DATA_KEY);
    assert!(
        error.contains(
            "no rule of the manifest admits the endpoint kms.eu-central-1.amazonaws.com:443"
        ),
        "{error}"
    );
}

#[test]
fn a_plaintext_that_the_service_shows_twice_never_reaches_the_guest() {
    let script = changed(
        OPAQUE,
        "base64(marker) \"\\\"}\"",
        "base64(marker) \"\\\",\\\"Echo\\\":\\\"\" base64(marker) \"\\\"}\"",
    );
    let error = stopped(&aws_kms::GUEST, &script);
    assert!(
        error.contains("the guest would see the secret marker"),
        "{error}"
    );
}

#[test]
fn a_byte_of_a_message_that_differs_is_shown_with_its_line() {
    let script = changed(
        SCRAM,
        "write c0 \"\\x00\\x00\\x00\\x08",
        "write c0 \"\\x00\\x00\\x00\\x09",
    );
    let error = stopped(&postgres::GUEST, &script);
    assert!(error.contains("the script has\nAsked write c0"), "{error}");
    assert!(error.contains("line "), "{error}");
}

#[test]
fn a_script_that_goes_on_after_the_guest_has_answered_is_no_walk() {
    let script = changed(SCRAM, "return done", "> begin more\nreturn done");
    let error = stopped(&postgres::GUEST, &script);
    assert!(
        error.contains("and what happened is\nreturn done"),
        "{error}"
    );
}

#[test]
fn a_script_cannot_let_a_broker_of_another_domain_be_dialled() {
    let denied = ELSEWHERE
        .lines()
        .find(|line| line.starts_with("< failed denied"))
        .expect("a denial");
    let error = stopped(&kafka::GUEST, &changed(ELSEWHERE, denied, "< ok"));
    assert!(
        error.contains("the rules for further brokers do not admit kafka.attacker.example"),
        "{error}"
    );
}

#[test]
fn a_role_that_is_asked_for_with_other_credentials_is_shown() {
    let script = changed(ROLES, "as ASIAJUMP", "as AKIAEXAMPLE");
    let error = stopped(&s3::GUEST, &script);
    assert!(
        error.contains("as ASIAJUMP secret(jump-key) token=jump-token"),
        "{error}"
    );
}
