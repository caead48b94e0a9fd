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
        vault: vault(plan),
        name: plan.setting(KEY).unwrap_or_default(),
        version: plan.setting(VERSION).unwrap_or_default(),
    };
    let body = vec![
        Part::Bytes(joined(&["{\"alg\":\"", ALGORITHM, "\",\"value\":\""]).into_bytes()),
        Part::Secret(encode(plaintext, &Encoding::Base64url)?),
        Part::Bytes(b"\"}".to_vec()),
    ];
    let (answer, _) = key.ask("encrypt", body, None)?;
    key.encrypted(&answer)
}

/// Decrypts with the version of the plan's key that encrypted, and takes the answer of that version
/// only.
pub(crate) fn decrypt(plan: &Plan, encrypted: &Encrypted) -> Result<Opaque, Failure> {
    let version = encrypted.key_version.as_deref();
    let key = named(vault(plan), &encrypted.key, version);
    let own = plan.setting(KEY).unwrap_or_default();
    let key = key.filter(|key| key.name.eq_ignore_ascii_case(own));
    let Some(key) = key else {
        return Err(Failure::new(
            FailureClass::InvalidUri,
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
    let other_version = other_version(plan, &encrypted.key, key.version);
    let other_version = other_version.as_deref();
    let (document, mut answer) = key.ask("decrypt", body, other_version)?;
    let checked = key.check(&document);
    checked.map_err(|failure| failure.with_content_of(other_version))?;
    let plaintext = answer.take("value");
    plaintext.ok_or_else(|| garbled("it holds no plaintext"))
}

/// The id of the version that encrypted, where the plan names another one.
fn other_version(plan: &Plan, key: &str, version: &str) -> Option<String> {
    let own = plan.setting(VERSION).unwrap_or_default();
    (!version.eq_ignore_ascii_case(own)).then(|| joined(&[key, "/", version]))
}

/// The host of the plan's vault.
fn vault(plan: &Plan) -> &str {
    plan.endpoint_number(VAULT)
        .map(|endpoint| endpoint.host.as_str())
        .unwrap_or_default()
}

/// The key of an id such as `https://VAULT/keys/NAME`, if it is of this vault.
fn named<'a>(vault: &'a str, id: &'a str, version: Option<&'a str>) -> Option<Key<'a>> {
    let rest = id.strip_prefix("https://")?;
    let (host, name) = rest.split_once("/keys/")?;
    let version = version?;
    (host.eq_ignore_ascii_case(vault) && is_name(name) && is_name(version)).then_some(Key {
        vault,
        name,
        version,
    })
}

/// A version of a key.
struct Key<'a> {
    /// The host of its vault.
    vault: &'a str,
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

    /// The id of the key without its version, if the answer is of this version of this key in this
    /// vault.
    fn check<'answer>(&self, answer: &'answer Value) -> Result<&'answer str, Failure> {
        let id = answer
            .get("kid")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match id.rsplit_once('/') {
            Some((key, version)) if self.is(key, version) => Ok(key),
            _ => Err(garbled(
                "it is of another key than the one that was asked for",
            )),
        }
    }

    /// Whether it is the version of a key with this id.
    fn is(&self, id: &str, version: &str) -> bool {
        named(self.vault, id, Some(version)).is_some_and(|key| {
            key.name.eq_ignore_ascii_case(self.name)
                && key.version.eq_ignore_ascii_case(self.version)
        })
    }

    /// Sends one request: what is seen of the answer, and the answer. A refusal tells the other
    /// version that encrypted.
    fn ask(
        &self,
        rule: &str,
        body: Vec<Part>,
        other_version: Option<&str>,
    ) -> Result<(Value, KeyAnswer), Failure> {
        let path = ["keys", self.name, self.version, rule].map(str::to_owned);
        let answer = post_to_key(rule, VAULT, path.into(), body)?;
        if answer.status != 200 {
            let failure = refused(rule, answer.status, &answer.document);
            return Err(failure.with_content_of(other_version));
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
        vault: "v.vault.azure.net",
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
        ] {
            let failure = KEY.encrypted(&answer).expect_err("half");
            assert_eq!(failure.class, FailureClass::Protocol);
        }
    }

    #[test]
    fn an_answer_is_of_this_version_of_this_key_in_this_vault() {
        let of = |kid: &str| json!({"kid": kid, "value": "AQ"});
        // Azure may write each of them with other capitals.
        for kid in [
            "https://v.vault.azure.net/keys/backups/0a1b",
            "https://V.vault.azure.net/keys/Backups/0A1B",
        ] {
            assert!(KEY.check(&of(kid)).is_ok(), "{kid}");
        }
        for kid in [
            "https://v.vault.azure.net/keys/backups/ffff",
            "https://v.vault.azure.net/keys/other/0a1b",
            "https://w.vault.azure.net/keys/backups/0a1b",
            "https://v.vault.azure.cn/keys/backups/0a1b",
            "https://v.vault.azure.net:444/keys/backups/0a1b",
            "https://w.example/keys/v.vault.azure.net/keys/backups/0a1b",
            "https://v.vault.azure.net/secrets/backups/0a1b",
            "http://v.vault.azure.net/keys/backups/0a1b",
            "v.vault.azure.net/keys/backups/0a1b",
            "backups/0a1b",
        ] {
            let failure = KEY.encrypted(&of(kid)).expect_err(kid);
            assert_eq!(failure.class, FailureClass::Protocol);
            assert_eq!(
                failure.message,
                "the answer is none of Azure Key Vault: it is of another key than the one that was \
                 asked for"
            );
            assert!(KEY.check(&of(kid)).is_err(), "{kid}");
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

    #[test]
    fn a_version_that_the_plan_does_not_name_is_told_by_its_id() {
        let plan = Plan::new(portolan_sdk::Kind::Kms).set(VERSION, "0a1b");
        let other = |version| other_version(&plan, "https://v.vault.azure.net/keys/k", version);
        assert_eq!(other("0a1b"), None);
        assert_eq!(other("0A1B"), None);
        assert_eq!(
            other("ffff").as_deref(),
            Some("https://v.vault.azure.net/keys/k/ffff")
        );
    }
}
