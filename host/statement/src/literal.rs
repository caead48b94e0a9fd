//! Between the text of a literal and how it is written.

use std::fmt;

use portolan_secret::SecretText;
use zeroize::Zeroizing;

use crate::keywords::Keyword;
use crate::lexer::{Token, TokenKind};

/// Why the text of an `e'…'` string cannot be read; the position is in bytes from the start of the
/// literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadEscape {
    pub(crate) reason: &'static str,
    pub(crate) at: usize,
}

/// The text of a string token; empty for any other token.
///
/// # Errors
/// When an escape of an `e'…'` string is not one, or its bytes are not UTF-8.
pub(crate) fn read_string(source: &str, token: &Token) -> Result<SecretText, BadEscape> {
    let raw = source.get(token.span()).unwrap_or_default();
    let text = match token.kind {
        TokenKind::PlainString => undouble(inner(raw, 1, 1), '\''),
        TokenKind::DollarString => {
            // The delimiter is `$tag$`, and no tag holds a `$`.
            let tag = inner(raw, 1, 0).find('$').unwrap_or_default();
            inner(raw, tag + 2, tag + 2).to_owned()
        }
        TokenKind::EscapeString => unescape(inner(raw, 2, 1))?,
        _ => String::new(),
    };
    Ok(SecretText::new(text))
}

/// The text of a word token: as written when quoted, otherwise folded to lower case.
pub(crate) fn read_word(source: &str, token: &Token) -> String {
    let raw = source.get(token.span()).unwrap_or_default();
    match token.kind {
        TokenKind::QuotedWord => undouble(inner(raw, 1, 1), '"'),
        _ => raw.to_lowercase(),
    }
}

fn inner(raw: &str, before: usize, after: usize) -> &str {
    raw.len()
        .checked_sub(after)
        .and_then(|end| raw.get(before..end))
        .unwrap_or_default()
}

/// Reserves the whole length first, so that no half-written copy is left behind in freed memory.
fn undouble(raw: &str, quote: char) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut skip = false;
    for c in raw.chars() {
        if skip {
            skip = false;
        } else {
            text.push(c);
            skip = c == quote;
        }
    }
    text
}

fn unescape(raw: &str) -> Result<String, BadEscape> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(raw.len()));
    let mut rest = raw;
    while let Some(stop) = rest.find(['\\', '\'']) {
        let (plain, tail) = rest.split_at(stop);
        bytes.extend_from_slice(plain.as_bytes());
        // Counted from the start of the literal, which has `e'` in front.
        let at = 2 + raw.len() - tail.len();
        let mut after = tail.chars();
        after.next();
        if tail.starts_with('\'') {
            bytes.push(b'\'');
            after.next();
            rest = after.as_str();
            continue;
        }
        let escape = after.next();
        let body = after.as_str();
        rest = match escape {
            Some('x' | 'X') => numeric(&mut bytes, body, 16, 2, 2, at)?,
            Some('u') => numeric(&mut bytes, body, 16, 4, 4, at)?,
            Some('U') => numeric(&mut bytes, body, 16, 8, 8, at)?,
            Some('0'..='7') => numeric(&mut bytes, tail.get(1..).unwrap_or_default(), 8, 3, 1, at)?,
            Some(other) => {
                let plain = match other {
                    'a' => '\x07',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\x0b',
                    '\\' | '\'' | '"' => other,
                    _ => {
                        return Err(BadEscape {
                            reason: "unknown escape",
                            at,
                        });
                    }
                };
                bytes.push(plain as u8);
                body
            }
            None => {
                return Err(BadEscape {
                    reason: "unfinished escape",
                    at,
                });
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(BadEscape {
            reason: "escapes that make no UTF-8 text",
            at: 0,
        }),
    }
}

/// Reads the digits of a numeric escape and gives what follows them. Two and three digits are a
/// byte, four and eight a character.
fn numeric<'a>(
    bytes: &mut Vec<u8>,
    body: &'a str,
    radix: u32,
    most: usize,
    least: usize,
    at: usize,
) -> Result<&'a str, BadEscape> {
    let length = body
        .chars()
        .take(most)
        .take_while(|c| c.is_digit(radix))
        .count();
    let (digits, rest) = body.split_at_checked(length).unwrap_or_default();
    if length < least {
        return Err(BadEscape {
            reason: "too few digits in an escape",
            at,
        });
    }
    let number = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    if most > 3 {
        let c = char::from_u32(number).ok_or(BadEscape {
            reason: "an escape that is no character",
            at,
        })?;
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let byte = u8::try_from(number).map_err(|_| BadEscape {
            reason: "an escape that is no byte",
            at,
        })?;
        bytes.push(byte);
    }
    Ok(rest)
}

