//! Making an envelope.

use std::io::{BufRead, Write};

use crate::chunk::{CHUNK_BYTES, Chunks, Place, room};
use crate::{DataKey, EnvelopeError, Header};

/// Writes an envelope: its header, and what `input` brings, encrypted. Says how many bytes of content
/// there were.
///
/// Chunks that `input` holds in one piece are encrypted from there: content in memory (a slice) is
/// not copied. A reader without a buffer gets one that is wiped with
/// [`WipedReader`](crate::WipedReader).
///
/// # Errors
///
/// Reading or writing fails. What was written until then is no envelope.
pub fn seal(
    header: &Header,
    key: &DataKey,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<u64, EnvelopeError> {
    let stream = key.stream(header.prefix)?;
    let written = header.to_bytes();
    output.write_all(&written).map_err(EnvelopeError::Write)?;
    let mut chunks = Chunks::new(input, CHUNK_BYTES);
    let mut sealed = room();
    let mut bound = written.as_slice();
    let mut content = 0;
    for number in 0..=u32::MAX {
        let is_last = chunks.next(|chunk, is_last| {
            content += chunk.len() as u64;
            let place = Place { number, is_last };
            let made = stream.seal(place, bound, chunk, &mut sealed);
            made.map_err(|_| EnvelopeError::TooLong)?;
            output.write_all(&sealed).map_err(EnvelopeError::Write)
        })?;
        if is_last {
            output.flush().map_err(EnvelopeError::Write)?;
            return Ok(content);
        }
        bound = &[];
    }
    Err(EnvelopeError::TooLong)
}
