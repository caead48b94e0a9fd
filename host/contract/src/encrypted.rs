//! What a key makes of a plaintext.

use crate::strip_controls;

/// The most bytes of a plaintext that a key is asked to encrypt: a data key, not data.
pub const MAX_PLAINTEXT: usize = 4 << 10;
/// The most bytes of a ciphertext.
pub const MAX_CIPHERTEXT: usize = 64 << 10;
/// The most bytes of a key's name, and of its version.
pub const MAX_KEY_NAME: usize = 2 << 10;

/// A ciphertext, and the key that made it, as the service itself names the two: what a later
/// decryption needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// At most [`MAX_CIPHERTEXT`].
    pub ciphertext: Vec<u8>,
    /// The key as the service names it, at most [`MAX_KEY_NAME`].
    pub key: String,
    /// The version of the key, where the service names one.
    pub key_version: Option<String>,
}

impl Encrypted {
    /// Holds what a provider or a file says to the contract's bounds.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, as the end of a sentence: "a ciphertext without a byte".
    pub fn check(&self) -> Result<(), &'static str> {
        match self.ciphertext.len() {
            0 => return Err("a ciphertext without a byte"),
            1..=MAX_CIPHERTEXT => {}
            _ => return Err("a ciphertext of more than 64 KiB"),
        }
        for name in [Some(&self.key), self.key_version.as_ref()] {
            let Some(name) = name else { continue };
            if name.is_empty() {
                return Err("a key, or a version of it, without a name");
            }
            if name.len() > MAX_KEY_NAME {
                return Err("a key, or a version of it, whose name has more than 2 KiB");
            }
            if strip_controls(name, usize::MAX) != *name {
                return Err("a key, or a version of it, whose name holds what cannot be seen");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(ciphertext: usize, key: &str, version: Option<&str>) -> Encrypted {
        Encrypted {
            ciphertext: vec![0; ciphertext],
            key: key.to_owned(),
            key_version: version.map(str::to_owned),
        }
    }

    #[test]
    fn what_a_key_answers_is_bounded_and_can_be_shown() {
        for good in [
            encrypted(1, "k", None),
            encrypted(MAX_CIPHERTEXT, &"k".repeat(MAX_KEY_NAME), Some("1")),
        ] {
            assert_eq!(good.check(), Ok(()));
        }
        for (bad, words) in [
            (encrypted(0, "k", None), "without a byte"),
            (encrypted(MAX_CIPHERTEXT + 1, "k", None), "64 KiB"),
            (encrypted(1, "", None), "without a name"),
            (encrypted(1, "k", Some("")), "without a name"),
            (encrypted(1, &"k".repeat(MAX_KEY_NAME + 1), None), "2 KiB"),
            (encrypted(1, "k", Some("1\n")), "cannot be seen"),
            (encrypted(1, "k\u{1b}[2J", None), "cannot be seen"),
        ] {
            let wrong = bad.check().expect_err("it is wrong");
            assert!(wrong.contains(words), "{wrong}");
        }
    }
}
