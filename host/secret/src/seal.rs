//! Sealing the secret columns of one row.
//!
//! Each version of a row has a random key of its own, which lies next to it, wrapped under the
//! store's key. So the store's key itself seals little, and a row key that is deleted with its row
//! makes old copies of the sealed columns worthless.

use std::fmt;

use crate::SecretBytes;
use crate::cipher::{Bound, KEY_LENGTH, Key, NoRandomness, decrypt, encrypt, random_key};
use crate::keys::StoreKey;

/// Why something was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed for another row, version, column or store, or changed since.
    #[error("what is sealed is not authentic")]
    NotAuthentic,
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

impl From<NoRandomness> for SealError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

/// Which row something is sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowIdentity {
    /// The catalog.
    pub catalog: [u8; 16],
    /// The row's own id.
    pub row: [u8; 16],
    /// The version of the row.
    pub version: u64,
}

impl RowIdentity {
    fn bound(&self, purpose: &str) -> Bound {
        Bound::to(purpose)
            .field(&self.catalog)
            .field(&self.row)
            .field(&self.version.to_be_bytes())
    }
}

impl StoreKey {
    /// A key for one version of a row, and the same key wrapped, to be stored with the row.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn new_row_key(&self, row: RowIdentity) -> Result<(RowKey, Vec<u8>), SealError> {
        let key = RowKey {
            key: random_key()?,
            row,
        };
        let wrapped = self.wrap_row_key(&key)?;
        Ok((key, wrapped))
    }

    /// Wraps the key of a version of a row, to be stored with the row.
    pub(crate) fn wrap_row_key(&self, key: &RowKey) -> Result<Vec<u8>, SealError> {
        let bound = key.row.bound(ROW_KEY);
        Ok(encrypt(&self.sealing, &bound, key.key.as_slice())?)
    }

    /// The row key that [`Self::new_row_key`] wrapped for this row.
    ///
    /// # Errors
    /// [`SealError::NotAuthentic`].
    pub fn open_row_key(&self, row: RowIdentity, wrapped: &[u8]) -> Result<RowKey, SealError> {
        let bytes =
            decrypt(&self.sealing, &row.bound(ROW_KEY), wrapped).ok_or(SealError::NotAuthentic)?;
        let bytes =
            <&[u8; KEY_LENGTH]>::try_from(bytes.as_slice()).map_err(|_| SealError::NotAuthentic)?;
        Ok(RowKey {
            key: Key::new(*bytes),
            row,
        })
    }
}

const ROW_KEY: &str = "portolan row key v1";
const COLUMN: &str = "portolan column v1";

/// Seals and opens the columns of one version of a row.
pub struct RowKey {
    key: Key,
    row: RowIdentity,
}

impl RowKey {
    /// Seals the value of `column`.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, column: &str, value: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(encrypt(
            &self.key,
            &self.row.bound(COLUMN).field(column.as_bytes()),
            value,
        )?)
    }

    /// Opens what [`Self::seal`] made for the same row, version and column.
    ///
    /// # Errors
    /// [`SealError::NotAuthentic`].
    pub fn open(&self, column: &str, sealed: &[u8]) -> Result<SecretBytes, SealError> {
        decrypt(
            &self.key,
            &self.row.bound(COLUMN).field(column.as_bytes()),
            sealed,
        )
        .map(|mut plaintext| SecretBytes::new(std::mem::take(&mut *plaintext)))
        .ok_or(SealError::NotAuthentic)
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RowKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: RowIdentity = RowIdentity {
        catalog: [1; 16],
        row: [2; 16],
        version: 3,
    };

    #[test]
    fn a_column_opens_in_its_own_place_only() {
        let store = StoreKey::generate().expect("random bytes");
        let (key, wrapped) = store.new_row_key(ROW).expect("makes a key");
        let sealed = key.seal("uri", b"s3://bucket?SECRET").expect("seals");
        let reopened = store.open_row_key(ROW, &wrapped).expect("opens");
        assert_eq!(
            reopened.open("uri", &sealed),
            Ok(SecretBytes::new(*b"s3://bucket?SECRET"))
        );
        assert_eq!(reopened.open("plan", &sealed), Err(SealError::NotAuthentic));
        for other in [
            RowIdentity {
                catalog: [9; 16],
                ..ROW
            },
            RowIdentity {
                row: [9; 16],
                ..ROW
            },
            RowIdentity { version: 4, ..ROW },
        ] {
            assert!(store.open_row_key(other, &wrapped).is_err(), "{other:?}");
            let moved = RowKey {
                key: key.key.clone(),
                row: other,
            };
            assert_eq!(
                moved.open("uri", &sealed),
                Err(SealError::NotAuthentic),
                "{other:?}"
            );
        }
    }

    #[test]
    fn every_row_key_is_another_one_also_for_one_and_the_same_row() {
        let store = StoreKey::generate().expect("random bytes");
        let (one, wrapped_one) = store.new_row_key(ROW).expect("makes a key");
        let (two, wrapped_two) = store.new_row_key(ROW).expect("makes a key");
        assert_ne!(one.key, two.key);
        assert_ne!(wrapped_one, wrapped_two);
        let sealed = one.seal("uri", b"SECRET").expect("seals");
        assert_eq!(two.open("uri", &sealed), Err(SealError::NotAuthentic));
        let opened = store.open_row_key(ROW, &wrapped_one).expect("opens");
        assert_eq!(opened.key, one.key);
    }

    #[test]
    fn what_an_older_version_sealed_does_not_open_with_the_key_of_a_newer_one() {
        let store = StoreKey::generate().expect("random bytes");
        let identity = |version| RowIdentity { version, ..ROW };
        let (older, _) = store.new_row_key(identity(1)).expect("makes a key");
        let (newer, _) = store.new_row_key(identity(2)).expect("makes a key");
        let sealed = older.seal("uri", b"SECRET").expect("seals");
        // The version is bound, and the key is another one: each alone is enough.
        for (key, version) in [(&newer, 2), (&newer, 1), (&older, 2)] {
            let tried = RowKey {
                key: key.key.clone(),
                row: identity(version),
            };
            assert_eq!(
                tried.open("uri", &sealed),
                Err(SealError::NotAuthentic),
                "as version {version}"
            );
        }
        assert!(older.open("uri", &sealed).is_ok());
    }

    #[test]
    fn another_store_opens_nothing() {
        let (store, other) = (
            StoreKey::generate().expect("key"),
            StoreKey::generate().expect("key"),
        );
        let (_, wrapped) = store.new_row_key(ROW).expect("makes a key");
        assert!(other.open_row_key(ROW, &wrapped).is_err());
    }

    #[test]
    fn what_is_sealed_does_not_contain_the_value() {
        let store = StoreKey::generate().expect("random bytes");
        let (key, _) = store.new_row_key(ROW).expect("makes a key");
        let sealed = key.seal("uri", b"hunter2hunter2").expect("seals");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
    }
}
