//! The chunks of an envelope's content.

use std::io::{self, BufRead, ErrorKind, Read};

use aead_stream::{NewStream, StreamBE32, StreamPrimitive};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{self, AeadCore, AeadInOut, Buffer, Nonce, Tag, TagPosition};
use zeroize::Zeroizing;

use crate::EnvelopeError;

/// Bytes of content in each chunk but the last, which may have fewer.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Bytes of the tag behind each.
pub(crate) const TAG_BYTES: usize = 16;

/// Encrypts and decrypts chunks by their place, from one memory to another.
pub(crate) struct Stream {
    cipher: ChaCha20Poly1305,
    prefix: [u8; 7],
}

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
        Self { cipher, prefix }
    }

    /// Encrypts a chunk into a place, with the tag behind it. Says how long both are.
    pub(crate) fn seal(
        &self,
        place: Place,
        bound: &[u8],
        chunk: &[u8],
        sealed: &mut [u8],
    ) -> Result<usize, Refused> {
        let mut sealed = Filled::new(sealed, chunk.len())?;
        let Place { number, is_last } = place;
        let stream = self.of(chunk);
        let done = stream.encrypt_in_place(number, is_last, bound, &mut sealed);
        done.map_err(|_| Refused)?;
        Ok(sealed.length)
    }

    /// Checks and decrypts a chunk, which ends with its tag, into a place as long. Says how long its
    /// content is. Of a chunk that is refused nothing is put there but its tag.
    pub(crate) fn open(
        &self,
        place: Place,
        bound: &[u8],
        chunk: &[u8],
        opened: &mut [u8],
    ) -> Result<usize, Refused> {
        let length = chunk.len().checked_sub(TAG_BYTES).ok_or(Refused)?;
        let (content, tag) = chunk.split_at(length);
        let mut opened = Filled::new(opened, chunk.len())?;
        opened.as_mut()[length..].copy_from_slice(tag);
        let Place { number, is_last } = place;
        let stream = self.of(content);
        let done = stream.decrypt_in_place(number, is_last, bound, &mut opened);
        done.map_err(|_| Refused)?;
        Ok(opened.length)
    }

    fn of<'a>(&'a self, chunk: &'a [u8]) -> StreamBE32<Elsewhere<'a>> {
        let cipher = Elsewhere {
            cipher: &self.cipher,
            chunk,
        };
        StreamBE32::from_aead(cipher, &self.prefix.into())
    }
}

/// The beginning of a place, which may grow up to its end.
struct Filled<'a> {
    place: &'a mut [u8],
    length: usize,
}

impl<'a> Filled<'a> {
    fn new(place: &'a mut [u8], length: usize) -> Result<Self, Refused> {
        match length <= place.len() {
            true => Ok(Self { place, length }),
            false => Err(Refused),
        }
    }
}

impl AsRef<[u8]> for Filled<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.place[..self.length]
    }
}

impl AsMut<[u8]> for Filled<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.place[..self.length]
    }
}

impl Buffer for Filled<'_> {
    fn extend_from_slice(&mut self, more: &[u8]) -> aead::Result<()> {
        let free = self.place.get_mut(self.length..self.length + more.len());
        free.ok_or(aead::Error)?.copy_from_slice(more);
        self.length += more.len();
        Ok(())
    }

    fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}

/// The cipher, which takes a chunk from where it lies: STREAM works in place only, and to copy each
/// chunk there first takes a tenth of its time.
struct Elsewhere<'a> {
    cipher: &'a ChaCha20Poly1305,
    chunk: &'a [u8],
}

impl AeadCore for Elsewhere<'_> {
    type NonceSize = <ChaCha20Poly1305 as AeadCore>::NonceSize;
    type TagSize = <ChaCha20Poly1305 as AeadCore>::TagSize;
    const TAG_POSITION: TagPosition = ChaCha20Poly1305::TAG_POSITION;
}

impl AeadInOut for Elsewhere<'_> {
    fn encrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        bound: &[u8],
        mut place: InOutBuf<'_, '_, u8>,
    ) -> aead::Result<Tag<Self>> {
        let both = InOutBuf::new(self.chunk, place.get_out()).map_err(|_| aead::Error)?;
        self.cipher.encrypt_inout_detached(nonce, bound, both)
    }

    fn decrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        bound: &[u8],
        mut place: InOutBuf<'_, '_, u8>,
        tag: &Tag<Self>,
    ) -> aead::Result<()> {
        let both = InOutBuf::new(self.chunk, place.get_out()).map_err(|_| aead::Error)?;
        self.cipher.decrypt_inout_detached(nonce, bound, both, tag)
    }
}

/// Reads chunks of one length, and knows of each whether it is the last.
pub(crate) struct Chunks<R> {
    input: R,
    length: usize,
    /// A chunk that the reader does not hold in one piece.
    gathered: Zeroizing<Vec<u8>>,
}

impl<R: BufRead> Chunks<R> {
    pub(crate) fn new(input: R, length: usize) -> Self {
        Self {
            input,
            length,
            // It never grows: nothing of a content is left where it was.
            gathered: Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES)),
        }
    }

    /// Does `work` with the next chunk, and says whether it was the last.
    pub(crate) fn next(
        &mut self,
        work: impl FnOnce(&[u8], bool) -> Result<(), EnvelopeError>,
    ) -> Result<bool, EnvelopeError> {
        if self.held().map_err(EnvelopeError::Read)? > self.length {
            let held = self.input.fill_buf().map_err(EnvelopeError::Read)?;
            work(&held[..self.length], false)?;
            self.input.consume(self.length);
            return Ok(false);
        }
        let is_last = self.gather().map_err(EnvelopeError::Read)?;
        work(&self.gathered, is_last)?;
        Ok(is_last)
    }

    fn gather(&mut self) -> io::Result<bool> {
        self.gathered.clear();
        let mut limited = (&mut self.input).take(self.length as u64);
        limited.read_to_end(&mut self.gathered)?;
        Ok(self.held()? == 0)
    }

    /// How many bytes the reader holds: none at the end of the input.
    fn held(&mut self) -> io::Result<usize> {
        loop {
            match self.input.fill_buf() {
                Ok(held) => return Ok(held.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A place for a chunk and its tag.
pub(crate) fn spare() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0; CHUNK_BYTES + TAG_BYTES])
}
