//! What the host checks of a secret, and what it uses.

use base64::Engine;
use portolan_secret::SecretBytes;
use serde::de::IgnoredAny;

use super::go_base64;
use crate::{Format, FormatVerdict};

/// The bytes to use for a secret that was given as `given`, and the verdict on its format. What
/// breaks its format is used as given: the provider refuses it, or the server does.
pub(super) fn apply(format: Format, given: &SecretBytes) -> (SecretBytes, FormatVerdict) {
    match format {
        Format::Text => (given.clone(), FormatVerdict::Unchecked),
        Format::Plus => (spaces_as_plus(given), FormatVerdict::Unchecked),
        Format::Base64 => match go_base64::decode(spaces_as_plus(given).expose()) {
            Ok(decoded) => (SecretBytes::new(decoded), FormatVerdict::Valid),
            Err(at) => (given.clone(), invalid(at)),
        },
        Format::Base64Text => {
            let text = spaces_as_plus(given);
            let decoded = go_base64::decode(text.expose()).map(SecretBytes::new);
            let verdict = decoded.map_or_else(invalid, |_| FormatVerdict::Valid);
            (text, verdict)
        }
        Format::Base64Json => match go_base64::decode(spaces_as_plus(given).expose()) {
            Ok(decoded) => {
                let decoded = SecretBytes::new(decoded);
                match check_json(decoded.expose()) {
                    Ok(()) => (decoded, FormatVerdict::Valid),
                    Err(at) => (given.clone(), invalid(encoded_place(given.expose(), at))),
                }
            }
            Err(at) => (given.clone(), invalid(at)),
        },
        Format::Json => (given.clone(), verdict(check_json(given.expose()))),
        Format::Pem => (given.clone(), verdict(check_pem(given.expose()))),
        Format::Integer => (given.clone(), verdict(check_integer(given.expose()))),
    }
}

fn verdict(checked: Result<(), usize>) -> FormatVerdict {
    match checked {
        Ok(()) => FormatVerdict::Valid,
        Err(at) => invalid(at),
    }
}

fn invalid(at: usize) -> FormatVerdict {
    FormatVerdict::InvalidAt(u32::try_from(at).unwrap_or(u32::MAX))
}

fn spaces_as_plus(given: &SecretBytes) -> SecretBytes {
    let mut bytes = given.expose().to_vec();
    for byte in &mut bytes {
        if *byte == b' ' {
            *byte = b'+';
        }
    }
    SecretBytes::new(bytes)
}

/// The byte of sound base64 text that carries the first bits of a decoded byte.
fn encoded_place(text: &[u8], decoded: usize) -> usize {
    let letter = decoded / 3 * 4 + decoded % 3;
    text.iter()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'))
        .nth(letter)
        .map_or(text.len(), |(at, _)| at)
}

fn check_json(bytes: &[u8]) -> Result<(), usize> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.valid_up_to())?;
    serde_json::from_str::<IgnoredAny>(text)
        .map(drop)
        .map_err(|error| {
            if error.is_eof() {
                return bytes.len();
            }
            let before = text
                .split_inclusive('\n')
                .take(error.line().saturating_sub(1))
                .map(str::len);
            let column = error.column().saturating_sub(1);
            (before.sum::<usize>() + column).min(bytes.len())
        })
}

/// One block or more, each closed by its own label, with base64 between; text around blocks and
/// headers at a block's start are allowed. The place is that of the line that is wrong.
fn check_pem(bytes: &[u8]) -> Result<(), usize> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.valid_up_to())?;
    let mut blocks = 0;
    let mut open: Option<(&str, usize)> = None;
    let mut body = String::new();
    let mut at = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim();
        match open {
            None => {
                if let Some(label) = boundary(line, "-----BEGIN ") {
                    open = Some((label, at));
                } else if line.starts_with("-----") {
                    return Err(at);
                }
            }
            Some((label, _)) => match boundary(line, "-----END ") {
                Some(end) if end == label && is_base64(&body) => {
                    blocks += 1;
                    open = None;
                    body = forget(body);
                }
                Some(_) => return Err(at),
                None if line.is_empty() || (body.is_empty() && line.contains(": ")) => {}
                None if line.bytes().all(is_base64_byte) => body.push_str(line),
                None => return Err(at),
            },
        }
        at += whole.len();
    }
    forget(body);
    match open {
        Some((_, begin)) => Err(begin),
        None if blocks == 0 => Err(0),
        None => Ok(()),
    }
}

fn boundary<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    let label = line.strip_prefix(start)?.strip_suffix("-----")?;
    (!label.is_empty() && !label.contains('-')).then_some(label)
}

fn is_base64_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn is_base64(body: &str) -> bool {
    !body.is_empty()
        && base64::engine::general_purpose::STANDARD
            .decode(body)
            .map(SecretBytes::new)
            .is_ok()
}

/// Wipes what was copied from a secret and starts anew.
fn forget(body: String) -> String {
    drop(SecretBytes::new(body.into_bytes()));
    String::new()
}

