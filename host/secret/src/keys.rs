//! The store's key, and the keys that open the slots in which it lies.
//!
//! The store's key is random. It lies in the store, wrapped in [slots](crate::slots). So the key that
//! a person handles can be changed, or joined by a second one, without sealing everything again.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::cipher::{KEY_LENGTH, Key, NoRandomness, random_key};
use crate::phrase::PhraseError;
use crate::{SecretBytes, SecretText};

/// Why a key could not be made, read or used. Never holds a part of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key file is not there.
    #[error("the key file {} is missing", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key file was to be made and is there already.
    #[error("the key file {} exists already", path.display())]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// Others than the owner may read or write the key file.
    #[error("the key file {} has mode {mode:04o}: others than its owner may use it", path.display())]
    Exposed {
        /// Where it is.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The text is no key.
    #[error("{place} holds no key: 64 hexadecimal digits, or base64 of 32 bytes, are expected")]
    NotAKey {
        /// Where the text came from.
        place: String,
    },
    /// The key opens none of the slots.
    #[error("{place} holds another key than the one that opens {slots} of this store")]
    OtherKey {
        /// Where the key came from.
        place: String,
        /// The slots that were tried.
        slots: String,
    },
    /// The passphrase, or the recovery phrase, opens none of the slots.
    #[error("{place} opens no slot of this store; opened so {slots}")]
    OpensNothing {
        /// What was given, and where it came from.
        place: String,
        /// The slots that were tried, or that there are none.
        slots: String,
    },
    /// The text is no recovery phrase. The words are not repeated.
    #[error("{place} is no recovery phrase: {reason}")]
    NotAPhrase {
        /// Where the text came from.
        place: String,
        /// What is wrong with it.
        reason: PhraseError,
    },
    /// The passphrase is too short to protect anything.
    #[error(
        "the passphrase has fewer than {} characters",
        crate::passphrase::SHORTEST
    )]
    ShortPassphrase,
    /// The slot says of itself what no slot of this program says.
    #[error("the slot asks for work that no slot of this program asks for")]
    Parameters,
    /// The slot that opened the store was removed since.
    #[error("the slot was removed while this process had the store open")]
    Removed,
    /// The service that unwraps the slot's key did not do so.
    #[error("{message}")]
    Service {
        /// The class of the failure, as a SQLSTATE.
        sqlstate: &'static str,
        /// What happened.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A service unwraps the slot's key, and none that was given does.
    #[error("a key management service unwraps its key, and the configuration names none that does")]
    NoService,
    /// The slots are opened with words of a person, and none were given.
    #[error("it is opened with what was printed or chosen when it was added, and none was given")]
    NoWords,
    /// The slot's key is given as text, and none was given.
    #[error("its key is given as text, and none was given")]
    NoText,
    /// The key file cannot be read or written.
    #[error("cannot use the key file {}: {source}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

impl KeyError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { path } => Some(format!(
                "Put the key that this store was made with back to {}.",
                path.display()
            )),
            Self::Exposed { path, .. } => Some(format!("Run: chmod 600 {}", path.display())),
            Self::NotAKey { .. } | Self::OtherKey { .. } => {
                Some("Give the key that this store was made with.".to_owned())
            }
            Self::NotAPhrase { reason, .. } => Some(reason.hint().to_owned()),
            Self::OpensNothing { slots, .. } if slots.starts_with("is none") => {
                Some("Leave out --unlock; portolan key add adds such a slot.".to_owned())
            }
            Self::OpensNothing { .. } => {
                Some("Give what was printed or chosen when such a slot was added.".to_owned())
            }
            Self::NoWords => Some(
                "Give it with --unlock recovery=SOURCE or --unlock passphrase=SOURCE.".to_owned(),
            ),
            Self::ShortPassphrase => Some("Take several words.".to_owned()),
            Self::Parameters => {
                Some("Open the store with another slot, and remove this one.".to_owned())
            }
            Self::Removed => Some("Start again, with the key of another slot.".to_owned()),
            Self::Service { hint, .. } => hint.clone(),
            Self::NoService => Some(
                "Name the key that the store was made with: kms below [master_key] in portolan.toml."
                    .to_owned(),
            ),
            Self::NoText => Some(
                "Give the key that the store was made with: in PORTOLAN_MASTER_KEY, or with --unlock \
                 text=SOURCE."
                    .to_owned(),
            ),
            Self::File { .. } => Some(
                "Check that the key file's directory is there, and who may use the two.".to_owned(),
            ),
            Self::Exists { .. } => Some("Name another file; a key is never replaced.".to_owned()),
            Self::NoRandomness => Some(
                "Look into the system's log, and try again once the system has started.".to_owned(),
            ),
        }
    }
}

