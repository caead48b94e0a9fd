//! Cloud KMS, as far as one symmetric key goes.

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::accounts::CLOUD_SCOPE;
use crate::http_server::{Answer, answer};

/// The name of the key.
pub(super) const NAME: &str = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/backups";

/// What a token needs, one of them.
const SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/cloudkms", CLOUD_SCOPE];

/// The most that is encrypted at once.
const MOST: usize = 64 << 10;

/// The key, and who may do what with it.
pub(super) struct Keys {
    key: LessSafeKey,
    /// Accounts, and what they may do: `encrypt` or `decrypt`.
    pub(super) allowed: HashSet<(String, &'static str)>,
    pub(super) enabled: bool,
    /// Sends each ciphertext with one bit changed, as if it had been changed on the way.
    pub(super) spoils: bool,
}

impl Keys {
    pub(super) fn new(account: &str) -> Self {
        let mut secret = [0; 32];
        fill(&mut secret);
        let key = UnboundKey::new(&AES_256_GCM, &secret).expect("a key of 32 bytes");
        Self {
            key: LessSafeKey::new(key),
            allowed: ["encrypt", "decrypt"]
                .map(|what| (account.to_owned(), what))
                .into(),
            enabled: true,
            spoils: false,
        }
    }

    /// `POST /v1/NAME:encrypt` and `:decrypt`, by the holder of a token with a scope.
    pub(super) fn respond(
        &self,
        holder: Option<(String, String)>,
        request: &Request<Bytes>,
    ) -> Answer {
        let Some((account, scope)) = holder else {
            return refused(401, "UNAUTHENTICATED", None);
        };
        if !scope.split(' ').any(|scope| SCOPES.contains(&scope)) {
            let reason = json!({"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"});
            return refused(403, "PERMISSION_DENIED", Some(reason));
        }
        let asked = request.uri().path().strip_prefix("/v1/");
        let asked = asked.and_then(|path| path.rsplit_once(':'));
        let (Some((name, verb)), &Method::POST, None) =
            (asked, request.method(), request.uri().query())
        else {
            return refused(404, "NOT_FOUND", None);
        };
        let verb = match verb {
            "encrypt" => "encrypt",
            "decrypt" => "decrypt",
            _ => return refused(404, "NOT_FOUND", None),
        };
        if name != NAME {
            return refused(404, "NOT_FOUND", None);
        }
        if !self.allowed.contains(&(account, verb)) {
            return refused(403, "PERMISSION_DENIED", None);
        }
        if !self.enabled {
            let violated = json!({"violations": [{"type": "KEY_DISABLED", "subject": NAME}]});
            return refused(400, "FAILED_PRECONDITION", Some(violated));
        }
        let asked = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        let answered = match verb {
            "encrypt" => self.encrypt(&asked),
            _ => self.decrypt(&asked),
        };
        match answered {
            Some(body) => answer(
                200,
                &[("content-type", "application/json; charset=UTF-8")],
                body.to_string(),
            ),
            None => refused(400, "INVALID_ARGUMENT", None),
        }
    }

    fn encrypt(&self, asked: &Value) -> Option<Value> {
        let mut sealed = given(asked, "plaintext")?;
        let checked = asked.get("plaintextCrc32c").is_some();
        if sealed.len() > MOST {
            return None;
        }
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce);
        let once = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(once, Aad::from(NAME), &mut sealed)
            .ok()?;
        let mut ciphertext = nonce.to_vec();
        ciphertext.append(&mut sealed);
        let checksum = checksum(&ciphertext);
        if self.spoils {
            ciphertext[0] ^= 1;
        }
        Some(json!({
            "name": format!("{NAME}/cryptoKeyVersions/1"),
            "ciphertext": BASE64_STANDARD.encode(&ciphertext),
            "ciphertextCrc32c": checksum,
            "verifiedPlaintextCrc32c": checked,
            "protectionLevel": "SOFTWARE",
        }))
    }

    fn decrypt(&self, asked: &Value) -> Option<Value> {
        let ciphertext = given(asked, "ciphertext")?;
        let (nonce, sealed) = ciphertext.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let plaintext = self.key.open_in_place(nonce, Aad::from(NAME), &mut sealed);
        let plaintext = plaintext.ok()?;
        Some(json!({
            "plaintext": BASE64_STANDARD.encode(&*plaintext),
            "plaintextCrc32c": checksum(plaintext),
            "usedPrimary": true,
            "protectionLevel": "SOFTWARE",
        }))
    }
}

/// The bytes of a member, if they have the checksum that is beside them, if any is.
fn given(asked: &Value, member: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_STANDARD.decode(asked.get(member)?.as_str()?).ok()?;
    match asked.get(format!("{member}Crc32c")) {
        Some(sum) if sum.as_str() != Some(&checksum(&bytes)) => None,
        _ => Some(bytes),
    }
}

/// CRC-32C, as JSON has a number of 64 bits.
fn checksum(bytes: &[u8]) -> String {
    crc32c::crc32c(bytes).to_string()
}

fn fill(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("random bytes");
}

fn refused(code: u16, status: &str, detail: Option<Value>) -> Answer {
    let details: Vec<_> = detail.into_iter().collect();
    let message = "a text of the service";
    let body = json!({"error": {
        "code": code, "status": status, "message": message, "details": details,
    }});
    answer(
        code,
        &[("content-type", "application/json; charset=UTF-8")],
        body.to_string(),
    )
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
