//! A reader with a buffer that keeps nothing.

use std::fmt;
use std::io::{self, BufRead, Read};

use zeroize::Zeroizing;

use crate::CHUNK_BYTES;
use crate::chunk::TAG_BYTES;

/// Two chunks: the second says that the first is not the last.
const CAPACITY: usize = 2 * (CHUNK_BYTES + TAG_BYTES);

/// Reads ahead, as [`std::io::BufReader`] does, into a buffer that is wiped on drop: what
/// [`seal`](crate::seal) reads is to be kept from others.
pub struct WipedReader<R> {
    input: R,
    buffer: Zeroizing<Vec<u8>>,
    /// What of the buffer is not consumed yet.
    from: usize,
    to: usize,
}

impl<R: Read> WipedReader<R> {
    /// Nothing is read yet.
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: Zeroizing::new(vec![0; CAPACITY]),
            from: 0,
            to: 0,
        }
    }
}

impl<R: Read> Read for WipedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for WipedReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.from == self.to {
            self.to = self.input.read(&mut self.buffer)?;
            self.from = 0;
        }
        Ok(&self.buffer[self.from..self.to])
    }

    fn consume(&mut self, bytes: usize) {
        self.from = self.to.min(self.from + bytes);
    }
}

impl<R> fmt::Debug for WipedReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WipedReader(redacted)")
    }
}