impl From<NoRandomness> for KeyError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

/// The random key that everything in a store depends on.
#[derive(Clone)]
pub struct StoreKey {
    pub(crate) bytes: Key,
    pub(crate) sealing: Key,
    /// Ready to be cloned for each row, which saves the key's own two rounds.
    pub(crate) codes: Hmac<Sha256>,
}

impl StoreKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self::from_bytes(random_key()?))
    }

    pub(crate) fn from_bytes(bytes: Key) -> Self {
        let sealing = derive(&bytes, "portolan store key: sealing v1");
        let codes = keyed(&derive(&bytes, "portolan store key: row codes v1"));
        Self {
            bytes,
            sealing,
            codes,
        }
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoreKey(redacted)")
    }
}

/// The first block of HKDF-Expand (RFC 5869); the store's key is uniformly random, so there is
/// nothing to extract.
pub(crate) fn derive(key: &Key, purpose: &str) -> Key {
    let block = keyed(key)
        .chain_update(purpose)
        .chain_update([1])
        .finalize();
    Zeroizing::new(block.into_bytes().into())
}

fn keyed(key: &Key) -> Hmac<Sha256> {
    // HMAC fills a key up to a block of 64 bytes with zeros.
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY_LENGTH].copy_from_slice(key.as_slice());
    Hmac::new((&*block).into())
}

/// A key that opens a slot: what a person keeps.
#[derive(Clone)]
pub struct SlotKey(pub(crate) Key);

impl SlotKey {
    /// A new random key.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self(random_key()?))
    }

    /// Reads 64 hexadecimal digits or base64 of 32 bytes, white space around them ignored. `place`
    /// says in errors where the text came from.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_text(text: &SecretText, place: &str) -> Result<Self, KeyError> {
        let text = text.expose().trim();
        let mut key = Key::default();
        if hex::decode_to_slice(text, key.as_mut_slice()).is_ok() {
            return Ok(Self(key));
        }
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            if let Ok(bytes) = engine.decode(text).map(Zeroizing::new)
                && bytes.len() == KEY_LENGTH
            {
                key.copy_from_slice(&bytes);
                return Ok(Self(key));
            }
        }
        Err(KeyError::NotAKey {
            place: place.to_owned(),
        })
    }

    /// The key as 32 bytes, for a service to wrap.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes {
        SecretBytes::new(self.0.as_slice())
    }

    /// The key that [`Self::to_bytes`] gave, or nothing when these are not 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &SecretBytes) -> Option<Self> {
        crate::slots::to_key(bytes.expose()).map(Self)
    }

    /// The key as 64 hexadecimal digits, as [`Self::from_text`] reads it.
    #[must_use]
    pub fn to_text(&self) -> SecretText {
        SecretText::new(hex::encode(self.0.as_slice()))
    }
}

impl fmt::Debug for SlotKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SlotKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_hex_and_every_base64() {
        let key = SlotKey::generate().expect("random bytes");
        let bytes = key.0.as_slice();
        for text in [
            format!(" {}\n", hex::encode(bytes)),
            hex::encode_upper(bytes),
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
        ] {
            let read = SlotKey::from_text(&SecretText::new(text), "a test").expect("is a key");
            assert_eq!(read.0, key.0);
        }
    }

    #[test]
    fn text_of_another_length_is_no_key_and_is_not_repeated() {
        for text in [
            "",
            "hunter2",
            &"ab".repeat(31),
            &"ab".repeat(33),
            &"zz".repeat(32),
        ] {
            let error = SlotKey::from_text(&SecretText::from(text), "PORTOLAN_MASTER_KEY")
                .expect_err("is no key");
            assert!(
                error
                    .to_string()
                    .starts_with("PORTOLAN_MASTER_KEY holds no key")
            );
            assert!(text.is_empty() || !format!("{error} {error:?}").contains(text));
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let store = StoreKey::generate().expect("random bytes");
        let key = SlotKey::generate().expect("random bytes");
        assert_eq!(
            format!("{store:?} {key:?}"),
            "StoreKey(redacted) SlotKey(redacted)"
        );
    }
}
