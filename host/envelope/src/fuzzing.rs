//! What the fuzzers try, as ordinary functions: a test replays their corpora with them.

use portolan_secret::SecretBytes;

use crate::{DataKey, Header, MAX_HEADER_BYTES, open};

/// Any bytes as an envelope. A header that is read writes the very bytes that it was read from, within
/// its bound, and no content opens under a key that nobody encrypted with.
///
/// # Panics
///
/// One of these does not hold.
pub fn envelope(data: &[u8]) {
    let mut input = data;
    let Ok(header) = Header::read(&mut input) else {
        return;
    };
    let read = data.len() - input.len();
    let written = header.to_bytes();
    assert!(written.len() <= MAX_HEADER_BYTES, "the header is too long");
    assert!(data[..read] == written, "the header is written differently");
    let Ok(key) = DataKey::unwrapped(SecretBytes::new([7; 32])) else {
        return;
    };
    let mut output = Vec::new();
    let opened = open(&header, &key, input, &mut output);
    assert!(opened.is_err() && output.is_empty(), "a forged chunk opens");
}
