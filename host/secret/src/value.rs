//! Text and bytes that are never printed.
//!
//! Neither type has `Display` or a serialiser. The one way to the value is `expose`, so a search for
//! that word finds every place where a secret is read.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Text that is secret: a password, a token, a URI that contains them.
///
/// The memory is wiped on drop. Equality takes the same time wherever two texts of one length
/// differ.
#[derive(Clone, Default)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes over `text`; the string is moved, so no second copy stays behind.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself. What is done with it must not end in a log, an error or a display.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the text has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText(redacted)")
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretText {}

impl AsRef<[u8]> for SecretText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Bytes that are secret: a key, a decoded certificate, a stored plan.
///
/// The same rules as [`SecretText`].
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes over `bytes`; the vector is moved, so no second copy stays behind.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The secret itself. What is done with it must not end in a log, an error or a display.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds bytes. Where there is no room, a larger place is taken and the old one wiped, so that
    /// growing leaves no copy behind.
    pub fn extend(&mut self, more: &[u8]) {
        let length = self.0.len().saturating_add(more.len());
        if length > self.0.capacity() {
            let doubled = self.0.capacity().saturating_mul(2);
            let mut larger = Vec::with_capacity(length.max(doubled));
            larger.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(more);
    }

    /// The bytes as text, or the bytes back when they are not UTF-8. Nothing is copied.
    ///
    /// # Errors
    /// The unchanged bytes, when they are not UTF-8.
    pub fn into_text(mut self) -> Result<SecretText, Self> {
        match String::from_utf8(std::mem::take(&mut *self.0)) {
            Ok(text) => Ok(SecretText::new(text)),
            Err(error) => Err(Self::new(error.into_bytes())),
        }
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretBytes(redacted)")
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SecretBytes {}

impl AsRef<[u8]> for SecretBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl From<SecretText> for SecretBytes {
    fn from(mut text: SecretText) -> Self {
        Self::new(std::mem::take(&mut *text.0).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_value_nor_length() {
        assert_eq!(
            format!("{:?}", SecretText::new("hunter2")),
            "SecretText(redacted)"
        );
        assert_eq!(
            format!("{:#?}", SecretBytes::new(*b"hunter2")),
            "SecretBytes(redacted)"
        );
    }

    #[test]
    fn equality_compares_the_values() {
        assert_eq!(SecretText::new("a"), SecretText::from("a"));
        assert_ne!(SecretText::new("a"), SecretText::new("b"));
        assert_ne!(SecretBytes::new(*b"a"), SecretBytes::new(*b"ab"));
    }

    #[test]
    fn bytes_grow() {
        let mut bytes = SecretBytes::default();
        for length in [0, 1, 3, 1000, 2] {
            bytes.extend(&vec![b'a'; length]);
        }
        assert_eq!(bytes, SecretBytes::new(vec![b'a'; 1006]));
    }

    #[test]
    fn bytes_and_text_turn_into_each_other() {
        let bytes = SecretBytes::from(SecretText::new("grüße"));
        assert_eq!(bytes.clone().into_text(), Ok(SecretText::new("grüße")));
        let broken = SecretBytes::new(vec![0xff, 0x61]);
        assert_eq!(broken.clone().into_text(), Err(broken));
    }
}
