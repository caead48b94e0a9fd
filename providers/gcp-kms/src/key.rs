//! Encrypt and decrypt: JSON around a plaintext that stays in the host.
//!
//! The checksum of a plaintext is neither sent nor seen, because whoever makes or reads it holds the
//! plaintext; that of a ciphertext is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portolan_sdk::lent::http::{Request, Response, send};
use portolan_sdk::lent::parts::{Encoding, Opaque, Part, encode};
use portolan_sdk::{Encrypted, Failure, FailureClass, Plan, joined};
use serde_json::{Value, json};

use crate::checksum::checksum;
use crate::name::{is_key, is_same, is_version, split_version};
use crate::plan::{KEY, SERVICE};
use crate::refusal::refused;

/// Encrypts under the key of the plan.
pub(crate) fn encrypt(plan: &Plan, plaintext: Opaque) -> Result<Encrypted, Failure> {
    let key = plan.setting(KEY).unwrap_or_default();
    let body = vec![
        Part::Bytes(b"{\"plaintext\":\"".to_vec()),
        Part::Secret(encode(plaintext, &Encoding::Base64)?),
        Part::Bytes(b"\"}".to_vec()),
    ];
    let (answer, _) = ask("encrypt", key, body)?;
    encrypted(key, &answer)
}

/// The ciphertext in an answer about this key, with the version that encrypted it.
fn encrypted(key: &str, answer: &Value) -> Result<Encrypted, Failure> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let (named, version) = split_version(text("name"));
    let version = version.filter(|version| is_version(version));
    let ciphertext = BASE64_STANDARD.decode(text("ciphertext"));
    let (Ok(ciphertext), Some(version)) = (ciphertext, version) else {
        return Err(garbled("it holds no ciphertext with its key"));
    };
    if ciphertext.is_empty() || !is_key(named) {
        return Err(garbled("it holds no ciphertext with its key"));
    }
    if !is_same(named, key) {
        return Err(garbled(
            "it is of another key than the one that was asked for",
        ));
    }
    if text("ciphertextCrc32c") != checksum(&ciphertext).to_string() {
        return Err(Failure::new(
            FailureClass::Protocol,
            "the ciphertext of Google Cloud KMS does not have its checksum",
        )
        .with_hint(
            "Try again; if it stays so, look for a proxy on the way that changes answers.",
        ));
    }
    Ok(Encrypted {
        ciphertext,
        key: named.to_owned(),
        key_version: Some(version.to_owned()),
    })
}

/// Decrypts. The service finds the version in the ciphertext by itself.
pub(crate) fn decrypt(encrypted: &Encrypted) -> Result<Opaque, Failure> {
    if !is_key(&encrypted.key) {
        return Err(Failure::new(
            FailureClass::Protocol,
            "the content was not encrypted with a key of Google Cloud KMS",
        )
        .with_hint("Check that the connection names the key that encrypted the content."));
    }
    let body = json!({
        "ciphertext": BASE64_STANDARD.encode(&encrypted.ciphertext),
        "ciphertextCrc32c": checksum(&encrypted.ciphertext).to_string(),
    });
    let body = vec![Part::Bytes(body.to_string().into_bytes())];
    let (_, plaintext) = ask("decrypt", &encrypted.key, body)?;
    plaintext.ok_or_else(|| garbled("it holds no plaintext"))
}

/// Sends one request: what is seen of the answer, and the plaintext, which is not.
fn ask(rule: &str, key: &str, body: Vec<Part>) -> Result<(Value, Option<Opaque>), Failure> {
    let mut path = vec!["v1".to_owned()];
    path.extend(key.split('/').map(str::to_owned));
    if let Some(last) = path.last_mut() {
        last.push(':');
        last.push_str(rule);
    }
    let response = send(Request {
        rule: rule.to_owned(),
        endpoint: SERVICE,
        method: "POST".to_owned(),
        path,
        query: Vec::new(),
        headers: Vec::new(),
        body,
        keep_opaque: Vec::new(),
    })?;
    let Response { status, body, .. } = response;
    let mut document = Vec::new();
    let mut plaintext = None;
    for part in body {
        match part {
            Part::Bytes(bytes) => document.extend(bytes),
            // The other one is its checksum.
            Part::Secret(secret) if member(&document) == b"plaintext" => plaintext = Some(secret),
            Part::Secret(_) => {}
        }
    }
    if status != 200 {
        return Err(refused(rule, status, &document));
    }
    match serde_json::from_slice(&document) {
        Ok(answer) => Ok((answer, plaintext)),
        Err(_) => Err(garbled("it is no JSON")),
    }
}

/// The name of the member whose string begins where the document ends.
fn member(document: &[u8]) -> &[u8] {
    let before = |bytes: &'_ [u8]| bytes.trim_ascii_end().len().saturating_sub(1);
    // The opening quote, the colon, and the closing quote of the name.
    let mut end = document.len();
    for _ in 0..3 {
        end = before(document.get(..end).unwrap_or_default());
    }
    let rest = document.get(..end).unwrap_or_default();
    rest.rsplit(|byte| *byte == b'"').next().unwrap_or_default()
}

fn garbled(what: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["the answer is none of Google Cloud KMS: ", what]),
    )
    .with_hint("Look for a proxy on the way that answers in the place of Google Cloud KMS.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "projects/p/locations/eu/keyRings/r/cryptoKeys/k";

    fn answer() -> Value {
        json!({
            "name": "projects/77/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/3",
            "ciphertext": "MTIzNDU2Nzg5",
            "ciphertextCrc32c": "3808858755",
        })
    }

    #[test]
    fn a_ciphertext_comes_with_its_key_and_its_version() {
        let encrypted = encrypted(NAME, &answer()).expect("encrypted");
        assert_eq!(encrypted.ciphertext, b"123456789");
        assert_eq!(
            encrypted.key,
            "projects/77/locations/eu/keyRings/r/cryptoKeys/k"
        );
        assert_eq!(encrypted.key_version.as_deref(), Some("3"));
    }

    #[test]
    fn half_an_answer_is_none() {
        let nothing = "the answer is none of Google Cloud KMS: it holds no ciphertext with its key";
        for (member, value, expected) in [
            ("name", "", nothing),
            ("name", NAME, nothing),
            ("name", "k/cryptoKeyVersions/1", nothing),
            (
                "name",
                "projects/p/locations/eu/keyRings/r/cryptoKeys/other/cryptoKeyVersions/1",
                "the answer is none of Google Cloud KMS: it is of another key than the one that was \
                 asked for",
            ),
            ("ciphertext", "", nothing),
            ("ciphertext", "A", nothing),
            (
                "ciphertextCrc32c",
                "1",
                "the ciphertext of Google Cloud KMS does not have its checksum",
            ),
        ] {
            let mut answer = answer();
            answer[member] = json!(value);
            let failure = encrypted(NAME, &answer).expect_err("half");
            assert_eq!(failure.class, FailureClass::Protocol);
            assert_eq!(failure.message, expected);
        }
        assert!(encrypted(NAME, &json!([])).is_err());
    }

    #[test]
    fn a_plaintext_is_told_from_its_checksum() {
        for (document, name) in [
            ("{\"plaintext\":\"", "plaintext"),
            ("{\n  \"plaintext\" : \"", "plaintext"),
            (
                "{\"plaintext\":\"\",\n \"plaintextCrc32c\": \"",
                "plaintextCrc32c",
            ),
            ("", ""),
            ("\"", ""),
        ] {
            assert_eq!(member(document.as_bytes()), name.as_bytes(), "{document}");
        }
    }
}