fn check_integer(bytes: &[u8]) -> Result<(), usize> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = bytes.get(sign..).unwrap_or_default();
    if digits.is_empty() {
        return Err(bytes.len());
    }
    if let Some(wrong) = digits.iter().position(|byte| !byte.is_ascii_digit()) {
        return Err(sign + wrong);
    }
    let fits = std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<i64>().is_ok());
    if fits { Ok(()) } else { Err(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: Format, given: &str) -> FormatVerdict {
        apply(format, &SecretBytes::new(given)).1
    }

    fn used(format: Format, given: &str) -> Vec<u8> {
        apply(format, &SecretBytes::new(given)).0.expose().to_vec()
    }

    #[test]
    fn a_space_is_a_plus_where_the_format_says_so() {
        assert_eq!(used(Format::Text, "a b"), b"a b");
        assert_eq!(used(Format::Plus, "a b"), b"a+b");
        assert_eq!(used(Format::Base64, "Pj4 "), b">>>");
        assert_eq!(check(Format::Plus, "anything"), FormatVerdict::Unchecked);
    }

    #[test]
    fn base64_text_is_checked_and_stays_text() {
        assert_eq!(used(Format::Base64Text, "Pj4 "), b"Pj4+");
        assert_eq!(check(Format::Base64Text, "Pj4 "), FormatVerdict::Valid);
        assert_eq!(
            check(Format::Base64Text, "Pj4?"),
            FormatVerdict::InvalidAt(3)
        );
        assert_eq!(used(Format::Base64Text, "Pj4?"), b"Pj4?");
    }

    #[test]
    fn base64_json_tells_which_letter_carries_the_break() {
        assert_eq!(
            check(Format::Base64Json, "eyJhIjoxfQ=="),
            FormatVerdict::Valid
        );
        assert_eq!(used(Format::Base64Json, "eyJhIjoxfQ=="), br#"{"a":1}"#);
        assert_eq!(check(Format::Base64Json, "{"), FormatVerdict::InvalidAt(0));
        // `{"a":x}`: the x is byte 5, in the second group.
        assert_eq!(
            check(Format::Base64Json, "eyJhIjp4fQ=="),
            FormatVerdict::InvalidAt(6)
        );
        assert_eq!(
            check(Format::Base64Json, "eyJh\nIjp4fQ=="),
            FormatVerdict::InvalidAt(7)
        );
        assert_eq!(check(Format::Base64Json, ""), FormatVerdict::InvalidAt(0));
    }

    #[test]
    fn json_breaks_at_the_byte_that_is_wrong() {
        assert_eq!(check(Format::Json, "{\"a\":[1,2]}"), FormatVerdict::Valid);
        assert_eq!(
            check(Format::Json, "{\n\"a\":x}"),
            FormatVerdict::InvalidAt(6)
        );
        assert_eq!(check(Format::Json, "{\"a\""), FormatVerdict::InvalidAt(4));
        assert_eq!(check(Format::Json, "{} x"), FormatVerdict::InvalidAt(3));
        // Deep nesting costs no stack.
        assert_eq!(
            check(Format::Json, &"[".repeat(100_000)),
            FormatVerdict::InvalidAt(100_000)
        );
    }

    #[test]
    fn pem_is_blocks_that_are_closed() {
        let one = "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
        assert_eq!(check(Format::Pem, one), FormatVerdict::Valid);
        assert_eq!(
            check(Format::Pem, &format!("subject=x\n{one}{one}")),
            FormatVerdict::Valid
        );
        let old = "-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\nAAAA\r\n-----END RSA PRIVATE KEY-----";
        assert_eq!(check(Format::Pem, old), FormatVerdict::Valid);
        for (wrong, at) in [
            ("", 0),
            ("no block", 0),
            ("-----BEGIN A-----\nAAAA\n", 0),
            ("-----BEGIN A-----\nAA AA\n-----END A-----", 18),
            ("-----BEGIN A-----\nAAAA\n-----END B-----", 23),
            ("-----BEGIN A-----\nAAA\n-----END A-----", 22),
            ("-----BEGIN A-----\n-----END A-----", 18),
            ("text\n-----END A-----", 5),
        ] {
            assert_eq!(
                check(Format::Pem, wrong),
                FormatVerdict::InvalidAt(at),
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_integer_is_digits_that_fit() {
        for right in ["0", "-1", "007", "9223372036854775807"] {
            assert_eq!(
                check(Format::Integer, right),
                FormatVerdict::Valid,
                "{right}"
            );
        }
        for (wrong, at) in [
            ("", 0),
            ("-", 1),
            ("1x", 1),
            ("-1x", 2),
            ("+1", 0),
            ("9223372036854775808", 0),
        ] {
            assert_eq!(
                check(Format::Integer, wrong),
                FormatVerdict::InvalidAt(at),
                "{wrong}"
            );
        }
    }
}
