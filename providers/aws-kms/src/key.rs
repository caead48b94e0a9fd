//! Encrypt and decrypt: JSON around a plaintext that stays in the host.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portolan_sdk::lent::parts::{Encoding, Opaque, Part, encode};
use portolan_sdk::{Encrypted, Failure, FailureClass, KeyAnswer, Plan, joined, post_to_key};
use serde_json::{Value, json};

use crate::plan::{KEY, SERVICE};
use crate::refusal::Refusal;

/// Encrypts under the key of the plan.
pub(crate) fn encrypt(plan: &Plan, plaintext: Opaque) -> Result<Encrypted, Failure> {
    let key = json!(plan.setting(KEY).unwrap_or_default()).to_string();
    let body = vec![
        Part::Bytes(joined(&["{\"KeyId\":", &key, ",\"Plaintext\":\""]).into_bytes()),
        Part::Secret(encode(plaintext, &Encoding::Base64)?),
        Part::Bytes(b"\"}".to_vec()),
    ];
    let (answer, _) = ask(plan, "encrypt", body)?;
    encrypted(&answer)
}

/// The ciphertext in an answer. The service finds the key's version in it by itself, and names none.
fn encrypted(answer: &Value) -> Result<Encrypted, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let ciphertext = BASE64_STANDARD.decode(text("CiphertextBlob"));
    match (ciphertext, text("KeyId")) {
        (Ok(ciphertext), key) if !ciphertext.is_empty() && !key.is_empty() => Ok(Encrypted {
            ciphertext,
            key: key.to_owned(),
            key_version: None,
        }),
        _ => Err(garbled("it holds no ciphertext with its key")),
    }
}

/// Decrypts with the plan's key, if that encrypted, and takes the answer of the very key only.
pub(crate) fn decrypt(plan: &Plan, encrypted: &Encrypted) -> Result<Opaque, Failure> {
    let key = plan.setting(KEY).unwrap_or_default();
    if !may_be(key, &encrypted.key) {
        return Err(of_another_key(&encrypted.key));
    }
    let body = json!({
        "CiphertextBlob": BASE64_STANDARD.encode(&encrypted.ciphertext),
        "KeyId": key,
    });
    let body = vec![Part::Bytes(body.to_string().into_bytes())];
    let (answer, mut whole) = ask(plan, "decrypt", body)?;
    if answer.get("KeyId").and_then(Value::as_str) != Some(&encrypted.key) {
        return Err(
            garbled("it is of another key than the one that was asked for")
                .with_hint("Check that the server is the one of the key's own region and account."),
        );
    }
    whole
        .take("Plaintext")
        .ok_or_else(|| garbled("it holds no plaintext"))
}

/// Whether the key of a plan may be the one with this ARN. What an alias stands for only the service
/// knows, and it refuses what another key encrypted.
fn may_be(key: &str, arn: &str) -> bool {
    if key.starts_with("alias/") || key.contains(":alias/") || key == arn {
        return true;
    }
    let id = |name: &'_ str| name.rsplit("key/").next().map(str::to_owned);
    !key.starts_with("arn:") && id(key) == id(arn)
}

fn of_another_key(key: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["the content was encrypted with another key: ", key]),
    )
    .with_hint("Use a connection to the key that encrypted it.")
}

/// Sends one request: what is seen of the answer, and the answer.
fn ask(plan: &Plan, rule: &str, body: Vec<Part>) -> Result<(Value, KeyAnswer), Failure> {
    let answer = post_to_key(rule, SERVICE, Vec::new(), body)?;
    if answer.status != 200 {
        let refusal = Refusal {
            request: rule,
            status: answer.status,
            document: &answer.document,
            clock_ahead: answer.clock_ahead,
        };
        return Err(refusal.failure(plan));
    }
    match serde_json::from_slice(&answer.document) {
        Ok(document) => Ok((document, answer)),
        Err(_) => Err(garbled("it is no JSON")),
    }
}

fn garbled(what: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["the answer is none of AWS KMS: ", what]),
    )
    .with_hint("Check that the server is AWS KMS, or speaks its protocol.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ciphertext_comes_with_its_key() {
        let answer =
            json!({"CiphertextBlob": "AQID", "KeyId": "arn:k", "EncryptionAlgorithm": "x"});
        let encrypted = encrypted(&answer).expect("encrypted");
        assert_eq!(encrypted.ciphertext, [1, 2, 3]);
        assert_eq!(encrypted.key, "arn:k");
        assert_eq!(encrypted.key_version, None);
    }

    #[test]
    fn a_key_is_known_by_its_arn_and_by_its_id() {
        const ARN: &str = "arn:aws:kms:eu-central-1:1:key/0a1b";
        for key in [ARN, "0a1b", "alias/a", "arn:aws:kms:eu-central-1:1:alias/a"] {
            assert!(may_be(key, ARN), "{key}");
        }
        for key in ["", "a1b", "arn:aws:kms:us-east-1:1:key/0a1b"] {
            assert!(!may_be(key, ARN), "{key}");
        }
        assert!(!may_be(
            "0a1b",
            "projects/p/locations/l/keyRings/r/cryptoKeys/0a1b"
        ));
    }

    #[test]
    fn half_an_answer_is_none() {
        for answer in [
            json!({}),
            json!({"CiphertextBlob": "AQID"}),
            json!({"CiphertextBlob": "", "KeyId": "k"}),
            json!({"CiphertextBlob": "A", "KeyId": "k"}),
            json!({"CiphertextBlob": 1, "KeyId": "k"}),
            json!([]),
        ] {
            let failure = encrypted(&answer).expect_err("half");
            assert_eq!(failure.class, FailureClass::Protocol);
        }
    }
}
