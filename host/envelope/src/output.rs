//! Where an envelope, or its content, goes.

use std::fmt;
use std::io::{self, Write};

use crate::EnvelopeError;

/// A writer, or [`Memory`].
pub trait Output {
    /// Has `make` fill a place, which is as large as `spare`, and takes as many bytes from its beginning
    /// as `make` says. The place is in the output itself where it has one, and else `spare`.
    ///
    /// # Errors
    ///
    /// That of `make`, or the bytes cannot be written.
    fn put(
        &mut self,
        spare: &mut [u8],
        make: &mut dyn FnMut(&mut [u8]) -> Result<usize, EnvelopeError>,
    ) -> Result<(), EnvelopeError>;

    /// Nothing more comes.
    ///
    /// # Errors
    ///
    /// What was put cannot be written.
    fn end(&mut self) -> Result<(), EnvelopeError>;
}

impl<W: Write + ?Sized> Output for W {
    fn put(
        &mut self,
        spare: &mut [u8],
        make: &mut dyn FnMut(&mut [u8]) -> Result<usize, EnvelopeError>,
    ) -> Result<(), EnvelopeError> {
        let made = make(spare)?;
        self.write_all(&spare[..made]).map_err(EnvelopeError::Write)
    }

    fn end(&mut self) -> Result<(), EnvelopeError> {
        self.flush().map_err(EnvelopeError::Write)
    }
}

/// Memory that is written to from its beginning. A chunk is encrypted or decrypted right into it; to
/// copy each there takes a tenth of its time.
pub struct Memory<'a> {
    bytes: &'a mut [u8],
    written: usize,
}

impl<'a> Memory<'a> {
    /// Nothing is written yet.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, written: 0 }
    }

    /// How many bytes were written.
    #[must_use]
    pub fn written(&self) -> usize {
        self.written
    }
}

// Of a reference, as of a writer: who gives one can ask afterwards how much was written.
impl Output for &mut Memory<'_> {
    fn put(
        &mut self,
        spare: &mut [u8],
        make: &mut dyn FnMut(&mut [u8]) -> Result<usize, EnvelopeError>,
    ) -> Result<(), EnvelopeError> {
        let free = &mut self.bytes[self.written..];
        self.written += match free.get_mut(..spare.len()) {
            Some(place) => make(place)?,
            // At the end there may be room for what is made and none for its tag, which comes and goes.
            None => {
                let made = make(spare)?;
                let place = free.get_mut(..made);
                let place = place.ok_or_else(|| {
                    EnvelopeError::Write(io::Error::from(io::ErrorKind::WriteZero))
                })?;
                place.copy_from_slice(&spare[..made]);
                made
            }
        };
        Ok(())
    }

    fn end(&mut self) -> Result<(), EnvelopeError> {
        Ok(())
    }
}

impl fmt::Debug for Memory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("length", &self.bytes.len())
            .field("written", &self.written)
            .finish()
    }
}
