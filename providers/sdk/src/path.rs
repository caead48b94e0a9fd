//! The path of a URI, as the name of a place.

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
