//! The key of one envelope.

use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use portolan_secret::SecretBytes;

use crate::EnvelopeError;
use crate::chunk::Stream;

/// Bytes of a data key.
const LENGTH: usize = 32;

/// The key that the content of one envelope is encrypted with. It is wiped on drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKey(SecretBytes);

impl DataKey {
    /// A new one, for one envelope.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub fn random() -> Result<Self, EnvelopeError> {
        let mut bytes = vec![0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|_| EnvelopeError::Randomness)?;
        Ok(Self(SecretBytes::new(bytes)))
    }

    /// The one that a key management service has unwrapped.
    ///
    /// # Errors
    ///
    /// It cannot be one.
    pub fn unwrapped(bytes: SecretBytes) -> Result<Self, EnvelopeError> {
        match bytes.len() {
            LENGTH => Ok(Self(bytes)),
            _ => Err(EnvelopeError::DataKey),
        }
    }

    /// What a key management service is asked to wrap.
    #[must_use]
    pub fn plaintext(&self) -> &SecretBytes {
        &self.0
    }

    /// The chunks of the envelope whose nonces begin so.
    pub(crate) fn stream(&self, prefix: [u8; 7]) -> Result<Stream, EnvelopeError> {
        let cipher = ChaCha20Poly1305::new_from_slice(self.0.expose());
        let cipher = cipher.map_err(|_| EnvelopeError::DataKey)?;
        Ok(Stream::new(cipher, prefix))
    }
}
