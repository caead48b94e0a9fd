//! The generations of a store's key that are in use.
//!
//! Usually there is one. While a store gets a new key, rows lie under the old key and the new one at
//! the same time, and each says which: what generation 1 made stands as it is, and what a later one
//! made has the generation's number before it.

use std::collections::BTreeMap;
use std::fmt;

use crate::cipher::{Bound, decrypt, encrypt};
use crate::keys::{KeyError, StoreKey};
use crate::mac::{CODE_LENGTH, RowCode};
use crate::seal::{RowIdentity, RowKey, SealError};
use crate::slots::to_key;

/// Bytes of a generation's number before what it made.
const MARK: usize = 4;

/// The keys of a store by generation, counted from 1. What is written is under the newest.
#[derive(Clone)]
pub struct KeyRing {
    newest: u32,
    keys: BTreeMap<u32, StoreKey>,
}

impl KeyRing {
    /// A ring whose newest key is of this generation.
    #[must_use]
    pub fn new(generation: u32, key: StoreKey) -> Self {
        Self {
            newest: generation,
            keys: BTreeMap::from([(generation, key)]),
        }
    }

    /// The newest generation.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.newest
    }

    /// The oldest generation that is in the ring.
    #[must_use]
    pub fn oldest(&self) -> u32 {
        self.keys.keys().next().copied().unwrap_or(self.newest)
    }

    /// The key of the newest generation.
    #[must_use]
    pub fn key(&self) -> &StoreKey {
        &self.keys[&self.newest]
    }

    /// The same ring with a newer key, under which everything is written from here on.
    #[must_use]
    pub fn with_newer(&self, key: StoreKey) -> Self {
        let mut ring = self.clone();
        ring.newest += 1;
        ring.keys.insert(ring.newest, key);
        ring
    }

    /// Every generation but the newest, sealed under that one, to lie in the store called `catalog`
    /// for as long as anything depends on it.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn sealed_older(&self, catalog: &[u8; 16]) -> Result<Vec<(u32, Vec<u8>)>, KeyError> {
        let older = self.keys.range(..self.newest);
        older
            .map(|(generation, key)| {
                let bound = self.older(catalog, *generation);
                let sealed = encrypt(&self.key().sealing, &bound, key.bytes.as_slice())?;
                Ok((*generation, sealed))
            })
            .collect()
    }

    /// Adds an older generation, as [`Self::sealed_older`] gave it. Says whether it was that.
    pub fn add_older(&mut self, catalog: &[u8; 16], generation: u32, sealed: &[u8]) -> bool {
        let bound = self.older(catalog, generation);
        let opened = decrypt(&self.key().sealing, &bound, sealed).and_then(|it| to_key(&it));
        match opened {
            Some(key) if generation < self.newest => {
                self.keys.insert(generation, StoreKey::from_bytes(key));
                true
            }
            _ => false,
        }
    }

    fn older(&self, catalog: &[u8; 16], generation: u32) -> Bound {
        Bound::to("portolan older store key v1")
            .field(catalog)
            .field(&generation.to_be_bytes())
            .field(&self.newest.to_be_bytes())
    }

    /// The code of a row of `table` in the store called `catalog`, over what `fields` adds.
    #[must_use]
    pub fn code(
        &self,
        catalog: &[u8; 16],
        table: &str,
        fields: impl FnOnce(RowCode) -> RowCode,
    ) -> Vec<u8> {
        let code = fields(self.key().row_code(catalog, table)).finish();
        marked(self.newest, code.to_vec())
    }

    /// Whether `code` is what [`Self::code`] gives, or gave under an older key that is still in use.
    #[must_use]
    pub fn verify(
        &self,
        catalog: &[u8; 16],
        table: &str,
        code: &[u8],
        fields: impl FnOnce(RowCode) -> RowCode,
    ) -> bool {
        let (generation, code) = match code.len() {
            CODE_LENGTH => (1, code),
            _ => match split(code) {
                Some(parts) => parts,
                None => return false,
            },
        };
        let key = self.keys.get(&generation);
        key.is_some_and(|key| fields(key.row_code(catalog, table)).verify(code))
    }

    /// A key for one version of a row, and the same key wrapped, to be stored with the row.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn new_row_key(&self, row: RowIdentity) -> Result<(RowKey, Vec<u8>), SealError> {
        let (key, wrapped) = self.key().new_row_key(row)?;
        Ok((key, marked(self.newest, wrapped)))
    }

    /// The row key that [`Self::new_row_key`] wrapped for this row.
    ///
    /// # Errors
    /// [`SealError::NotAuthentic`].
    pub fn open_row_key(&self, row: RowIdentity, wrapped: &[u8]) -> Result<RowKey, SealError> {
        // What is sealed begins with its format, which is no 0; a number begins with one.
        let (generation, wrapped) = match wrapped.first() {
            Some(0) => split(wrapped).ok_or(SealError::NotAuthentic)?,
            _ => (1, wrapped),
        };
        let key = self.keys.get(&generation).ok_or(SealError::NotAuthentic)?;
        key.open_row_key(row, wrapped)
    }

    /// The same row key wrapped under the newest key.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn wrap_again(&self, row: RowIdentity, wrapped: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.open_row_key(row, wrapped)?;
        Ok(marked(self.newest, self.key().wrap_row_key(&key)?))
    }

    /// What stands before everything that the newest generation made; nothing for the first.
    #[must_use]
    pub fn mark(&self) -> Vec<u8> {
        marked(self.newest, Vec::new())
    }
}

