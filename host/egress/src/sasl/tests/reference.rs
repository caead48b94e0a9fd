//! The server's side of RFC 5802, written from the RFC, and held to the example of RFC 7677.

use std::num::NonZeroU32;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::{digest, hmac, pbkdf2};

/// A server that knows one password.
pub(super) struct Server {
    pub(super) password: &'static [u8],
    pub(super) nonce: &'static str,
    pub(super) salt: &'static [u8],
    pub(super) iterations: u32,
    pub(super) sha512: bool,
}

impl Server {
    /// What it says to the first message, whose part after the header this is.
    pub(super) fn first(&self, bare: &str) -> String {
        let (_, nonce) = bare.split_once(",r=").expect("a nonce");
        format!(
            "r={nonce}{},s={},i={}",
            self.nonce,
            BASE64_STANDARD.encode(self.salt),
            self.iterations
        )
    }

    /// The proof that a client owes, and the signature that the server owes.
    pub(super) fn proofs(&self, bare: &str, first: &str, without_proof: &str) -> (String, String) {
        let (mac, hash, kind) = match self.sha512 {
            true => (
                hmac::HMAC_SHA512,
                &digest::SHA512,
                pbkdf2::PBKDF2_HMAC_SHA512,
            ),
            false => (
                hmac::HMAC_SHA256,
                &digest::SHA256,
                pbkdf2::PBKDF2_HMAC_SHA256,
            ),
        };
        let signed = |key: &[u8], message: &[u8]| -> Vec<u8> {
            hmac::sign(&hmac::Key::new(mac, key), message)
                .as_ref()
                .to_vec()
        };
        let mut salted = vec![0; hash.output_len()];
        let iterations = NonZeroU32::new(self.iterations).expect("some");
        pbkdf2::derive(kind, iterations, self.salt, self.password, &mut salted);
        let client_key = signed(&salted, b"Client Key");
        let stored_key = digest::digest(hash, &client_key);
        let message = format!("{bare},{first},{without_proof}");
        let signature = signed(stored_key.as_ref(), message.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, signature)| key ^ signature)
            .collect();
        let server_key = signed(&salted, b"Server Key");
        let server = signed(&server_key, message.as_bytes());
        (
            BASE64_STANDARD.encode(proof),
            BASE64_STANDARD.encode(server),
        )
    }
}

#[test]
fn the_reference_is_that_of_rfc_7677() {
    let salt = BASE64_STANDARD
        .decode("W22ZaJ0SNY7soEsUEjb6gQ==")
        .expect("a salt");
    let server = Server {
        password: b"pencil",
        nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        salt: salt.leak(),
        iterations: 4096,
        sha512: false,
    };
    let bare = "n=user,r=rOprNGfwEbeRWgbNEkqO";
    let first = server.first(bare);
    assert_eq!(
        first,
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    );
    let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    assert_eq!(
        server.proofs(bare, &first, last),
        (
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".to_owned(),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".to_owned()
        )
    );
}
