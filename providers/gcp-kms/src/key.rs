//! Encrypt and decrypt: JSON around a plaintext that stays in the host.
//!
//! The checksum of a plaintext is neither sent nor seen, because whoever makes or reads it holds the
//! plaintext; that of a ciphertext is.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portolan_sdk::lent::parts::{Encoding, Opaque, Part, encode};
use portolan_sdk::{Encrypted, Failure, FailureClass, KeyAnswer, Plan, joined, post_to_key};
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
    let (answer, _) = ask("encrypt", key, body, None)?;
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

/// Decrypts with the plan's key, if that encrypted. The service finds the version in the ciphertext
/// by itself.
pub(crate) fn decrypt(plan: &Plan, encrypted: &Encrypted) -> Result<Opaque, Failure> {
    let key = plan.setting(KEY).unwrap_or_default();
    if !is_key(&encrypted.key) || !is_same(&encrypted.key, key) {
        return Err(Failure::new(
            FailureClass::InvalidUri,
            joined(&[
                "the content was encrypted with another key: ",
                &encrypted.key,
            ]),
        )
        .with_hint("Use a connection to the key that encrypted it."));
    }
    let body = json!({
        "ciphertext": BASE64_STANDARD.encode(&encrypted.ciphertext),
        "ciphertextCrc32c": checksum(&encrypted.ciphertext).to_string(),
    });
    let body = vec![Part::Bytes(body.to_string().into_bytes())];
    let other_name = (encrypted.key != key).then_some(&*encrypted.key);
    let (_, mut answer) = ask("decrypt", key, body, other_name)?;
    // Beside it stands its checksum, which is opaque too.
    let plaintext = answer.take("plaintext");
    plaintext.ok_or_else(|| garbled("it holds no plaintext"))
}

/// Sends one request: what is seen of the answer, and the answer. A refusal tells the other name that
/// the key had when it encrypted.
fn ask(
    rule: &str,
    key: &str,
    body: Vec<Part>,
    other_name: Option<&str>,
) -> Result<(Value, KeyAnswer), Failure> {
    let mut path = vec!["v1".to_owned()];
    path.extend(key.split('/').map(str::to_owned));
    if let Some(last) = path.last_mut() {
        last.push(':');
        last.push_str(rule);
    }
    let answer = post_to_key(rule, SERVICE, path, body)?;
    if answer.status != 200 {
        let failure = refused(rule, answer.status, &answer.document);
        return Err(failure.with_content_of(other_name));
    }
    match serde_json::from_slice(&answer.document) {
        Ok(document) => Ok((document, answer)),
        Err(_) => Err(garbled("it is no JSON")),
    }
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
        let anothers = "the answer is none of Google Cloud KMS: it is of another key than the one \
                        that was asked for";
        for (member, value, expected) in [
            ("name", "", nothing),
            ("name", NAME, nothing),
            ("name", "k/cryptoKeyVersions/1", nothing),
            (
                "name",
                "projects/p/locations/eu/keyRings/r/cryptoKeys/other/cryptoKeyVersions/1",
                anothers,
            ),
            (
                "name",
                "projects/q/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
                anothers,
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
    fn what_a_key_of_another_project_encrypted_is_refused_before_anything_is_sent() {
        let plan = Plan::new(portolan_sdk::Kind::Kms).set(KEY, NAME);
        let encrypted = Encrypted {
            ciphertext: vec![1, 2, 3],
            key: NAME.replace("/p/", "/q/"),
            key_version: Some("1".to_owned()),
        };
        // Natively there is no host that anything could be sent by.
        let Err(failure) = decrypt(&plan, &encrypted) else {
            unreachable!("it is of another key");
        };
        assert_eq!(failure.class, FailureClass::InvalidUri);
        assert_eq!(
            failure.message,
            "the content was encrypted with another key: \
             projects/q/locations/eu/keyRings/r/cryptoKeys/k"
        );
    }
}
