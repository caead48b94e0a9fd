//! The chunks of an envelope's content.

use std::io::{self, Read};

use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use chacha20poly1305::ChaCha20Poly1305;
use zeroize::Zeroizing;

/// Bytes of content in each chunk but the last, which may have fewer.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Bytes of the tag behind each.
pub(crate) const TAG_BYTES: usize = 16;

/// Encrypts and decrypts chunks by their place.
pub(crate) struct Stream(StreamBE32<ChaCha20Poly1305>);

/// The place of a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) number: u32,
    pub(crate) is_last: bool,
}

/// A chunk was not made with this key for this place, or is too long to be made.
#[derive(Debug)]
pub(crate) struct Refused;

impl Stream {
    pub(crate) fn new(cipher: ChaCha20Poly1305, prefix: [u8; 7]) -> Self {
        Self(StreamBE32::from_aead(cipher, &prefix.into()))
    }

    /// Encrypts a chunk where it lies, and puts the tag behind it.
    pub(crate) fn seal(
        &self,
        place: Place,
        bound: &[u8],
        chunk: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let Place { number, is_last } = place;
        let sealed = self.0.encrypt_in_place(number, is_last, bound, chunk);
        sealed.map_err(|_| Refused)
    }

    /// Checks and decrypts a chunk where it lies, and takes its tag away. One that is refused is
    /// left as it was.
    pub(crate) fn open(
        &self,
        place: Place,
        bound: &[u8],
        chunk: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let Place { number, is_last } = place;
        let opened = self.0.decrypt_in_place(number, is_last, bound, chunk);
        opened.map_err(|_| Refused)
    }
}

/// Reads chunks of one length, and knows of each whether it is the last: one is read ahead.
pub(crate) struct Chunks<R> {
    input: R,
    length: usize,
    ahead: Zeroizing<Vec<u8>>,
}

impl<R: Read> Chunks<R> {
    pub(crate) fn new(input: R, length: usize) -> io::Result<Self> {
        let mut chunks = Self {
            input,
            length,
            ahead: room(),
        };
        chunks.fill()?;
        Ok(chunks)
    }

    /// Puts the next chunk into `chunk`, whose own bytes are forgotten, and says whether it is the
    /// last.
    pub(crate) fn next(&mut self, chunk: &mut Zeroizing<Vec<u8>>) -> io::Result<bool> {
        std::mem::swap(&mut self.ahead, chunk);
        if chunk.len() < self.length {
            self.ahead.clear();
            return Ok(true);
        }
        self.fill()?;
        Ok(self.ahead.is_empty())
    }

    /// Fills up to one chunk.
    fn fill(&mut self) -> io::Result<()> {
        self.ahead.clear();
        let mut limited = (&mut self.input).take(self.length as u64);
        limited.read_to_end(&mut self.ahead).map(drop)
    }
}

/// Room for a chunk and its tag, which never grows: nothing of a content is left where it was.
pub(crate) fn room() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES))
}
