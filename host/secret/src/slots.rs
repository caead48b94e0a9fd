//! Slots: the store's key, wrapped for each key that may open the store.
//!
//! A slot's key opens its slot, and nothing else does. Yet a new store key must find its way into
//! every slot while the keys of most of them are out of reach: a phrase on paper, a passphrase in
//! somebody's head. So a slot is a recipient of HPKE (RFC 9180): its public key is kept beside it, and
//! wrapping needs that alone. Wrapping also needs a secret of the slot that lies sealed under the
//! store's key (`mode_psk`); without it whoever can write the file could wrap a store key of his own,
//! and have every slot open a store that he made up.

use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, PskBundle, Serializable as _};
use zeroize::Zeroizing;

use crate::cipher::{Bound, KEY_LENGTH, Key, decrypt, encrypt};
use crate::keys::{KeyError, SlotKey, StoreKey, derive};

type Exchange = X25519HkdfSha256;
type PrivateKey = <Exchange as Kem>::PrivateKey;
type PublicKey = <Exchange as Kem>::PublicKey;
type Encapsulated = <Exchange as Kem>::EncappedKey;

/// Names the secret that wrapping needs, as RFC 9180 wants it named.
const PROOF_ID: &[u8] = b"portolan key slot proof v1";

/// What kind of key opens a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotKind {
    /// A file with a random key.
    KeyFile,
    /// Text from the environment or the embedding program.
    Text,
    /// A phrase that was printed once.
    Recovery,
    /// A passphrase of somebody's choice.
    Passphrase,
    /// A random key that a key management service unwraps.
    Kms,
    /// One that this version does not know.
    Other(String),
}

impl SlotKind {
    const KNOWN: [Self; 5] = [
        Self::KeyFile,
        Self::Text,
        Self::Recovery,
        Self::Passphrase,
        Self::Kms,
    ];

    /// The word that is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::KeyFile => "key-file",
            Self::Text => "text",
            Self::Recovery => "recovery",
            Self::Passphrase => "passphrase",
            Self::Kms => "kms",
            Self::Other(kind) => kind,
        }
    }

    /// The kind that [`Self::as_str`] gives this text for.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|kind| kind.as_str() == name);
        known.unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

/// What a slot says of itself. All of it is bound to what the slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotHead {
    /// The store that the slot belongs to.
    pub catalog: [u8; 16],
    /// Its number, from 1. Never given twice.
    pub id: u32,
    /// What opens it.
    pub kind: SlotKind,
    /// What people call it.
    pub label: String,
    /// When it was added, in microseconds since 1970.
    pub created: i64,
    /// What it takes besides the key itself, in the words of its kind. Not secret.
    pub parameters: String,
}

impl SlotHead {
    fn bound(&self, purpose: &str, generation: u32) -> Bound {
        Bound::to(purpose)
            .field(&self.catalog)
            .field(&self.id.to_be_bytes())
            .field(self.kind.as_str().as_bytes())
            .field(self.label.as_bytes())
            .field(&self.created.to_be_bytes())
            .field(self.parameters.as_bytes())
            .field(&generation.to_be_bytes())
    }
}

/// The store's key of one generation, wrapped. Useless without the slot's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySlot {
    /// What the slot says of itself.
    pub head: SlotHead,
    /// The public key that belongs to the slot's key.
    pub recipient: Vec<u8>,
    /// The secret that wrapping needs, under the store's key.
    pub proof: Vec<u8>,
    /// The store's key: what HPKE encapsulated, and the ciphertext.
    pub wrapped: Vec<u8>,
}

/// How trying a key on a slot ended.
#[derive(Debug)]
pub enum Tried {
    /// It is the slot's key, and this is the store's.
    Opened(Box<StoreKey>),
    /// It is the key of another slot, or of none.
    NotItsKey,
    /// It is the slot's key, but the slot is not as it was written.
    NotAuthentic,
}

