//! Making an envelope.

use std::io::{Read, Write};

use crate::chunk::{CHUNK_BYTES, Chunks, Place, room};
use crate::{DataKey, EnvelopeError, Header};

/// Writes an envelope: its header, and what `input` brings, encrypted. Says how many bytes of content
/// there were.
///
/// # Errors
///
/// Reading or writing fails. What was written until then is no envelope.
pub fn seal(
    header: &Header,
    key: &DataKey,
    input: impl Read,
    mut output: impl Write,
) -> Result<u64, EnvelopeError> {
    let stream = key.stream(header.prefix)?;
    let written = header.to_bytes();
    output.write_all(&written).map_err(EnvelopeError::Write)?;
    let mut chunks = Chunks::new(input, CHUNK_BYTES).map_err(EnvelopeError::Read)?;
    let mut chunk = room();
    let mut bound = written.as_slice();
    let mut content = 0;
    for number in 0..=u32::MAX {
        let is_last = chunks.next(&mut chunk).map_err(EnvelopeError::Read)?;
        content += chunk.len() as u64;
        let place = Place { number, is_last };
        let sealed = stream.seal(place, bound, &mut chunk);
        sealed.map_err(|_| EnvelopeError::TooLong)?;
        output.write_all(&chunk).map_err(EnvelopeError::Write)?;
        if is_last {
            output.flush().map_err(EnvelopeError::Write)?;
            return Ok(content);
        }
        bound = &[];
    }
    Err(EnvelopeError::TooLong)
}
