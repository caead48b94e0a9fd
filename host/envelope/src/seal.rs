//! Making an envelope.

use std::io::BufRead;

use crate::chunk::{CHUNK_BYTES, Chunks, Place, TAG_BYTES, spare};
use crate::{DataKey, EnvelopeError, Header, Output};

/// Writes an envelope: its header, and what `input` brings, encrypted. Says how many bytes of content
/// there were.
///
/// Chunks that `input` holds in one piece are encrypted from there: content in memory (a slice) is
/// not copied, nor is what goes to [`Memory`](crate::Memory). A reader without a buffer gets one that is wiped with
/// [`WipedReader`](crate::WipedReader).
///
/// # Errors
///
/// Reading or writing fails. What was written until then is no envelope.
pub fn seal(
    header: &Header,
    key: &DataKey,
    input: impl BufRead,
    mut output: impl Output,
) -> Result<u64, EnvelopeError> {
    let stream = key.stream(header.prefix)?;
    let written = header.to_bytes();
    output.put(&mut written.clone(), &mut |place| {
        place.copy_from_slice(&written);
        Ok(place.len())
    })?;
    let mut chunks = Chunks::new(input, CHUNK_BYTES);
    let mut spare = spare();
    let mut bound = written.as_slice();
    let mut content = 0;
    for number in 0..=u32::MAX {
        let is_last = chunks.next(|chunk, is_last| {
            content += chunk.len() as u64;
            let place = Place { number, is_last };
            output.put(&mut spare[..chunk.len() + TAG_BYTES], &mut |sealed| {
                let made = stream.seal(place, bound, chunk, sealed);
                made.map_err(|_| EnvelopeError::TooLong)
            })
        })?;
        if is_last {
            output.end()?;
            return Ok(content);
        }
        bound = &[];
    }
    Err(EnvelopeError::TooLong)
}