/// Writes a text as a string literal: `'…'`, or `e'…'` where it holds a quote, a backslash or a
/// control character.
pub(crate) fn write_string(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    if !text.contains(|c: char| c == '\'' || c == '\\' || c.is_control()) {
        return write!(out, "'{text}'");
    }
    out.write_str("e'")?;
    for c in text.chars() {
        match c {
            '\'' | '\\' => write!(out, "\\{c}")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if c.is_ascii_control() => write!(out, "\\x{:02x}", c as u32)?,
            c if c.is_control() => write!(out, "\\u{:04x}", c as u32)?,
            c => out.write_char(c)?,
        }
    }
    out.write_char('\'')
}

/// Writes a word as an identifier, quoted where it would not read back as itself.
pub(crate) fn write_identifier(out: &mut impl fmt::Write, word: &str) -> fmt::Result {
    let plain = word.starts_with(|c: char| c == '_' || c.is_ascii_lowercase())
        && word.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_$".contains(&byte)
        })
        && Keyword::find(word).is_none_or(Keyword::is_name);
    if plain {
        out.write_str(word)
    } else {
        write!(out, "\"{}\"", word.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::Lexer;

    fn read(source: &str) -> Result<String, BadEscape> {
        read_string(source, &Lexer::new(source, 0).next()).map(|text| text.expose().to_owned())
    }

    #[test]
    fn escapes_stand_for_their_characters() {
        assert_eq!(read("'it''s \\n'").as_deref(), Ok("it's \\n"));
        assert_eq!(
            read(r"e'a\n\t\\\'''\x41\101\u00e9\U0001F600'").as_deref(),
            Ok("a\n\t\\''AAé😀")
        );
        assert_eq!(read(r"e'\xc3\xa9\7'").as_deref(), Ok("é\x07"));
        assert_eq!(read("$a$it's \\n$$ $1$a$").as_deref(), Ok("it's \\n$$ $1"));
    }

    #[test]
    fn a_broken_escape_is_told_with_its_place() {
        let reason = |source| read(source).map_err(|bad| (bad.reason, bad.at));
        assert_eq!(reason(r"e'ab\q'"), Err(("unknown escape", 4)));
        assert_eq!(reason(r"e'\x4'"), Err(("too few digits in an escape", 2)));
        assert_eq!(reason(r"e'\777'"), Err(("an escape that is no byte", 2)));
        assert_eq!(
            reason(r"e'\ud800'"),
            Err(("an escape that is no character", 2))
        );
        assert_eq!(
            reason(r"e'\xff'"),
            Err(("escapes that make no UTF-8 text", 0))
        );
    }

    #[test]
    fn a_written_string_reads_back() {
        for text in [
            "",
            "plain",
            "it's",
            "back\\slash",
            "a\nb\r\t\0\x1b\u{85}",
            "é😀$$",
        ] {
            let mut written = String::new();
            write_string(&mut written, text).expect("a String takes everything");
            assert_eq!(read(&written).as_deref(), Ok(text), "{written}");
        }
    }

    #[test]
    fn identifiers_are_quoted_where_they_must_be() {
        for (word, written) in [
            ("backup_1", "backup_1"),
            ("foo-bar", "\"foo-bar\""),
            ("Foo", "\"Foo\""),
            ("user", "\"user\""),
            ("full", "\"full\""),
            ("admin", "admin"),
            ("a\"b", "\"a\"\"b\""),
            ("", "\"\""),
        ] {
            let mut out = String::new();
            write_identifier(&mut out, word).expect("a String takes everything");
            assert_eq!(out, written);
        }
    }
}
