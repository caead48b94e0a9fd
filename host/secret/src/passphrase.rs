//! Passphrases: a slot's key from what somebody remembers (Argon2id, RFC 9106).
//!
//! How much work it takes is written beside the slot, so that it can grow with machines; and it is held
//! against bounds when it is read, so that a changed file cannot ask for the machine's whole memory.

use std::fmt;
use std::ops::RangeInclusive;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use crate::SecretText;
use crate::cipher::Key;
use crate::keys::{KeyError, SlotKey};

/// Characters that a passphrase has at the least.
pub const SHORTEST: usize = 8;

const SALT_LENGTH: usize = 16;
const MEMORY_KIB: RangeInclusive<u32> = 8 * 1024..=1024 * 1024;
const PASSES: RangeInclusive<u32> = 1..=16;
const LANES: RangeInclusive<u32> = 1..=16;

/// How a passphrase becomes a key. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretching {
    algorithm: String,
    /// In hexadecimal digits.
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Stretching {
    /// RFC 9106's choice for machines with little memory, which is 64 MiB, with a new random salt.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut salt = [0; SALT_LENGTH];
        getrandom::fill(&mut salt).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self {
            algorithm: ALGORITHM.to_owned(),
            salt: hex::encode(salt),
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 4,
        })
    }

    /// The key that the passphrase stands for. Takes a fraction of a second, as it should.
    ///
    /// # Errors
    /// [`KeyError::Parameters`] when this is none of the ways that slots of this program are made.
    pub fn stretch(&self, passphrase: &SecretText) -> Result<SlotKey, KeyError> {
        let within = MEMORY_KIB.contains(&self.memory_kib)
            && PASSES.contains(&self.passes)
            && LANES.contains(&self.lanes);
        let mut salt = [0; SALT_LENGTH];
        if !within
            || self.algorithm != ALGORITHM
            || hex::decode_to_slice(&self.salt, &mut salt).is_err()
        {
            return Err(KeyError::Parameters);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, None)
            .map_err(|_| KeyError::Parameters)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Key::default();
        argon
            .hash_password_into(passphrase.expose().as_bytes(), &salt, key.as_mut_slice())
            .map_err(|_| KeyError::Parameters)?;
        Ok(SlotKey(key))
    }
}

impl fmt::Display for Stretching {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} MiB, {} passes, {} lanes",
            self.algorithm,
            self.memory_kib / 1024,
            self.passes,
            self.lanes
        )
    }
}

const ALGORITHM: &str = "argon2id";

/// Refuses a new passphrase that protects nothing.
///
/// # Errors
/// [`KeyError::ShortPassphrase`].
pub fn accept(passphrase: &SecretText) -> Result<(), KeyError> {
    match passphrase.expose().chars().count() {
        SHORTEST.. => Ok(()),
        _ => Err(KeyError::ShortPassphrase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Stretching {
        Stretching {
            memory_kib: *MEMORY_KIB.start(),
            passes: 1,
            lanes: 1,
            ..Stretching::generate().expect("random bytes")
        }
    }

    #[test]
    fn the_same_passphrase_gives_the_same_key_under_the_same_salt_only() {
        let (one, two) = (small(), small());
        let stretch = |how: &Stretching, text: &str| {
            let key = how.stretch(&SecretText::from(text)).expect("a key");
            key.to_text()
        };
        assert_eq!(
            stretch(&one, "correct horse"),
            stretch(&one, "correct horse")
        );
        assert_ne!(
            stretch(&one, "correct horse"),
            stretch(&two, "correct horse")
        );
        assert_ne!(
            stretch(&one, "correct horse"),
            stretch(&one, "correct hors")
        );
    }

    #[test]
    fn what_asks_for_too_much_or_too_little_work_is_refused_before_it_is_done() {
        let changes: [fn(&mut Stretching); 8] = [
            |how| how.memory_kib = u32::MAX,
            |how| how.memory_kib = 8,
            |how| how.passes = 0,
            |how| how.passes = 17,
            |how| how.lanes = 0,
            |how| how.lanes = u32::MAX,
            |how| how.algorithm = "md5".to_owned(),
            |how| how.salt.truncate(30),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut how = small();
            change(&mut how);
            let refused = how.stretch(&SecretText::from("x"));
            assert!(matches!(refused, Err(KeyError::Parameters)), "{number}");
        }
    }

    /// The vector of RFC 9106 has a secret and associated data, which slots have not. This one is of
    /// the reference implementation: `argon2 somesalt -id -t 2 -m 16 -p 1` of `password`.
    #[test]
    fn the_algorithm_is_the_published_one() {
        let params = Params::new(1 << 16, 2, 1, None).expect("parameters");
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"password", b"somesalt", &mut key)
            .expect("hashes");
        assert_eq!(
            hex::encode(key),
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        );
    }

    #[test]
    fn a_short_passphrase_is_refused_and_not_repeated() {
        let error = accept(&SecretText::from("hunter2")).expect_err("is short");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        accept(&SecretText::from("grüße an alle")).expect("is long enough");
    }
}
