//! Encrypt and decrypt: JSON around a plaintext that stays in the host.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portolan_sdk::lent::parts::{Encoding, Opaque, Part, encode};
use portolan_sdk::{Encrypted, Failure, FailureClass, KeyAnswer, Plan, joined, post_to_key};
use serde_json::{Value, json};

use crate::plan::{KEY, VAULT, VERSION, is_name};
use crate::refusal::refused;

/// How a plaintext is encrypted: the strongest way that every key of RSA has.
const ALGORITHM: &str = "RSA-OAEP-256";

/// Encrypts under the version of the plan's key.
pub(crate) fn encrypt(plan: &Plan, plaintext: Opaque) -> Result<Encrypted, Failure> {
    let key = Key {
        name: plan.setting(KEY).unwrap_or_default(),
        version: plan.setting(VERSION).unwrap_or_default(),
    };
    let body = vec![
        Part::Bytes(joined(&["{\"alg\":\"", ALGORITHM, "\",\"value\":\""]).into_bytes()),
        Part::Secret(encode(plaintext, &Encoding::Base64url)?),
        Part::Bytes(b"\"}".to_vec()),
    ];
    let (answer, _) = key.ask("encrypt", body)?;
    key.encrypted(&answer)
}

/// Decrypts with the version of the plan's key that encrypted, and takes the answer of that version
/// only.
pub(crate) fn decrypt(plan: &Plan, encrypted: &Encrypted) -> Result<Opaque, Failure> {
    let version = encrypted.key_version.as_deref();
    let host = plan.endpoint_number(VAULT).map(|it| it.host.as_str());
    let key = named(host.unwrap_or_default(), &encrypted.key, version);
    let own = plan.setting(KEY).unwrap_or_default();
    let key = key.filter(|key| key.name.eq_ignore_ascii_case(own));
    let Some(key) = key else {
        return Err(Failure::new(
            FailureClass::Protocol,
            joined(&[
                "the content was encrypted with another key: ",
                &encrypted.key,
            ]),
        )
        .with_hint("Use a connection to the key that encrypted it."));
    };
    let body = json!({
        "alg": ALGORITHM,
        "value": BASE64_URL_SAFE_NO_PAD.encode(&encrypted.ciphertext),
    });
    let body = vec![Part::Bytes(body.to_string().into_bytes())];
    let (document, mut answer) = key.ask("decrypt", body)?;
    key.check(&document)?;
    let plaintext = answer.take("value");
    plaintext.ok_or_else(|| garbled("it holds no plaintext"))
}

/// The key of an id such as `https://VAULT/keys/NAME`, if it is of this vault.
fn named<'a>(host: &str, id: &'a str, version: Option<&'a str>) -> Option<Key<'a>> {
    let rest = id.strip_prefix("https://")?;
    let (vault, name) = rest.split_once("/keys/")?;
    let version = version?;
    (vault.eq_ignore_ascii_case(host) && is_name(name) && is_name(version))
        .then_some(Key { name, version })
}

/// A version of a key.
struct Key<'a> {
    name: &'a str,
    version: &'a str,
}

impl Key<'_> {
    /// The ciphertext in an answer, with the id of the key.
    fn encrypted(&self, answer: &Value) -> Result<Encrypted, Failure> {
        let id = self.check(answer)?;
        let value = answer.get("value").and_then(Value::as_str);
        let ciphertext = BASE64_URL_SAFE_NO_PAD.decode(value.unwrap_or_default());
        match ciphertext {
            Ok(ciphertext) if !ciphertext.is_empty() => Ok(Encrypted {
                ciphertext,
                key: id.to_owned(),
                key_version: Some(self.version.to_owned()),
            }),
            _ => Err(garbled("it holds no ciphertext")),
        }
    }

    /// The id of the key without its version, if the answer is of this version of this key.
    fn check<'answer>(&self, answer: &'answer Value) -> Result<&'answer str, Failure> {
        let id = answer
            .get("kid")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let split = id.rsplit_once('/').and_then(|(key, version)| {
            let (_, name) = key.rsplit_once("/keys/")?;
            Some((key, name, version))
        });
        match split {
            Some((key, name, version))
                if name.eq_ignore_ascii_case(self.name)
                    && version.eq_ignore_ascii_case(self.version) =>
            {
                Ok(key)
            }
            _ => Err(garbled(
                "it is of another key than the one that was asked for",
            )),
        }
    }

    /// Sends one request: what is seen of the answer, and the answer.
    fn ask(&self, rule: &str, body: Vec<Part>) -> Result<(Value, KeyAnswer), Failure> {
        let path = ["keys", self.name, self.version, rule].map(str::to_owned);
        let answer = post_to_key(rule, VAULT, path.into(), body)?;
        if answer.status != 200 {
            return Err(refused(rule, answer.status, &answer.document));
        }
        match serde_json::from_slice(&answer.document) {
            Ok(document) => Ok((document, answer)),
            Err(_) => Err(garbled("it is no JSON")),
        }
    }
}

fn garbled(what: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["the answer is none of Azure Key Vault: ", what]),
    )
    .with_hint("Look for a proxy on the way that answers in the place of Azure Key Vault.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'_> = Key {
        name: "backups",
        version: "0a1b",
    };

    #[test]
    fn a_ciphertext_comes_with_its_key_and_its_version() {
        let answer = json!({"kid": "https://v.vault.azure.net/keys/backups/0a1b", "value": "-_8"});
        let encrypted = KEY.encrypted(&answer).expect("encrypted");
        assert_eq!(encrypted.ciphertext, [0xfb, 0xff]);
        assert_eq!(encrypted.key, "https://v.vault.azure.net/keys/backups");
        assert_eq!(encrypted.key_version.as_deref(), Some("0a1b"));
    }

    #[test]
    fn half_an_answer_is_none() {
        for answer in [
            json!({}),
            json!([]),
            json!({"kid": "https://v.vault.azure.net/keys/backups/0a1b"}),
            json!({"kid": "https://v.vault.azure.net/keys/backups/0a1b", "value": "+"}),
            json!({"kid": "https://v.vault.azure.net/keys/backups/ffff", "value": "AQ"}),
            json!({"kid": "https://v.vault.azure.net/keys/other/0a1b", "value": "AQ"}),
            json!({"kid": "backups/0a1b", "value": "AQ"}),
        ] {
            let failure = KEY.encrypted(&answer).expect_err("half");
            assert_eq!(failure.class, FailureClass::Protocol);
        }
    }

    #[test]
    fn only_keys_of_the_vault_decrypt() {
        let host = "v.vault.azure.net";
        let of = |id, version| named(host, id, version).map(|key| (key.name, key.version));
        let id = "https://V.vault.azure.net/keys/k";
        assert_eq!(of(id, Some("1")), Some(("k", "1")));
        assert_eq!(of(id, None), None);
        assert_eq!(of(id, Some("../1")), None);
        for other in [
            "k",
            "https://w.vault.azure.net/keys/k",
            "https://v.vault.azure.net/keys/k/1",
            "https://v.vault.azure.net/secrets/k",
            "http://v.vault.azure.net/keys/k",
        ] {
            assert_eq!(of(other, Some("1")), None, "{other}");
        }
    }
}
