//! The path of a URI, as the name of a place.

use crate::{Failure, UriPieces, Value};

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// A segment is `.` or `..`, or decodes to it, however often.
    DotSegment,
    /// A character that no object name may have: NUL, or a backslash.
    Character,
    /// The decoded path is no UTF-8.
    NotUtf8,
}

impl PathError {
    /// What is wrong, as a sentence without its end.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::DotSegment => "the path holds a `.` or `..` segment",
            Self::Character => "the path holds a NUL or a backslash",
            Self::NotUtf8 => "the path is not UTF-8 once it is decoded",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::DotSegment => {
                "Write the directory that is meant, without dots and without escapes of them."
            }
            Self::Character => "Write / between the directories of the path.",
            Self::NotUtf8 => "Write the path in UTF-8, percent-encoded where it must be.",
        }
    }
}

/// What the path of a URI is as the prefix of an object store, without a slash at either end.
///
/// # Errors
///
/// As [`decoded_path`], and a control character in the decoded path.
pub fn object_prefix(uri: &UriPieces) -> Result<String, Failure> {
    let Value::Text(path) = &uri.path else {
        return Err(Failure::invalid_uri(
            "an object store needs its path as text",
        ));
    };
    let prefix = decoded_path(path)
        .map_err(|error| Failure::invalid_uri(error.message()).with_hint(error.hint()))?;
    if prefix.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(Failure::invalid_uri("the path holds a control character")
            .with_hint("Write the path without line breaks, tabs and their escapes."));
    }
    Ok(prefix)
}

/// A path, decoded once: its segments with `/` between them, empty ones left out.
///
/// # Errors
///
/// A segment that is `.` or `..`, and NUL or a backslash, in any encoding: what decodes to them when
/// it is decoded again, however often, is refused as well.
pub fn decoded_path(path: &str) -> Result<String, PathError> {
    let all_the_way = decoded_until_nothing_changes(path.as_bytes());
    if all_the_way.iter().any(|byte| matches!(byte, 0 | b'\\')) {
        return Err(PathError::Character);
    }
    if all_the_way
        .split(|byte| *byte == b'/')
        .any(|segment| segment == b"." || segment == b"..")
    {
        return Err(PathError::DotSegment);
    }
    let decoded = percent_encoding::percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| PathError::NotUtf8)?;
    let mut out = String::with_capacity(decoded.len());
    for segment in decoded.split('/').filter(|segment| !segment.is_empty()) {
        if !out.is_empty() {
            out.push('/');
        }
        out.push_str(segment);
    }
    Ok(out)
}

/// Percent-decodes again and again, in one pass: an escape is replaced where it ends, and what it
/// becomes may end another one. Two escapes cannot overlap, so the order does not matter.
fn decoded_until_nothing_changes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        out.push(*byte);
        while let [.., b'%', high, low] = out[..]
            && let Some(high) = char::from(high).to_digit(16)
            && let Some(low) = char::from(low).to_digit(16)
        {
            out.truncate(out.len() - 3);
            // Two hexadecimal digits are at most 255.
            out.push((high * 16 + low) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_once_and_empty_ones_left_out() {
        let decoded = |path| decoded_path(path).expect(path);
        assert_eq!(decoded("/a%20b//c%2Fd/%2541/"), "a b/c/d/%41");
        assert_eq!(decoded("/"), "");
        assert_eq!(decoded("/...a/.b/..c"), "...a/.b/..c");
    }

    #[test]
    fn a_dot_segment_is_refused_in_every_encoding() {
        for path in [
            "/..",
            "/a/../b",
            "/a/./b",
            "/%2e%2e/b",
            "/%2E./b",
            "/%252e%252e/b",
            "/%25252e/b",
            "/%25%32%65.",
            "/a%2f..%2fb",
            "/a%252f%2e%252fb",
            "/%%32%65",
        ] {
            assert_eq!(decoded_path(path), Err(PathError::DotSegment), "{path}");
        }
    }

    #[test]
    fn nul_and_backslash_are_refused_in_every_encoding() {
        for path in ["/a\\b", "/%5c", "/%255C", "/%00", "/%2500"] {
            assert_eq!(decoded_path(path), Err(PathError::Character), "{path}");
        }
    }

    #[test]
    fn the_prefix_of_a_store_is_its_path_without_slashes_at_its_ends() {
        use crate::testing::pieces;
        let prefix = |uri: &str| object_prefix(&pieces(uri, &[])).map_err(|it| it.message);
        assert_eq!(prefix("s3://b"), Ok(String::new()));
        assert_eq!(prefix("s3://b/a%20b//c/"), Ok("a b/c".to_owned()));
        for (uri, message) in [
            ("s3://b/a/../c", "the path holds a `.` or `..` segment"),
            ("s3://b/a%5cc", "the path holds a NUL or a backslash"),
            ("s3://b/%ff", "the path is not UTF-8 once it is decoded"),
            ("s3://b/a%0ac", "the path holds a control character"),
        ] {
            assert_eq!(prefix(uri), Err(message.to_owned()), "{uri}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(decoded_path("/%ff"), Err(PathError::NotUtf8));
    }

    #[test]
    fn the_one_pass_agrees_with_decoding_again_and_again() {
        let mut state = 1u32;
        for _ in 0..20_000 {
            let text: Vec<u8> = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"%2525e2E./%%"[(state >> 16) as usize % 12]
                })
                .collect();
            let mut expected = text.clone();
            loop {
                let next: Vec<u8> = percent_encoding::percent_decode(&expected).collect();
                if next == expected {
                    break;
                }
                expected = next;
            }
            assert_eq!(decoded_until_nothing_changes(&text), expected);
        }
    }
}
