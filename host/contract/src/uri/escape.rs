//! Percent escapes: decoded once, and written as Go's `url.QueryEscape` writes them.

/// The first `%` that two hexadecimal digits do not follow, by its byte.
pub(crate) fn broken_escape(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let whole = |at: usize| {
        bytes
            .get(at + 1..at + 3)
            .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    };
    text.match_indices('%')
        .map(|(at, _)| at)
        .find(|at| !whole(*at))
}

/// `text` with its percent escapes undone; a broken one stays as it is.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

/// As [`decode`], in a query: a `+` is a space.
pub(crate) fn decode_query(text: &str) -> Vec<u8> {
    // An escaped `+` is `%2B` at this point, so only the written ones turn into spaces.
    let mut decoded = Vec::with_capacity(text.len());
    for (place, part) in text.split('+').enumerate() {
        if place > 0 {
            decoded.push(b' ');
        }
        decoded.extend(percent_encoding::percent_decode_str(part));
    }
    decoded
}

/// Appends `text` as Go's `url.QueryEscape` writes it: letters, digits and `-_.~` stay, a space is
/// `+`.
pub(super) fn push_query_escaped(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            _ => push_escaped_byte(out, byte),
        }
    }
}

/// Appends bytes so that whatever decodes them, with or without `+` as a space, gets them back.
pub(super) fn push_strictly_escaped(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        push_escaped_byte(out, *byte);
    }
}

fn push_escaped_byte(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
        out.push(char::from(byte));
    } else {
        push_escape(out, byte);
    }
}

/// Appends the escape of a character, whatever it is.
pub(super) fn push_escaped_char(out: &mut String, character: char) {
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        push_escape(out, byte);
    }
}

fn push_escape(out: &mut String, byte: u8) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    out.push('%');
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_broken_escape_is_found_by_its_place() {
        assert_eq!(broken_escape("a%41%e4"), None);
        assert_eq!(broken_escape("a%4"), Some(1));
        assert_eq!(broken_escape("%41%"), Some(3));
        assert_eq!(broken_escape("%%41"), Some(0));
        assert_eq!(broken_escape("%+1"), Some(0));
        assert_eq!(broken_escape("%4ü"), Some(0));
    }

    #[test]
    fn a_query_is_written_as_go_writes_it() {
        let mut out = String::new();
        push_query_escaped(&mut out, "aZ09-_.~ +/=&?#%:@é\n");
        assert_eq!(out, "aZ09-_.~+%2B%2F%3D%26%3F%23%25%3A%40%C3%A9%0A");
    }

    proptest! {
        #[test]
        fn what_is_escaped_decodes_to_itself(text in "(?s).*", bytes: Vec<u8>) {
            let mut query = String::new();
            push_query_escaped(&mut query, &text);
            prop_assert_eq!(decode_query(&query), text.as_bytes());
            let mut strict = String::new();
            push_strictly_escaped(&mut strict, &bytes);
            prop_assert_eq!(decode_query(&strict), &bytes[..]);
            prop_assert_eq!(decode(&strict), &bytes[..]);
            prop_assert_eq!(broken_escape(&strict), None);
        }
    }
}
