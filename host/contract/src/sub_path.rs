//! Paths below a connection, which never lead out of it.

use std::fmt;
use std::str::FromStr;

/// The most bytes of a path as written.
const MAX_BYTES: usize = 4096;

/// A path below a connection: decoded once and split at `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SubPath {
    segments: Vec<String>,
    trailing_slash: bool,
}

/// Why a path is refused. It says nothing of the path but the place of the segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubPathError {
    /// It is too long.
    #[error("the path has {0} bytes; the most is {MAX_BYTES}")]
    TooLong(usize),
    /// A segment is `.` or `..`, or is one after decoding.
    #[error("segment {0} of the path is \".\" or \"..\"")]
    Climbs(usize),
    /// An inner segment is empty.
    #[error("segment {0} of the path is empty")]
    Empty(usize),
    /// A segment holds NUL, a backslash or an escaped `/`.
    #[error("segment {0} of the path holds a NUL, a backslash or an escaped /")]
    Forbidden(usize),
    /// A segment decodes to something that would be refused if it were decoded again.
    #[error("segment {0} of the path is escaped twice")]
    EscapedTwice(usize),
    /// A percent escape is broken, or its bytes are not UTF-8.
    #[error("segment {0} of the path has an escape that is broken or not UTF-8")]
    Escape(usize),
}

impl SubPathError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Climbs(_) => "a name is a fence: \"..\" is refused",
            Self::TooLong(_) => "shorten the path, or put the beginning into the connection's URI",
            Self::Empty(_) => "write one / between segments",
            Self::Forbidden(_) => "a / always separates segments; leave out NUL and backslashes",
            Self::EscapedTwice(_) => "escape the path once: a % in a name is %25",
            Self::Escape(_) => "write a % as %25",
        }
    }
}

impl SubPath {
    /// The segments, decoded; none is empty, `.` or `..`.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Whether there is no path.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether a `/` follows the last segment, as for a folder.
    #[must_use]
    pub fn trailing_slash(&self) -> bool {
        self.trailing_slash
    }
}

impl FromStr for SubPath {
    type Err = SubPathError;

    /// Reads what stands after the `/` that follows a connection's name.
    fn from_str(text: &str) -> Result<Self, SubPathError> {
        if text.len() > MAX_BYTES {
            return Err(SubPathError::TooLong(text.len()));
        }
        let (text, trailing_slash) = match text.strip_suffix('/') {
            Some(before) => (before, true),
            None => (text, false),
        };
        if text.is_empty() {
            // `//` is an empty segment, `/` is no path at all.
            return if trailing_slash {
                Err(SubPathError::Empty(1))
            } else {
                Ok(Self::default())
            };
        }
        let segments = text
            .split('/')
            .enumerate()
            .map(|(place, segment)| read_segment(segment, place + 1))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            segments,
            trailing_slash,
        })
    }
}

fn read_segment(text: &str, place: usize) -> Result<String, SubPathError> {
    if crate::uri::broken_escape(text).is_some() {
        return Err(SubPathError::Escape(place));
    }
    let decoded =
        String::from_utf8(crate::uri::decode(text)).map_err(|_| SubPathError::Escape(place))?;
    judge(&decoded, place)?;
    // Somebody behind us may decode again; then as well nothing may climb. Each round is shorter.
    let mut again = decoded.clone();
    while again.contains('%') {
        let next = String::from_utf8_lossy(&crate::uri::decode(&again)).into_owned();
        if next == again {
            break;
        }
        judge(&next, place).map_err(|_| SubPathError::EscapedTwice(place))?;
        again = next;
    }
    Ok(decoded)
}

fn judge(segment: &str, place: usize) -> Result<(), SubPathError> {
    match segment {
        "" => Err(SubPathError::Empty(place)),
        "." | ".." => Err(SubPathError::Climbs(place)),
        _ if segment.contains(['\0', '\\', '/']) => Err(SubPathError::Forbidden(place)),
        _ => Ok(()),
    }
}

impl fmt::Display for SubPath {
    /// The decoded path with `/` between segments: for a key in a store, not for a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.segments.join("/"))?;
        if self.trailing_slash {
            f.write_str("/")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_decoded_once_and_split_at_slashes() {
        let path: SubPath = "2026/a%20b/50%25/ü".parse().expect("a path");
        assert_eq!(path.segments(), ["2026", "a b", "50%", "ü"]);
        assert_eq!(path.to_string(), "2026/a b/50%/ü");
        assert!(!path.trailing_slash());
        let path: SubPath = "daily/".parse().expect("a path");
        assert!(path.trailing_slash());
        assert_eq!(path.to_string(), "daily/");
        assert_eq!("".parse(), Ok(SubPath::default()));
        assert_eq!(
            "...".parse::<SubPath>().map(|path| path.to_string()),
            Ok("...".into())
        );
    }

    #[test]
    fn whatever_may_climb_is_refused() {
        use SubPathError as E;
        for (text, error) in [
            ("..", E::Climbs(1)),
            ("a/../b", E::Climbs(2)),
            ("a/%2e%2E", E::Climbs(2)),
            ("./a", E::Climbs(1)),
            ("a//b", E::Empty(2)),
            ("/", E::Empty(1)),
            ("/a", E::Empty(1)),
            ("a//", E::Empty(2)),
            ("a\\b", E::Forbidden(1)),
            ("a%5cb", E::Forbidden(1)),
            ("a%00", E::Forbidden(1)),
            ("a%2fb", E::Forbidden(1)),
            ("%252e%252e", E::EscapedTwice(1)),
            ("%25252e.", E::EscapedTwice(1)),
            ("a%252fb", E::EscapedTwice(1)),
            ("a%255c", E::EscapedTwice(1)),
            ("%ff", E::Escape(1)),
            ("100%", E::Escape(1)),
        ] {
            assert_eq!(text.parse::<SubPath>(), Err(error), "{text}");
        }
        let long = "a".repeat(4097);
        assert_eq!(long.parse::<SubPath>(), Err(E::TooLong(4097)));
    }

    proptest! {
        #[test]
        fn no_segment_climbs_however_often_it_is_decoded(text in "([a./\\\\]|%(25)*(2[eEfF]|5[cC]|00)){0,12}") {
            if let Ok(path) = text.parse::<SubPath>() {
                for segment in path.segments() {
                    let mut decoded = segment.clone();
                    for _ in 0..40 {
                        prop_assert!(!matches!(decoded.as_str(), "" | "." | ".."), "{}", text);
                        prop_assert!(!decoded.contains(['/', '\\', '\0']), "{}", text);
                        decoded = percent_encoding::percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
                    }
                }
            }
        }
    }
}
