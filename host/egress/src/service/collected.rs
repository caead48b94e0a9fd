//! A body that grows within a bound and leaves nothing behind.

use std::io::{self, Write};

use portolan_secret::SecretBytes;

/// The most that is reserved because a server says that it will come.
const MOST_RESERVED: usize = 64 << 10;

/// Bytes that came, at most so many. Where it grows, what it grew out of is wiped.
#[derive(Debug)]
pub(super) struct Collected {
    bytes: SecretBytes,
    most: usize,
    full: bool,
}

impl Collected {
    /// Nothing yet; `expected` is reserved, as far as the bound allows.
    pub(super) fn new(most: usize, expected: Option<u64>) -> Self {
        let expected = expected.and_then(|bytes| usize::try_from(bytes).ok());
        let reserved = expected.unwrap_or_default().min(most).min(MOST_RESERVED);
        Self {
            bytes: SecretBytes::new(Vec::with_capacity(reserved)),
            most,
            full: false,
        }
    }

    /// Whether more came than it takes.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn into_bytes(self) -> SecretBytes {
        self.bytes
    }
}

impl Write for Collected {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let length = self.bytes.len() + more.len();
        if length > self.most {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
