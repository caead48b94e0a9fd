//! XChaCha20-Poly1305 with a random nonce in front, and an unambiguous encoding of what is bound.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of every key.
pub(crate) const KEY_LENGTH: usize = 32;

const NONCE_LENGTH: usize = 24;

/// The first byte of everything sealed, so that another cipher can follow one day.
const FORMAT: u8 = 1;

/// A key in memory that is wiped on drop.
pub(crate) type Key = Zeroizing<[u8; KEY_LENGTH]>;

/// The system gave no random bytes.
#[derive(Debug)]
pub(crate) struct NoRandomness;

pub(crate) fn random_key() -> Result<Key, NoRandomness> {
    let mut key = Key::default();
    getrandom::fill(key.as_mut_slice()).map_err(|_| NoRandomness)?;
    Ok(key)
}

/// `plaintext` under `key`, bound to `bound`: format, nonce, ciphertext, tag.
pub(crate) fn encrypt(key: &Key, bound: &Bound, plaintext: &[u8]) -> Result<Vec<u8>, NoRandomness> {
    let mut nonce = [0; NONCE_LENGTH];
    getrandom::fill(&mut nonce).map_err(|_| NoRandomness)?;
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let payload = Payload {
        msg: plaintext,
        aad: &bound.0,
    };
    // The cipher refuses only lengths that do not fit into memory.
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| NoRandomness)?;
    let mut sealed = Vec::with_capacity(1 + NONCE_LENGTH + ciphertext.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// What [`encrypt`] made of it, or nothing when key, bound or bytes differ.
pub(crate) fn decrypt(key: &Key, bound: &Bound, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (format, rest) = sealed.split_first()?;
    if *format != FORMAT {
        return None;
    }
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
    let cipher = XChaCha20Poly1305::new((&**key).into());
    let payload = Payload {
        msg: ciphertext,
        aad: &bound.0,
    };
    cipher
        .decrypt(nonce.into(), payload)
        .ok()
        .map(Zeroizing::new)
}

/// What a ciphertext is bound to. Fields carry their length, so no two lists look the same.
pub(crate) struct Bound(Vec<u8>);

impl Bound {
    /// `purpose` keeps the ciphertexts of one use from standing in for those of another.
    pub(crate) fn to(purpose: &str) -> Self {
        Self(Vec::new()).field(purpose.as_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn field(mut self, field: &[u8]) -> Self {
        self.0
            .extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_plaintext_is_never_sealed_to_the_same_bytes() {
        let key = random_key().expect("random bytes");
        let one = encrypt(&key, &Bound::to("test"), b"x").expect("seals");
        let two = encrypt(&key, &Bound::to("test"), b"x").expect("seals");
        assert_ne!(one, two);
    }

    #[test]
    fn any_changed_or_missing_byte_keeps_it_closed() {
        let key = random_key().expect("random bytes");
        let bound = || Bound::to("test").field(b"a").field(b"b");
        let sealed = encrypt(&key, &bound(), b"plaintext").expect("seals");
        assert_eq!(
            decrypt(&key, &bound(), &sealed).expect("opens").as_slice(),
            b"plaintext"
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(decrypt(&key, &bound(), &changed).is_none(), "byte {at}");
            assert!(
                decrypt(&key, &bound(), &sealed[..at]).is_none(),
                "length {at}"
            );
        }
        let moved = Bound::to("test").field(b"ab").field(b"");
        assert!(decrypt(&key, &moved, &sealed).is_none());
    }
}
