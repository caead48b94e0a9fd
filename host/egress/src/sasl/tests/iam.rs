//! `AWS_MSK_IAM`, verified as a broker does: by signing again what AWS's documents say is signed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::{digest, hmac};

use crate::credentials::aws::AwsKeys;
use crate::sasl::iam::payload;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const HOST: &str = "b-1.cluster.abc123.c2.kafka.eu-central-1.amazonaws.com";
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn signed(key: &[u8], message: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}

fn hash(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

fn read(token: Option<&str>) -> BTreeMap<String, String> {
    let keys = AwsKeys {
        id: "AKIDEXAMPLE".to_owned(),
        secret: SECRET.into(),
        token: token.map(Into::into),
        life: None,
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
    let payload = payload(&keys, HOST, "eu-central-1", now).expect("signed");
    serde_json::from_slice(payload.expose()).expect("members that are texts")
}

#[test]
fn the_payload_has_the_members_that_the_readme_of_aws_lists() {
    let payload = read(None);
    let names: Vec<&str> = payload.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "action",
            "host",
            "user-agent",
            "version",
            "x-amz-algorithm",
            "x-amz-credential",
            "x-amz-date",
            "x-amz-expires",
            "x-amz-signature",
            "x-amz-signedheaders",
        ]
    );
    for (name, value) in [
        ("action", "kafka-cluster:Connect"),
        ("host", HOST),
        ("version", "2020_10_22"),
        ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
        (
            "x-amz-credential",
            "AKIDEXAMPLE/20150830/eu-central-1/kafka-cluster/aws4_request",
        ),
        ("x-amz-date", "20150830T123600Z"),
        ("x-amz-expires", "900"),
        ("x-amz-signedheaders", "host"),
    ] {
        assert_eq!(payload[name], value, "{name}");
    }
}

#[test]
fn the_signature_is_over_the_host_the_action_and_the_token() {
    for token in [None, Some("a+token/of=sts")] {
        let mut payload = read(token);
        assert_eq!(
            payload.get("x-amz-security-token").map(String::as_str),
            token
        );
        let signature = payload.remove("x-amz-signature").expect("a signature");
        let mut query = vec![("Action".to_owned(), payload["action"].clone())];
        for (member, parameter) in [
            ("x-amz-algorithm", "X-Amz-Algorithm"),
            ("x-amz-credential", "X-Amz-Credential"),
            ("x-amz-date", "X-Amz-Date"),
            ("x-amz-expires", "X-Amz-Expires"),
            ("x-amz-security-token", "X-Amz-Security-Token"),
            ("x-amz-signedheaders", "X-Amz-SignedHeaders"),
        ] {
            let value = payload.get(member);
            query.extend(value.map(|value| (parameter.to_owned(), value.clone())));
        }
        query.sort();
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, UNRESERVED)))
            .collect();
        let request = format!(
            "GET\n/\n{}\nhost:{HOST}\n\nhost\n{}",
            query.join("&"),
            hash("")
        );
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/eu-central-1/kafka-cluster/aws4_request\n{}",
            hash(&request)
        );
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in ["20150830", "eu-central-1", "kafka-cluster", "aws4_request"] {
            key = signed(&key, part);
        }
        assert_eq!(signature, hex::encode(signed(&key, &to_sign)), "{token:?}");
    }
}
