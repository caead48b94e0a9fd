//! Patterns of request paths.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A pattern of request paths, compared segment by segment with decoded segments: `*` is any
/// text within one segment that is not empty, and a last segment `**` is one segment or more.
/// `/{path}` stands for the secret path of a URI, which a provider does not know: it is asked for
/// with no segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern {
    text: String,
}

/// The pattern of the secret path of a URI.
const SECRET: &str = "/{path}";

/// A text that is no pattern of request paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPathPattern(&'static str);

impl TryFrom<String> for PathPattern {
    type Error = InvalidPathPattern;

    fn try_from(text: String) -> Result<Self, InvalidPathPattern> {
        let Some(path) = text.strip_prefix('/') else {
            return Err(InvalidPathPattern("a path pattern starts with /"));
        };
        if text.len() > 512 {
            return Err(InvalidPathPattern("a path pattern has at most 512 bytes"));
        }
        if text == SECRET {
            return Ok(Self { text });
        }
        let last = path.split('/').count() - 1;
        for (place, segment) in path.split('/').enumerate() {
            match segment {
                "" if place == 0 && last == 0 => {}
                "" => return Err(InvalidPathPattern("a path pattern has no empty segment")),
                "." | ".." => return Err(InvalidPathPattern("a path pattern has no . or ..")),
                "**" if place != last => {
                    return Err(InvalidPathPattern(
                        "** is the last segment of a path pattern",
                    ));
                }
                "**" => {}
                _ if segment.contains("**") => {
                    return Err(InvalidPathPattern("** is a segment of its own"));
                }
                _ if segment.contains(['?', '#', '%', '\\', '{', '}']) => {
                    return Err(InvalidPathPattern(
                        "a path pattern is written decoded, without ?, #, %, \\, { and }, or is \
                         /{path}",
                    ));
                }
                _ => {}
            }
        }
        Ok(Self { text })
    }
}

impl PathPattern {
    /// The pattern as the manifest writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for the secret path of the URI.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.text == SECRET
    }

    /// Whether a path matches, given as its decoded segments; none is `/`.
    #[must_use]
    pub fn matches<S: AsRef<str>>(&self, segments: &[S]) -> bool {
        let path = self.text.trim_start_matches('/');
        let mut given = segments.iter().map(AsRef::as_ref);
        if path.is_empty() || self.is_secret() {
            return given.next().is_none();
        }
        for pattern in path.split('/') {
            match (pattern, given.next()) {
                (_, None) => return false,
                ("**", Some(first)) => {
                    return !first.is_empty() && given.all(|segment| !segment.is_empty());
                }
                (pattern, Some(segment)) if !matches_segment(pattern, segment) => return false,
                _ => {}
            }
        }
        given.next().is_none()
    }
}

/// Literals are found from the left, each at its first place after the one before; that is enough
/// where `*` is the only wildcard.
fn matches_segment(pattern: &str, segment: &str) -> bool {
    let mut literals = pattern.split('*');
    let Some(mut rest) = literals
        .next()
        .and_then(|first| segment.strip_prefix(first))
    else {
        return false;
    };
    let mut literals = literals.peekable();
    if literals.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(literal) = literals.next() {
        // The star before this literal takes at least one character.
        let Some(after) = rest.chars().next().map(char::len_utf8) else {
            return false;
        };
        let (_, tail) = rest.split_at(after);
        if literals.peek().is_none() {
            return tail.ends_with(literal);
        }
        match tail.find(literal) {
            Some(place) => rest = tail.split_at(place + literal.len()).1,
            None => return false,
        }
    }
    true
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, segments: &[&str]) -> bool {
        PathPattern::try_from(pattern.to_owned())
            .expect("a pattern")
            .matches(segments)
    }

    #[test]
    fn a_star_stays_in_its_segment_and_takes_something() {
        assert!(matches("/", &[]));
        assert!(!matches("/", &["x"]));
        assert!(matches(
            "/v1/projects/*/topics/*:publish",
            &["v1", "projects", "p", "topics", "t:publish"]
        ));
        assert!(!matches(
            "/v1/projects/*/topics/*:publish",
            &["v1", "projects", "p", "topics", ":publish"]
        ));
        assert!(!matches("/v1/*", &["v1", ""]));
        assert!(!matches("/v1/*", &["v1", "a", "b"]));
        assert!(matches("/a*b*c", &["a1b2c"]));
        assert!(!matches("/a*b*c", &["abc"]));
        assert!(!matches("/ab", &["abc"]));
    }

    #[test]
    fn two_stars_take_the_rest_and_at_least_one_segment() {
        assert!(matches("/v1/**", &["v1", "a", "b"]));
        assert!(!matches("/v1/**", &["v1"]));
        assert!(!matches("/v1/**", &["v1", "a", ""]));
    }

    #[test]
    fn a_secret_path_is_asked_for_without_segments() {
        assert!(matches("/{path}", &[]));
        assert!(!matches("/{path}", &["{path}"]));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in [
            "",
            "v1",
            "/a//b",
            "/../x",
            "/**/x",
            "/a**",
            "/a?b",
            "/%41",
            "/a/",
            "/{path}/x",
            "/{x}",
        ] {
            assert!(PathPattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
