//! An RSA key, made by OpenSSL because no library here makes one.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use crate::child::command;

/// A private key of 2048 bits.
pub struct RsaKey {
    pem: String,
    pair: RsaKeyPair,
}

impl RsaKey {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        let made = command("openssl")
            .args([
                "genpkey",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                "rsa_keygen_bits:2048",
            ])
            .output()
            .expect("openssl is not there: run tests/servers/install");
        assert!(made.status.success(), "openssl made no key");
        let pem = String::from_utf8(made.stdout).expect("PEM");
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).expect("a key in PKCS #8");
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("an RSA key");
        Self { pem, pair }
    }

    /// The private key in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A text encrypted with RSA-OAEP, SHA-256 and MGF1 with SHA-256; none where it is too long.
    #[must_use]
    pub fn encrypt(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.oaep("-encrypt", text)
    }

    /// The text in what [`RsaKey::encrypt`] made; none where there is none.
    #[must_use]
    pub fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        self.oaep("-decrypt", encrypted)
    }

    fn oaep(&self, verb: &str, input: &[u8]) -> Option<Vec<u8>> {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("a file");
            path
        };
        let (key, input) = (write("key.pem", self.pem.as_bytes()), write("input", input));
        let done = command("openssl")
            .args(["pkeyutl", verb, "-inkey"])
            .arg(key)
            .arg("-in")
            .arg(input)
            .args(["-pkeyopt", "rsa_padding_mode:oaep"])
            .args(["-pkeyopt", "rsa_oaep_md:sha256"])
            .args(["-pkeyopt", "rsa_mgf1_md:sha256"])
            .output()
            .expect("openssl is not there: run tests/servers/install");
        done.status.success().then_some(done.stdout)
    }

    /// The claims of a token, if this key has signed it as RS256.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = json(header)?;
        if header["alg"] != "RS256" {
            return None;
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref())
            .verify(signed.as_bytes(), &signature)
            .ok()?;
        json(claims)
    }

    /// A token with these claims, signed as RS256.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        let header = serde_json::json!({"alg": "RS256", "typ": "JWT"});
        let signed = format!(
            "{}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(header.to_string()),
            BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .expect("a signature");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RsaKey").finish_non_exhaustive()
    }
}