fn marked(generation: u32, bytes: Vec<u8>) -> Vec<u8> {
    if generation == 1 {
        return bytes;
    }
    let mut all = generation.to_be_bytes().to_vec();
    all.extend(bytes);
    all
}

fn split(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (mark, rest) = bytes.split_first_chunk::<MARK>()?;
    let generation = u32::from_be_bytes(*mark);
    (generation > 1).then_some((generation, rest))
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "KeyRing(generations {} to {})",
            self.oldest(),
            self.newest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: [u8; 16] = [7; 16];
    const ROW: RowIdentity = RowIdentity {
        catalog: CATALOG,
        row: [2; 16],
        version: 3,
    };

    fn key() -> StoreKey {
        StoreKey::generate().expect("random bytes")
    }

    #[test]
    fn a_row_of_an_older_generation_is_read_for_as_long_as_its_key_is_there() {
        let old = KeyRing::new(1, key());
        let code = old.code(&CATALOG, "t", |code| code.text("a"));
        let (row_key, wrapped) = old.new_row_key(ROW).expect("makes a key");
        let sealed = row_key.seal("uri", b"x").expect("seals");
        assert_eq!(code.len(), CODE_LENGTH, "as it always was");
        let both = old.with_newer(key());
        let newest = KeyRing::new(2, both.key().clone());
        for (ring, reads) in [(&old, true), (&both, true), (&newest, false)] {
            let verified = ring.verify(&CATALOG, "t", &code, |code| code.text("a"));
            assert_eq!(verified, reads, "{ring:?}");
            let opened = ring.open_row_key(ROW, &wrapped);
            assert_eq!(
                opened.and_then(|key| key.open("uri", &sealed)).is_ok(),
                reads
            );
        }
        let again = both.wrap_again(ROW, &wrapped).expect("wraps");
        let opened = newest.open_row_key(ROW, &again).expect("opens");
        assert_eq!(opened.open("uri", &sealed).expect("opens").expose(), b"x");
        let code = both.code(&CATALOG, "t", |code| code.text("a"));
        assert!(code.starts_with(&both.mark()));
        assert!(newest.verify(&CATALOG, "t", &code, |code| code.text("a")));
        assert!(!newest.verify(&CATALOG, "t", &code, |code| code.text("b")));
        assert!(!old.verify(&CATALOG, "t", &code, |code| code.text("a")));
    }

    #[test]
    fn older_keys_lie_sealed_under_the_newest() {
        let ring = KeyRing::new(1, key()).with_newer(key()).with_newer(key());
        let sealed = ring.sealed_older(&CATALOG).expect("seals");
        assert_eq!(sealed.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2]);
        let mut again = KeyRing::new(3, ring.key().clone());
        assert!(!again.add_older(&[8; 16], 1, &sealed[0].1), "other store");
        assert!(!again.add_older(&CATALOG, 2, &sealed[0].1), "other number");
        assert!(!again.add_older(&CATALOG, 1, &sealed[1].1), "swapped");
        for (generation, sealed) in &sealed {
            assert!(again.add_older(&CATALOG, *generation, sealed));
        }
        assert_eq!((again.oldest(), again.generation()), (1, 3));
        let mut other = KeyRing::new(3, key());
        assert!(!other.add_older(&CATALOG, 1, &sealed[0].1));
    }

    #[test]
    fn a_mark_cannot_be_taken_off_or_made_up() {
        let ring = KeyRing::new(1, key()).with_newer(key());
        let code = ring.code(&CATALOG, "t", |code| code);
        assert!(!ring.verify(&CATALOG, "t", &code[MARK..], |code| code));
        for mark in [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 3]] {
            let mut changed = code.clone();
            changed[..MARK].copy_from_slice(&mark);
            assert!(!ring.verify(&CATALOG, "t", &changed, |code| code));
        }
        let (_, wrapped) = ring.new_row_key(ROW).expect("makes a key");
        assert!(ring.open_row_key(ROW, &wrapped).is_ok());
        assert!(ring.open_row_key(ROW, &wrapped[MARK..]).is_err());
        assert!(ring.open_row_key(ROW, &[]).is_err());
    }

    #[test]
    fn debug_shows_no_key() {
        let ring = KeyRing::new(1, key()).with_newer(key());
        assert_eq!(format!("{ring:?}"), "KeyRing(generations 1 to 2)");
    }
}