impl KeySlot {
    /// Makes a slot that `key` opens, with the store's key of this generation in it.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn new(
        head: SlotHead,
        key: &SlotKey,
        store: &StoreKey,
        generation: u32,
    ) -> Result<Self, KeyError> {
        let (_, recipient) = key_pair(key);
        let mut slot = Self {
            head,
            recipient: recipient.to_bytes().to_vec(),
            proof: Vec::new(),
            wrapped: Vec::new(),
        };
        slot.fill(&recipient, &proof_of(key), store, generation)?;
        Ok(slot)
    }

    /// Puts a newer store key into the slot, for which its own key is not needed. `from` is the store
    /// key that is in it.
    ///
    /// # Errors
    /// Nothing inside when the slot is not as it was written; [`KeyError::NoRandomness`].
    pub fn refill(
        &self,
        from: (&StoreKey, u32),
        to: (&StoreKey, u32),
    ) -> Result<Option<Self>, KeyError> {
        let bound = self.head.bound(PROOF, from.1);
        let Some(proof) = decrypt(&from.0.sealing, &bound, &self.proof).and_then(|it| to_key(&it))
        else {
            return Ok(None);
        };
        let Ok(recipient) = PublicKey::from_bytes(&self.recipient) else {
            return Ok(None);
        };
        let mut slot = self.clone();
        slot.fill(&recipient, &proof, to.0, to.1)?;
        Ok(Some(slot))
    }

    fn fill(
        &mut self,
        recipient: &PublicKey,
        proof: &Key,
        store: &StoreKey,
        generation: u32,
    ) -> Result<(), KeyError> {
        // HPKE's own source of randomness ends the process where there is none.
        getrandom::fill(&mut [0; 32]).map_err(|_| KeyError::NoRandomness)?;
        let psk = PskBundle::new(proof.as_slice(), PROOF_ID).map_err(|_| KeyError::NoRandomness)?;
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Exchange>(
                &OpModeS::Psk(psk),
                recipient,
                self.head.bound(SLOT, generation).as_bytes(),
                store.bytes.as_slice(),
                &[],
            )
            .map_err(|_| KeyError::NoRandomness)?;
        self.wrapped = encapsulated.to_bytes().to_vec();
        self.wrapped.extend_from_slice(&ciphertext);
        let bound = self.head.bound(PROOF, generation);
        self.proof = encrypt(&store.sealing, &bound, proof.as_slice())?;
        Ok(())
    }

    /// Tries a key on a slot that holds the store's key of this generation.
    #[must_use]
    pub fn open(&self, key: &SlotKey, generation: u32) -> Tried {
        let (private, public) = key_pair(key);
        match self.unwrap(key, &private, generation) {
            Some(store) => Tried::Opened(Box::new(store)),
            None if self.recipient == public.to_bytes().as_slice() => Tried::NotAuthentic,
            None => Tried::NotItsKey,
        }
    }

    fn unwrap(&self, key: &SlotKey, private: &PrivateKey, generation: u32) -> Option<StoreKey> {
        let (encapsulated, ciphertext) = self.wrapped.split_at_checked(KEY_LENGTH)?;
        let encapsulated = Encapsulated::from_bytes(encapsulated).ok()?;
        let proof = proof_of(key);
        let psk = PskBundle::new(proof.as_slice(), PROOF_ID).ok()?;
        let bytes = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Exchange>(
            &OpModeR::Psk(psk),
            private,
            &encapsulated,
            self.head.bound(SLOT, generation).as_bytes(),
            ciphertext,
            &[],
        )
        .map(Zeroizing::new)
        .ok()?;
        to_key(&bytes).map(StoreKey::from_bytes)
    }

    /// Whether this is the key that the slot was made for, whatever became of the slot since.
    #[must_use]
    pub fn is_for(&self, key: &SlotKey) -> bool {
        self.recipient == key_pair(key).1.to_bytes().as_slice()
    }
}

const SLOT: &str = "portolan key slot v2";
const PROOF: &str = "portolan key slot proof v2";

/// Opens a slot of the first format, as stores had it before there could be several.
#[must_use]
pub fn open_first_format(
    catalog: &[u8; 16],
    id: u32,
    kind: &SlotKind,
    wrapped: &[u8],
    key: &SlotKey,
) -> Option<StoreKey> {
    let bound = Bound::to("portolan key slot v1")
        .field(catalog)
        .field(&id.to_be_bytes())
        .field(kind.as_str().as_bytes());
    let bytes = decrypt(&key.0, &bound, wrapped)?;
    to_key(&bytes).map(StoreKey::from_bytes)
}

impl fmt::Display for SlotHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key slot {} ({})", self.id, self.kind.as_str())
    }
}

fn key_pair(key: &SlotKey) -> (PrivateKey, PublicKey) {
    Exchange::derive_keypair(derive(&key.0, "portolan slot key: recipient v1").as_slice())
}

/// The secret that wrapping needs. Whoever has the slot's key, or the store's, has it.
fn proof_of(key: &SlotKey) -> Key {
    derive(&key.0, "portolan slot key: proof v1")
}

