//! Encrypt and decrypt: JSON around a plaintext that stays in the host.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portolan_sdk::lent::http::{Request, Response, send};
use portolan_sdk::lent::parts::{Encoding, Opaque, Part, encode};
use portolan_sdk::{Encrypted, Failure, FailureClass, Plan, joined};
use serde_json::{Value, json};

use crate::plan::{KEY, SERVICE};
use crate::refusal::refused;

/// Encrypts under the key of the plan.
pub(crate) fn encrypt(plan: &Plan, plaintext: Opaque) -> Result<Encrypted, Failure> {
    let key = json!(plan.setting(KEY).unwrap_or_default()).to_string();
    let body = vec![
        Part::Bytes(joined(&["{\"KeyId\":", &key, ",\"Plaintext\":\""]).into_bytes()),
        Part::Secret(encode(plaintext, &Encoding::Base64)?),
        Part::Bytes(b"\"}".to_vec()),
    ];
    let (answer, _) = ask("encrypt", body)?;
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

/// Decrypts, and takes the answer of the very key only.
pub(crate) fn decrypt(encrypted: &Encrypted) -> Result<Opaque, Failure> {
    let body = json!({
        "CiphertextBlob": BASE64_STANDARD.encode(&encrypted.ciphertext),
        "KeyId": encrypted.key,
    });
    let (answer, plaintext) = ask("decrypt", vec![Part::Bytes(body.to_string().into_bytes())])?;
    if answer.get("KeyId").and_then(Value::as_str) != Some(&encrypted.key) {
        return Err(
            garbled("it is of another key than the one that was asked for")
                .with_hint("Check that the server is the one of the key's own region and account."),
        );
    }
    plaintext.ok_or_else(|| garbled("it holds no plaintext"))
}

/// Sends one request: what is seen of the answer, and the member that is not.
fn ask(rule: &str, body: Vec<Part>) -> Result<(Value, Option<Opaque>), Failure> {
    let response = send(Request {
        rule: rule.to_owned(),
        endpoint: SERVICE,
        method: "POST".to_owned(),
        path: Vec::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body,
        keep_opaque: Vec::new(),
    })?;
    let Response { status, body, .. } = response;
    let mut document = Vec::new();
    let mut opaque = None;
    for part in body {
        match part {
            Part::Bytes(bytes) => document.extend(bytes),
            Part::Secret(secret) => opaque = Some(secret),
        }
    }
    if status != 200 {
        return Err(refused(rule, status, &document));
    }
    match serde_json::from_slice(&document) {
        Ok(answer) => Ok((answer, opaque)),
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
