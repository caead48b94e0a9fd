//! Encrypt and decrypt: JSON around a plaintext that stays in the host.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portolan_sdk::lent::parts::{Encoding, Opaque, Part, encode};
use portolan_sdk::{Encrypted, Failure, FailureClass, KeyAnswer, Plan, joined, post_to_key};
use serde_json::{Value, json};

use crate::name::to_ask;
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
    let (answer, _) = ask(plan, "encrypt", body, None)?;
    encrypted(plan, &answer)
}

/// The ciphertext in an answer. The service finds the key's version in it by itself, and names none.
fn encrypted(plan: &Plan, answer: &Value) -> Result<Encrypted, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let ciphertext = BASE64_STANDARD.decode(text("CiphertextBlob"));
    match (ciphertext, text("KeyId")) {
        (Ok(ciphertext), key) if !ciphertext.is_empty() && !key.is_empty() => {
            // What would not be decrypted again is told now.
            if to_ask(plan, key).is_none() {
                return Err(answered_for_another());
            }
            Ok(Encrypted {
                ciphertext,
                key: key.to_owned(),
                key_version: None,
            })
        }
        _ => Err(garbled("it holds no ciphertext with its key")),
    }
}

/// Decrypts with the key that encrypted, if the plan's key may be it, and takes the answer of the
/// very key only.
pub(crate) fn decrypt(plan: &Plan, encrypted: &Encrypted) -> Result<Opaque, Failure> {
    let Some(key) = to_ask(plan, &encrypted.key) else {
        return Err(of_another_key(&encrypted.key));
    };
    let body = json!({
        "CiphertextBlob": BASE64_STANDARD.encode(&encrypted.ciphertext),
        "KeyId": key,
    });
    let body = vec![Part::Bytes(body.to_string().into_bytes())];
    let behind_alias = (plan.setting(KEY) != Some(key)).then_some(key);
    let (answer, mut whole) = ask(plan, "decrypt", body, behind_alias)?;
    if answer.get("KeyId").and_then(Value::as_str) != Some(&encrypted.key) {
        return Err(answered_for_another().with_content_of(behind_alias));
    }
    whole
        .take("Plaintext")
        .ok_or_else(|| garbled("it holds no plaintext"))
}

fn of_another_key(key: &str) -> Failure {
    Failure::new(
        FailureClass::InvalidUri,
        joined(&["the content was encrypted with another key: ", key]),
    )
    .with_hint("Use a connection to the key that encrypted it.")
}

/// Sends one request: what is seen of the answer, and the answer.
fn ask(
    plan: &Plan,
    rule: &str,
    body: Vec<Part>,
    behind_alias: Option<&str>,
) -> Result<(Value, KeyAnswer), Failure> {
    let answer = post_to_key(rule, SERVICE, Vec::new(), body)?;
    if answer.status != 200 {
        let refusal = Refusal {
            request: rule,
            status: answer.status,
            document: &answer.document,
            clock_ahead: answer.clock_ahead,
            behind_alias,
        };
        return Err(refusal.failure(plan));
    }
    match serde_json::from_slice(&answer.document) {
        Ok(document) => Ok((document, answer)),
        Err(_) => Err(garbled("it is no JSON")),
    }
}

fn answered_for_another() -> Failure {
    garbled("it is of another key than the one that was asked for")
        .with_hint("Check that the server is the one of the key's own region and account.")
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

    const ARN: &str = "arn:aws:kms:eu-central-1:1:key/0a1b";

    fn plan(key: &str) -> Plan {
        let plan = Plan::new(portolan_sdk::Kind::Kms);
        plan.set(crate::plan::REGION, "eu-central-1").set(KEY, key)
    }

    #[test]
    fn a_ciphertext_comes_with_its_key() {
        let answer = json!({"CiphertextBlob": "AQID", "KeyId": ARN, "EncryptionAlgorithm": "x"});
        for key in [ARN, "0a1b", "alias/a"] {
            let encrypted = encrypted(&plan(key), &answer).expect("encrypted");
            assert_eq!(encrypted.ciphertext, [1, 2, 3]);
            assert_eq!(encrypted.key, ARN);
            assert_eq!(encrypted.key_version, None);
        }
    }

    #[test]
    fn a_ciphertext_of_another_key_is_none_of_this_one() {
        let answer = json!({"CiphertextBlob": "AQID", "KeyId": ARN});
        for key in [
            "ffff",
            "arn:aws:kms:eu-central-1:2:key/0a1b",
            "arn:aws:kms:eu-central-1:2:alias/a",
        ] {
            let failure = encrypted(&plan(key), &answer).expect_err("another key's");
            assert_eq!(failure.class, FailureClass::Protocol);
            assert_eq!(
                failure.message,
                "the answer is none of AWS KMS: it is of another key than the one that was asked for"
            );
        }
    }

    #[test]
    fn what_another_key_encrypted_is_refused_before_anything_is_sent() {
        let encrypted = Encrypted {
            ciphertext: vec![1, 2, 3],
            key: ARN.to_owned(),
            key_version: None,
        };
        // Natively there is no host that anything could be sent by.
        let Err(failure) = decrypt(&plan("ffff"), &encrypted) else {
            unreachable!("it is of another key");
        };
        assert_eq!(failure.class, FailureClass::InvalidUri);
        assert_eq!(
            failure.message,
            "the content was encrypted with another key: arn:aws:kms:eu-central-1:1:key/0a1b"
        );
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
            let failure = encrypted(&plan("alias/a"), &answer).expect_err("half");
            assert_eq!(failure.class, FailureClass::Protocol);
        }
    }
}
