//! Opening an envelope.

use std::io::BufRead;

use zeroize::Zeroizing;

use crate::chunk::{CHUNK_BYTES, Chunks, Place, TAG_BYTES, spare};
use crate::{DataKey, EnvelopeError, Header, Output};

/// Writes the content of an envelope whose header was read from `input`. Says how many bytes there
/// were. Of each chunk nothing is written before it is authenticated.
///
/// A reader without a buffer gets one with [`WipedReader`](crate::WipedReader).
///
/// # Errors
///
/// The envelope was changed or cut, or reading or writing fails. What was written until then is the
/// beginning of the content, and not to be used as if it were all of it.
pub fn open(
    header: &Header,
    key: &DataKey,
    input: impl BufRead,
    mut output: impl Output,
) -> Result<u64, EnvelopeError> {
    let stream = key.stream(header.prefix)?;
    let read = header.to_bytes();
    let mut chunks = Chunks::new(input, CHUNK_BYTES + TAG_BYTES);
    let mut spare = spare();
    let mut bound = read.as_slice();
    let mut content = 0;
    for number in 0..=u32::MAX {
        let is_last = chunks.next(|chunk, is_last| {
            if chunk.len() < TAG_BYTES {
                return Err(EnvelopeError::Truncated { after: content });
            }
            let place = Place { number, is_last };
            output.put(&mut spare[..chunk.len()], &mut |opened| {
                if let Ok(length) = stream.open(place, bound, chunk, opened) {
                    content += length as u64;
                    return Ok(length);
                }
                let elsewhere = Place {
                    number,
                    is_last: false,
                };
                // The last one that is there was none. It is looked at elsewhere: an output that is
                // memory is given nothing that is no content.
                let mut aside = Zeroizing::new(vec![0; chunk.len()]);
                let is_cut = is_last && stream.open(elsewhere, bound, chunk, &mut aside).is_ok();
                Err(match is_cut {
                    true => EnvelopeError::Truncated { after: content },
                    false => EnvelopeError::Altered { after: content },
                })
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
