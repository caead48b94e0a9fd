use portolan_sdk::testing::{pieces, public_options};
use portolan_sdk::{AssumedRole, Endpoint, FailureClass, Provider, print_redacted};

use super::*;
use crate::AwsKms;

const KEYS: &str = "AWS_ACCESS_KEY_ID=AKIA&AWS_SECRET_ACCESS_KEY=hunter2";

fn planned(uri: &str) -> Result<Plan, Failure> {
    plan(&pieces(
        uri,
        &public_options(include_str!("../../manifest.toml")),
    ))
}

fn message(uri: &str) -> String {
    let failure = planned(uri).expect_err(uri);
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    failure.message
}

fn endpoints(plan: &Plan) -> Vec<(&str, u16, Option<&str>)> {
    let entries = plan.entries().iter();
    let endpoints = entries.filter_map(|entry| match entry {
        PlanEntry::Endpoint(Endpoint {
            host,
            port,
            tls_profile,
        }) => Some((host.as_str(), *port, tls_profile.as_deref())),
        _ => None,
    });
    endpoints.collect()
}

#[test]
fn a_key_is_served_in_its_region() {
    for (key, region, host) in [
        (
            "1234abcd-12ab",
            "eu-central-1",
            "kms.eu-central-1.amazonaws.com",
        ),
        (
            "alias/backups",
            "cn-north-1",
            "kms.cn-north-1.amazonaws.com.cn",
        ),
        (
            "arn:aws:kms:us-east-1:1:key/mrk-1",
            "us-east-1",
            "kms.us-east-1.amazonaws.com",
        ),
    ] {
        let plan = planned(&format!("aws-kms:///{key}?{KEYS}&REGION={region}")).expect("a plan");
        assert_eq!(endpoints(&plan), [(host, 443, Some("server"))]);
        assert_eq!(plan.setting("region"), Some(region));
        assert_eq!(plan.setting("key"), Some(key));
        assert_eq!(plan.setting("credentials"), Some("specified"));
        assert_eq!(plan.setting("access-key-id"), Some("AKIA"));
        assert_eq!(plan.setting("custom-endpoint"), None);
    }
}

#[test]
fn the_errors_come_in_the_order_that_users_know() {
    for (uri, expected) in [
        (
            "aws-kms:///?BAD=1&WORSE=hunter2",
            "unknown KMS query parameters: BAD, WORSE",
        ),
        (
            "aws-kms:///?AUTH=other",
            "aws kms REGION parameter not specified",
        ),
        (
            "aws-kms:///?AUTH=other&REGION=",
            "aws kms REGION parameter not specified",
        ),
        (
            "aws-kms:///?AUTH=other&REGION=x",
            "unsupported value other for AUTH",
        ),
        (
            "aws-kms:///?REGION=x",
            "AUTH is set to 'specified', but AWS_ACCESS_KEY_ID is not set",
        ),
        (
            "aws-kms:///?REGION=x&AWS_ACCESS_KEY_ID=a",
            "AUTH is set to 'specified', but AWS_SECRET_ACCESS_KEY is not set",
        ),
        (
            "aws-kms:///k?REGION=a.b&AUTH=implicit",
            "REGION is not the name of a region",
        ),
        (
            "aws-kms:///?REGION=x&AUTH=implicit",
            "the path of the aws-kms URI is not the name of a key",
        ),
    ] {
        assert_eq!(message(uri), expected, "{uri}");
    }
}

#[test]
fn what_is_no_name_of_a_key_is_refused() {
    let long = format!("/{}", "k".repeat(2049));
    for path in [
        "",
        "/",
        "/a b",
        "/a%2fb",
        "/a\"b",
        "/{}",
        "/ä",
        long.as_str(),
    ] {
        let uri = format!("aws-kms://{path}?REGION=x&AUTH=implicit");
        assert_eq!(
            message(&uri),
            "the path of the aws-kms URI is not the name of a key",
            "{path}"
        );
    }
    assert_eq!(
        message("aws-kms://key?REGION=x&AUTH=implicit"),
        "an aws-kms URI names no host"
    );
}

#[test]
fn an_endpoint_of_the_uri_s_own_choice_makes_the_access_implicit() {
    let uri = format!("aws-kms:///k?{KEYS}&REGION=x&AWS_ENDPOINT=http://kms.example.com:8080");
    let plan = planned(&uri).expect("a plan");
    assert_eq!(endpoints(&plan), [("kms.example.com", 8080, None)]);
    assert_eq!(plan.setting("custom-endpoint"), Some("true"));
    assert!(plan.entries().contains(&PlanEntry::ImplicitAccess(
        "a server of the URI's own choice".to_owned()
    )));
    let uri = format!("aws-kms:///k?{KEYS}&REGION=x&AWS_ENDPOINT=https://u@kms.example.com");
    assert_eq!(
        message(&uri),
        "AWS_ENDPOINT holds more than a host and a port"
    );
}

#[test]
fn roles_are_taken_on_at_the_token_service_of_the_region() {
    let uri = "aws-kms:///k?AUTH=implicit&REGION=eu-west-1&COCKROACH_LOCALITY=a%3Db\
               &ASSUME_ROLE=arn:a,arn:b%3Bexternal_id%3D7";
    let plan = planned(uri).expect("a plan");
    assert_eq!(
        endpoints(&plan),
        [
            ("kms.eu-west-1.amazonaws.com", 443, Some("server")),
            ("sts.eu-west-1.amazonaws.com", 443, Some("server-of-tokens")),
        ]
    );
    let roles: Vec<_> = plan
        .entries()
        .iter()
        .filter_map(|entry| match entry {
            PlanEntry::AssumeRole(AssumedRole { role, external_id }) => {
                Some((role.as_str(), external_id.as_deref()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(roles, [("arn:a", None), ("arn:b", Some("7"))]);
    assert_eq!(plan.setting("credentials"), Some("implicit"));
}

#[test]
fn what_is_shown_has_no_secret_and_no_key() {
    let uri = format!("aws-kms:///k?{KEYS}&AWS_SESSION_TOKEN=hunter3&REGION=x");
    let public = public_options(include_str!("../../manifest.toml"));
    assert_eq!(
        print_redacted(&AwsKms::redact(pieces(&uri, &public))),
        "aws-kms:///redacted?AWS_ACCESS_KEY_ID=AKIA&AWS_SECRET_ACCESS_KEY=redacted\
         &AWS_SESSION_TOKEN=redacted&REGION=x"
    );
}
