//! A code over the readable columns of one row (HMAC-SHA256).
//!
//! Whoever changes a column, or puts a row into another table or store, cannot make the code that
//! belongs to it. Every field carries its type and length, so that no two rows look the same.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt;

use crate::keys::StoreKey;

/// Bytes of a finished code.
pub const CODE_LENGTH: usize = 32;

/// A code in the making: name the table, add the columns in a fixed order, finish or verify.
#[must_use]
pub struct RowCode(Hmac<Sha256>);

impl StoreKey {
    /// Starts the code of a row of `table` in the store called `catalog`.
    pub fn row_code(&self, catalog: &[u8; 16], table: &str) -> RowCode {
        RowCode(self.codes.clone()).bytes(catalog).text(table)
    }
}

impl RowCode {
    fn field(mut self, kind: u8, content: &[u8]) -> Self {
        self.0.update(&[kind]);
        self.0.update(&(content.len() as u64).to_be_bytes());
        self.0.update(content);
        self
    }

    /// Adds text.
    pub fn text(self, text: &str) -> Self {
        self.field(b't', text.as_bytes())
    }

    /// Adds bytes.
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.field(b'b', bytes)
    }

    /// Adds a number.
    pub fn integer(self, number: i64) -> Self {
        self.field(b'i', &number.to_be_bytes())
    }

    /// Adds text, or that there is none, which differs from empty text.
    pub fn optional_text(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => self.field(b'n', &[]),
        }
    }

    /// The code.
    #[must_use]
    pub fn finish(self) -> [u8; CODE_LENGTH] {
        self.0.finalize().into_bytes().into()
    }

    /// Whether `code` is the code. Takes the same time wherever they differ.
    #[must_use]
    pub fn verify(self, code: &[u8]) -> bool {
        self.0.verify_slice(code).is_ok()
    }
}

impl fmt::Debug for RowCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RowCode(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_depends_on_every_field_and_on_where_it_ends() {
        let key = StoreKey::generate().expect("random bytes");
        let start = || key.row_code(&[1; 16], "connections");
        let codes = [
            start().finish(),
            start().text("ab").text("c").finish(),
            start().text("a").text("bc").finish(),
            start().text("abc").finish(),
            start().bytes(b"abc").finish(),
            start().text("").finish(),
            start().optional_text(None).finish(),
            start().integer(0).finish(),
            start().integer(1).finish(),
            key.row_code(&[2; 16], "connections").finish(),
            key.row_code(&[1; 16], "grants").finish(),
            StoreKey::generate()
                .expect("random bytes")
                .row_code(&[1; 16], "connections")
                .finish(),
        ];
        for (at, code) in codes.iter().enumerate() {
            assert!(!codes[at + 1..].contains(code), "code {at} is there twice");
        }
    }

    #[test]
    fn verify_accepts_the_whole_code_only() {
        let key = StoreKey::generate().expect("random bytes");
        let code = key.row_code(&[1; 16], "t").integer(5).finish();
        assert!(key.row_code(&[1; 16], "t").integer(5).verify(&code));
        assert!(!key.row_code(&[1; 16], "t").integer(6).verify(&code));
        assert!(!key.row_code(&[1; 16], "t").integer(5).verify(&code[..31]));
    }
}
