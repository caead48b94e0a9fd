//! Standard base64 with the offsets of Go's decoder, which users know from their error messages.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Go's `StdEncoding`: padding is needed, and the bits that the last character has too many may be
/// anything.
const GO: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// The decoded bytes, or the N of Go's `illegal base64 data at input byte N`. Line breaks (`\r` and
/// `\n`) are skipped wherever they stand, and counted.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, usize> {
    check(text)?;
    let mut without_breaks = text.to_vec();
    without_breaks.retain(|byte| !is_break(*byte));
    let decoded = GO.decode(&without_breaks);
    zeroize(&mut without_breaks);
    // The check and the decoder agree; if they ever do not, the text is not called sound.
    decoded.map_err(|_| text.len())
}

/// Standard base64 with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    GO.encode(bytes)
}

/// The copy is made of a secret, so it does not stay in memory.
fn zeroize(bytes: &mut Vec<u8>) {
    drop(portolan_secret::SecretBytes::new(std::mem::take(bytes)));
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Walks the text in groups of four letters and stops where Go stops, with the number Go gives.
fn check(text: &[u8]) -> Result<(), usize> {
    let mut at = 0;
    // Letters of the group at hand.
    let mut letters = 0;
    while let Some(byte) = text.get(at).copied() {
        at += 1;
        match byte {
            _ if is_letter(byte) => letters = (letters + 1) % 4,
            _ if is_break(byte) => {}
            b'=' if letters >= 2 => return check_padding(text, at, letters),
            _ => return Err(at - 1),
        }
    }
    match letters {
        0 => Ok(()),
        // Go names the byte that is as far from the end as the group has letters.
        unfinished => Err(at - unfinished),
    }
}

/// After a first `=` that `at` stands behind: a second one if the group has two letters, then
/// nothing but line breaks.
fn check_padding(text: &[u8], at: usize, letters: usize) -> Result<(), usize> {
    let skip_breaks = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| is_break(**byte)).count()
    };
    let mut at = at;
    if letters == 2 {
        at = skip_breaks(at);
        match text.get(at) {
            None => return Err(text.len()),
            Some(b'=') => at += 1,
            Some(_) => return Err(at - 1),
        }
    }
    at = skip_breaks(at);
    if at < text.len() { Err(at) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The offsets are those that Go 1.26's `base64.StdEncoding.DecodeString` gives.
    #[test]
    fn offsets_are_those_of_go() {
        for (text, expected) in [
            ("", Ok(&b""[..])),
            ("aGVsbG8=", Ok(b"hello")),
            ("aGVs\r\nbG8=\n", Ok(b"hello")),
            ("aGVsbG8\n=", Ok(b"hello")),
            ("aA=\n=", Ok(b"h")),
            ("aB==", Ok(b"h")),
            ("{not", Err(0)),
            ("Zm9v!", Err(4)),
            ("Zm9vY", Err(4)),
            ("Zm9vYg", Err(4)),
            ("Zm9vYmE", Err(4)),
            ("Zm9v\nYmE", Err(5)),
            ("Zm9vY\nmE", Err(5)),
            ("=", Err(0)),
            ("a=", Err(1)),
            ("aA=", Err(3)),
            ("aA=\n", Err(4)),
            ("aA=x", Err(2)),
            ("aA=\nx", Err(3)),
            ("aA==x", Err(4)),
            ("aA==\nx", Err(5)),
            ("aGVsbG8==", Err(8)),
            ("aGVs bG8=", Err(4)),
            ("a-_=", Err(1)),
        ] {
            let decoded = decode(text.as_bytes());
            assert_eq!(decoded.as_deref().map_err(|at| *at), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_check_and_the_decoder_agree(text in "[ab+/=\n-]{0,12}") {
            let without: Vec<u8> = text.bytes().filter(|byte| !is_break(*byte)).collect();
            prop_assert_eq!(check(text.as_bytes()).is_ok(), GO.decode(without).is_ok(), "{:?}", text);
        }

        #[test]
        fn what_is_encoded_decodes_wherever_lines_break(bytes: Vec<u8>, width in 1usize..20) {
            let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
            let folded: Vec<u8> = encoded.as_bytes().chunks(width).collect::<Vec<_>>().join(&b"\r\n"[..]);
            prop_assert_eq!(decode(&folded), Ok(bytes));
        }
    }
}
