//! KMS: two keys and an alias, in one region.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::Request;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::account::{Account, AwsStandIn};
use super::sigv4::{SIGV4_REGION, header, region};

/// Two keys, the alias of one of them, and who may do what with both.
#[derive(Debug)]
pub(super) struct Kms {
    keys: [Key; 2],
    /// The place of the key that the alias stands for.
    alias: usize,
    allowed: BTreeMap<String, Vec<&'static str>>,
}

/// A symmetric key.
#[derive(Debug)]
struct Key {
    arn: &'static str,
    key: LessSafeKey,
    is_enabled: bool,
}

impl Kms {
    pub(super) fn new() -> Self {
        Self {
            keys: [AwsStandIn::ARN, AwsStandIn::ARN_OF_ANOTHER].map(Key::new),
            alias: 0,
            allowed: BTreeMap::new(),
        }
    }

    pub(super) fn allow(&mut self, principal: &str, actions: &[&'static str]) {
        self.allowed.insert(principal.to_owned(), actions.to_vec());
    }

    pub(super) fn disable(&mut self) {
        self.keys[0].is_enabled = false;
    }

    pub(super) fn move_alias(&mut self) {
        self.alias = 1;
    }

    /// The key that is called so.
    fn named(&self, name: &str) -> Option<&Key> {
        match name {
            AwsStandIn::ALIAS => self.keys.get(self.alias),
            AwsStandIn::KEY => self.keys.first(),
            arn => self.keys.iter().find(|key| key.arn == arn),
        }
    }

    /// What is decrypted with a key, or the code that it is refused with.
    fn decrypt(&self, asked: &Key, ciphertext: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut keys = self.keys.iter();
        let opened = keys.find_map(|key| Some((key, key.decrypt(ciphertext)?)));
        match opened {
            Some((key, plaintext)) if key.arn == asked.arn => Ok(plaintext),
            Some(_) => Err("IncorrectKeyException"),
            None => Err("InvalidCiphertextException"),
        }
    }
}

impl Key {
    fn new(arn: &'static str) -> Self {
        let mut bytes = [0; 32];
        random(&mut bytes);
        let key = UnboundKey::new(&AES_256_GCM, &bytes).expect("a key");
        Self {
            arn,
            key: LessSafeKey::new(key),
            is_enabled: true,
        }
    }

    fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce);
        let mut sealed = plaintext.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut sealed,
            )
            .expect("encrypted");
        [&nonce[..], &sealed].concat()
    }

    fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = ciphertext.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::empty(), &mut sealed);
        Some(opened.ok()?.to_vec())
    }
}

impl Account {
    /// Answers `Encrypt` and `Decrypt`.
    pub(super) fn use_key(&self, request: &Request<Bytes>) -> (u16, String) {
        match self.used(request) {
            Ok(answer) => (200, answer.to_string()),
            Err((code, more)) => {
                let message = format!("{} {more}", AwsStandIn::CHATTER);
                let body = json!({"__type": code, "message": message});
                (400, body.to_string())
            }
        }
    }

    fn used(&self, request: &Request<Bytes>) -> Result<Value, (&'static str, String)> {
        let refused = |code| move || (code, String::new());
        let signer = self.signatures.signer("kms", request, request.body());
        let signer = signer.map_err(|fault| (fault.json_code(), fault.message().to_owned()))?;
        let action = header(request, "x-amz-target")
            .and_then(|target| target.strip_prefix("TrentService."))
            .filter(|_| header(request, "content-type") == Some("application/x-amz-json-1.1"))
            .ok_or_else(refused("UnknownOperationException"))?;
        let asked: Value = serde_json::from_slice(request.body())
            .map_err(|error| ("SerializationException", error.to_string()))?;
        let member = |name: &str| asked.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            let bytes = BASE64_STANDARD.decode(member(name).unwrap_or_default());
            bytes.ok().ok_or_else(refused("SerializationException"))
        };
        let name = member("KeyId").ok_or_else(refused("ValidationException"))?;
        let key = self.kms.named(name);
        let key = key.filter(|_| region(request) == SIGV4_REGION);
        let key = key.ok_or_else(|| ("NotFoundException", name.to_owned()))?;
        let allowed = self.kms.allowed.get(&signer.principal);
        if !allowed.is_some_and(|actions| actions.contains(&action)) {
            return Err(("AccessDeniedException", signer.principal.clone()));
        }
        if !key.is_enabled {
            return Err(("DisabledException", key.arn.to_owned()));
        }
        let (name, content) = match action {
            "Encrypt" => ("CiphertextBlob", key.encrypt(&bytes("Plaintext")?)),
            "Decrypt" => {
                let plaintext = self.kms.decrypt(key, &bytes("CiphertextBlob")?);
                let plaintext = plaintext.map_err(|code| (code, String::new()))?;
                ("Plaintext", plaintext)
            }
            _ => return Err(refused("UnknownOperationException")()),
        };
        Ok(json!({
            name: BASE64_STANDARD.encode(content),
            "KeyId": key.arn,
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }))
    }
}

fn random(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("random bytes");
}
