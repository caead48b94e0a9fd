//! The store's key, the slots that hold it and the keys that open them.
//!
//! The store's key is random and never changes. It lies in the store, wrapped under the key of a
//! slot. So the key that a person handles can be changed, or joined by a second one, without
//! sealing everything again.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::SecretText;
use crate::cipher::{Bound, KEY_LENGTH, Key, NoRandomness, decrypt, encrypt, random_key};

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
                "Put the key that this store was made with back to {}. Without it nothing that is sealed can be opened.",
                path.display()
            )),
            Self::Exposed { path, .. } => Some(format!("Run: chmod 600 {}", path.display())),
            Self::NotAKey { .. } | Self::OtherKey { .. } => {
                Some("Give the key that this store was made with.".to_owned())
            }
            Self::File { .. } | Self::Exists { .. } | Self::NoRandomness => None,
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
    bytes: Key,
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

    fn from_bytes(bytes: Key) -> Self {
        let sealing = derive(&bytes, "portolan store key: sealing v1");
        let codes = keyed(&derive(&bytes, "portolan store key: row codes v1"));
        Self {
            bytes,
            sealing,
            codes,
        }
    }

    /// Puts this key into a slot of the store called `catalog`, which `key` opens.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn wrap(
        &self,
        catalog: &[u8; 16],
        id: u32,
        kind: SlotKind,
        key: &SlotKey,
    ) -> Result<KeySlot, KeyError> {
        let bound = slot_bound(catalog, id, &kind);
        let wrapped = encrypt(&key.0, &bound, self.bytes.as_slice())?;
        Ok(KeySlot { id, kind, wrapped })
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoreKey(redacted)")
    }
}

/// The first block of HKDF-Expand (RFC 5869); the store's key is uniformly random, so there is
/// nothing to extract.
fn derive(key: &Key, purpose: &str) -> Key {
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

/// What kind of key opens a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotKind {
    /// A file with a random key.
    KeyFile,
    /// Text from the environment or the embedding program.
    Text,
    /// One that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl SlotKind {
    /// The word that is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::KeyFile => "key-file",
            Self::Text => "text",
            Self::Other(kind) => kind,
        }
    }

    /// The kind that [`Self::as_str`] gives this text for.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "key-file" => Self::KeyFile,
            "text" => Self::Text,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// The store's key, wrapped. Stored next to what it opens; useless without the slot's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySlot {
    /// Its number, from 1.
    pub id: u32,
    /// What opens it.
    pub kind: SlotKind,
    /// The store's key under the slot's key.
    pub wrapped: Vec<u8>,
}

impl KeySlot {
    /// Opens the slot, if `key` is its key and `catalog` its store.
    #[must_use]
    pub fn open(&self, catalog: &[u8; 16], key: &SlotKey) -> Option<StoreKey> {
        let bytes = decrypt(
            &key.0,
            &slot_bound(catalog, self.id, &self.kind),
            &self.wrapped,
        )?;
        let bytes = <&[u8; KEY_LENGTH]>::try_from(bytes.as_slice()).ok()?;
        Some(StoreKey::from_bytes(Zeroizing::new(*bytes)))
    }

    /// Opens the first of `slots` that `key` fits. `place` says in errors where the key came from.
    ///
    /// # Errors
    /// [`KeyError::OtherKey`], naming the slots.
    pub fn open_any(
        slots: &[Self],
        catalog: &[u8; 16],
        key: &SlotKey,
        place: &str,
    ) -> Result<StoreKey, KeyError> {
        slots
            .iter()
            .find_map(|slot| slot.open(catalog, key))
            .ok_or_else(|| {
                let slots: Vec<String> = slots.iter().map(ToString::to_string).collect();
                KeyError::OtherKey {
                    place: place.to_owned(),
                    slots: slots.join(" or "),
                }
            })
    }
}

impl fmt::Display for KeySlot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key slot {} ({})", self.id, self.kind.as_str())
    }
}

fn slot_bound(catalog: &[u8; 16], id: u32, kind: &SlotKind) -> Bound {
    Bound::to("portolan key slot v1")
        .field(catalog)
        .field(&id.to_be_bytes())
        .field(kind.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: [u8; 16] = [7; 16];

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
    fn a_slot_opens_only_with_its_own_key_in_its_own_store() {
        let store = StoreKey::generate().expect("random bytes");
        let (key, other) = (
            SlotKey::generate().expect("key"),
            SlotKey::generate().expect("key"),
        );
        let slot = store
            .wrap(&CATALOG, 1, SlotKind::KeyFile, &key)
            .expect("wraps");
        let opened = slot.open(&CATALOG, &key).expect("opens");
        assert_eq!(opened.bytes, store.bytes);
        assert!(slot.open(&[8; 16], &key).is_none());
        let renumbered = KeySlot {
            id: 2,
            ..slot.clone()
        };
        assert!(renumbered.open(&CATALOG, &key).is_none());
        let error =
            KeySlot::open_any(&[slot], &CATALOG, &other, "the key file k").expect_err("other");
        assert_eq!(
            error.to_string(),
            "the key file k holds another key than the one that opens key slot 1 (key-file) of this store"
        );
    }

    #[test]
    fn any_one_of_several_slots_is_enough() {
        let store = StoreKey::generate().expect("random bytes");
        let keys = [
            SlotKey::generate().expect("key"),
            SlotKey::generate().expect("key"),
        ];
        let slots = [
            store
                .wrap(&CATALOG, 1, SlotKind::KeyFile, &keys[0])
                .expect("wraps"),
            store
                .wrap(&CATALOG, 2, SlotKind::Text, &keys[1])
                .expect("wraps"),
        ];
        for key in &keys {
            let opened = KeySlot::open_any(&slots, &CATALOG, key, "a test").expect("opens");
            assert_eq!(opened.bytes, store.bytes);
        }
    }

    #[test]
    fn slots_are_kept_as_text_also_of_an_unknown_kind() {
        for kind in [
            SlotKind::KeyFile,
            SlotKind::Text,
            SlotKind::Other("kms".into()),
        ] {
            let slot = KeySlot {
                id: 3,
                kind: kind.clone(),
                wrapped: vec![1, 2],
            };
            let text = serde_json::to_string(&slot).expect("serialises");
            assert!(text.contains(kind.as_str()), "{text}");
            assert_eq!(
                serde_json::from_str::<KeySlot>(&text).expect("reads back"),
                slot
            );
            assert_eq!(SlotKind::from_name(kind.as_str()), kind);
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