pub(crate) fn to_key(bytes: &[u8]) -> Option<Key> {
    let bytes: &[u8; KEY_LENGTH] = bytes.try_into().ok()?;
    Some(Zeroizing::new(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> SlotHead {
        SlotHead {
            catalog: [7; 16],
            id: 1,
            kind: SlotKind::KeyFile,
            label: "first".to_owned(),
            created: 5,
            parameters: String::new(),
        }
    }

    fn store() -> StoreKey {
        StoreKey::generate().expect("random bytes")
    }

    fn key() -> SlotKey {
        SlotKey::generate().expect("random bytes")
    }

    fn opened(slot: &KeySlot, key: &SlotKey, generation: u32) -> Option<Key> {
        match slot.open(key, generation) {
            Tried::Opened(store) => Some(store.bytes),
            _ => None,
        }
    }

    #[test]
    fn a_slot_opens_with_its_own_key_alone() {
        let (store, key) = (store(), key());
        let slot = KeySlot::new(head(), &key, &store, 1).expect("wraps");
        assert_eq!(opened(&slot, &key, 1), Some(store.bytes.clone()));
        let other = SlotKey::generate().expect("random bytes");
        assert!(matches!(slot.open(&other, 1), Tried::NotItsKey));
        assert!(slot.is_for(&key) && !slot.is_for(&other));
    }

    #[test]
    fn a_slot_that_was_changed_or_moved_does_not_open() {
        let (store, key) = (store(), key());
        let slot = KeySlot::new(head(), &key, &store, 1).expect("wraps");
        let heads: [fn(&mut SlotHead); 6] = [
            |head| head.catalog = [8; 16],
            |head| head.id = 2,
            |head| head.kind = SlotKind::Text,
            |head| head.label.push('x'),
            |head| head.created += 1,
            |head| head.parameters.push('x'),
        ];
        for (number, change) in heads.iter().enumerate() {
            let mut changed = slot.clone();
            change(&mut changed.head);
            let tried = changed.open(&key, 1);
            assert!(matches!(tried, Tried::NotAuthentic), "change {number}");
        }
        for at in 0..slot.wrapped.len() {
            let mut changed = slot.clone();
            changed.wrapped[at] ^= 1;
            let tried = changed.open(&key, 1);
            assert!(matches!(tried, Tried::NotAuthentic), "byte {at}");
            changed.wrapped.truncate(at);
            assert!(matches!(changed.open(&key, 1), Tried::NotAuthentic));
        }
        assert!(matches!(slot.open(&key, 2), Tried::NotAuthentic));
    }

    #[test]
    fn a_newer_store_key_reaches_a_slot_whose_key_is_not_there() {
        let (old, new, key) = (store(), store(), key());
        let slot = KeySlot::new(head(), &key, &old, 1).expect("wraps");
        let refilled = slot.refill((&old, 1), (&new, 2)).expect("random bytes");
        let refilled = refilled.expect("is as it was written");
        assert_eq!(opened(&refilled, &key, 2), Some(new.bytes.clone()));
        assert_eq!(opened(&refilled, &key, 1), None);
        let third = store();
        let again = refilled.refill((&new, 2), (&third, 3)).expect("random");
        assert_eq!(
            opened(&again.expect("as it was written"), &key, 3),
            Some(third.bytes)
        );
    }

    #[test]
    fn whoever_lacks_the_store_key_cannot_fill_a_slot() {
        let (store, forged, key) = (store(), store(), key());
        let slot = KeySlot::new(head(), &key, &store, 1).expect("wraps");
        let refilled = slot.refill((&forged, 1), (&forged, 2)).expect("random");
        assert!(refilled.is_none(), "the proof does not open");
        // The public key is there for all to see; the proof has to be guessed.
        let mut made_up = slot.clone();
        let recipient = PublicKey::from_bytes(&slot.recipient).expect("a key");
        let guess = Key::default();
        made_up
            .fill(&recipient, &guess, &forged, 1)
            .expect("random bytes");
        assert!(matches!(made_up.open(&key, 1), Tried::NotAuthentic));
    }

    #[test]
    fn the_old_store_key_does_not_open_what_holds_the_new_one() {
        let (old, new, key) = (store(), store(), key());
        let slot = KeySlot::new(head(), &key, &old, 1).expect("wraps");
        let refilled = slot.refill((&old, 1), (&new, 2)).expect("random bytes");
        let refilled = refilled.expect("is as it was written");
        let again = refilled.refill((&old, 2), (&old, 3)).expect("random");
        assert!(again.is_none());
    }

    #[test]
    fn kinds_are_kept_as_text_also_unknown_ones() {
        for kind in SlotKind::KNOWN
            .into_iter()
            .chain([SlotKind::Other("quorum".to_owned())])
        {
            assert_eq!(SlotKind::from_name(kind.as_str()), kind);
        }
    }

    #[test]
    fn a_slot_of_the_first_format_opens_with_its_key_in_its_place() {
        let (store, key) = (store(), key());
        let bound = Bound::to("portolan key slot v1")
            .field(&[7; 16])
            .field(&1_u32.to_be_bytes())
            .field(b"key-file");
        let wrapped = encrypt(&key.0, &bound, store.bytes.as_slice()).expect("seals");
        let open = |id, key| open_first_format(&[7; 16], id, &SlotKind::KeyFile, &wrapped, key);
        assert_eq!(open(1, &key).map(|it| it.bytes), Some(store.bytes));
        assert!(open(2, &key).is_none());
        let other = SlotKey::generate().expect("random bytes");
        assert!(open(1, &other).is_none());
    }
}
