//! Who may come in.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_servers::RsaKey;
use rsasl::mechanisms::scram::tools::{derive_keys, hash_password};
use sha2_for_scram::digest::generic_array::GenericArray;
use sha2_for_scram::{Digest, Sha256, Sha512};

/// Kafka's own default.
const ITERATIONS: u32 = 4096;

/// Passwords, and the keys that tokens and signatures are checked with.
#[derive(Default)]
pub(crate) struct Users {
    passwords: BTreeMap<String, Password>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) aws: Option<AwsKey>,
}

/// Whose tokens are taken.
pub(crate) struct Tokens {
    pub(crate) key: Arc<RsaKey>,
    pub(crate) audience: String,
}

/// A key of AWS, and the session token that goes with a temporary one.
pub(crate) struct AwsKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) region: String,
    pub(crate) token: Option<String>,
}

struct Password {
    plain: String,
    sha_256: Stored,
    sha_512: Stored,
}

/// What SCRAM keeps instead of a password.
pub(crate) struct Stored {
    pub(crate) iterations: u32,
    pub(crate) salt: Vec<u8>,
    pub(crate) stored_key: Vec<u8>,
    pub(crate) server_key: Vec<u8>,
}

impl Users {
    pub(crate) fn add(&mut self, name: &str, password: &str) {
        let salt = format!("salt of {name}").into_bytes();
        let mut salted = GenericArray::default();
        hash_password::<Sha256>(password.as_bytes(), ITERATIONS, &salt, &mut salted);
        let (client_key, server_key) = derive_keys::<Sha256>(&salted);
        let sha_256 = Stored {
            iterations: ITERATIONS,
            salt: salt.clone(),
            stored_key: Sha256::digest(client_key).to_vec(),
            server_key: server_key.to_vec(),
        };
        let mut salted = GenericArray::default();
        hash_password::<Sha512>(password.as_bytes(), ITERATIONS, &salt, &mut salted);
        let (client_key, server_key) = derive_keys::<Sha512>(&salted);
        let sha_512 = Stored {
            iterations: ITERATIONS,
            salt,
            stored_key: Sha512::digest(client_key).to_vec(),
            server_key: server_key.to_vec(),
        };
        let password = Password {
            plain: password.to_owned(),
            sha_256,
            sha_512,
        };
        self.passwords.insert(name.to_owned(), password);
    }

    /// Whether it is the user's password.
    pub(crate) fn knows(&self, name: &str, password: &[u8]) -> bool {
        let known = self.passwords.get(name);
        known.is_some_and(|known| known.plain.as_bytes() == password)
    }

    /// What SCRAM checks with.
    pub(crate) fn stored(&self, mechanism: &str, name: &str) -> Option<&Stored> {
        let known = self.passwords.get(name)?;
        match mechanism {
            "SCRAM-SHA-256" => Some(&known.sha_256),
            "SCRAM-SHA-512" => Some(&known.sha_512),
            _ => None,
        }
    }
}

impl Tokens {
    /// Who a token is for, if it is one of these and still holds.
    pub(crate) fn subject(&self, token: &str) -> Option<String> {
        let claims = self.key.verify(token)?;
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        let is_ours = claims["aud"] == self.audience.as_str();
        let holds = claims["exp"].as_u64().is_some_and(|end| end > now);
        let subject = claims["sub"].as_str()?.to_owned();
        (is_ours && holds).then_some(subject)
    }
}
