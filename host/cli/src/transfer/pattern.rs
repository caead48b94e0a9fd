//! Patterns in the paths of URLs: `external://backups/2026-*/x?.sql`.
//!
//! A character is part of the pattern where it stands unescaped in the URL; escaped it belongs to a
//! name. The first segments without such a character are where the listing begins.

use anyhow::Result;
use globset::{GlobBuilder, GlobMatcher};
use percent_encoding::percent_decode_str;
use portolan_contract::SubPath;

use super::place::refused;
use crate::report::Failure;

/// The characters that make a path a pattern.
const SPECIAL: [char; 4] = ['*', '?', '[', '{'];

/// How the one query begins that a URL may have.
const LOCALITY: &str = "COCKROACH_LOCALITY=";

/// A URL, cut where its pattern begins.
#[derive(Debug)]
pub(super) struct Located {
    /// The URL without its pattern, as it was given.
    pub(super) url: String,
    /// What the paths below the connection have to match.
    pub(super) pattern: Option<Pattern>,
}

/// What the path of an object has to be.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    matcher: GlobMatcher,
    /// How many segments the pattern has; none where `**` stands for any number.
    depth: Option<usize>,
    /// Whether there is a path of its depth that it does not match.
    selective: bool,
}

impl Located {
    /// Cuts a URL before the first segment that holds a pattern.
    pub(super) fn read(url: &str) -> Result<Self> {
        let literal = || Self {
            url: url.to_owned(),
            pattern: None,
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Ok(literal());
        };
        // A `?` begins a query where the only parameter that there is follows; else it is a pattern's.
        let (hierarchy, query) = match rest.rsplit_once('?') {
            Some((before, query)) if query.starts_with(LOCALITY) => (before, Some(query)),
            _ => (rest, None),
        };
        let Some((name, path)) = hierarchy.split_once('/') else {
            return Ok(literal());
        };
        if !path.contains(SPECIAL) || path.contains('#') {
            return Ok(literal());
        }
        let sub_path: SubPath = path
            .parse()
            .map_err(|error: portolan_contract::SubPathError| refused(error.into()))?;
        let raw = path.trim_end_matches('/');
        let segments: Vec<&str> = raw.split('/').collect();
        let first = segments
            .iter()
            .position(|segment| segment.contains(SPECIAL))
            .unwrap_or(segments.len());
        let mut url = format!("{scheme}://{name}");
        for segment in &segments[..first] {
            url.push('/');
            url.push_str(segment);
        }
        if let Some(query) = query {
            url.push('?');
            url.push_str(query);
        }
        Ok(Self {
            url,
            pattern: Some(Pattern::new(&segments, first, sub_path.segments().len())?),
        })
    }
}

impl Pattern {
    fn new(segments: &[&str], first: usize, depth: usize) -> Result<Self> {
        let glob: Vec<String> = segments.iter().map(|segment| translated(segment)).collect();
        let matcher = GlobBuilder::new(&glob.join("/"))
            .literal_separator(true)
            .backslash_escape(false)
            .build()
            .map_err(|error| {
                Failure::new("22023", format!("the pattern in the URL: {}", error.kind()))
                    .hint("write * as %2A, ? as %3F, [ as %5B and { as %7B where a name holds them")
            })?
            .compile_matcher();
        let patterned = &segments[first..];
        Ok(Self {
            matcher,
            depth: (!patterned.contains(&"**")).then_some(depth),
            selective: first > 0
                || patterned
                    .iter()
                    .any(|segment| segment.contains(|c| c != '*')),
        })
    }

    /// Whether the path of an object is one of those that are meant.
    pub(super) fn matches(&self, path: &str) -> bool {
        self.matcher.is_match(path)
    }

    /// The beginning of the path that is one of those that are meant, with something below it.
    pub(super) fn ancestor<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.match_indices('/')
            .filter(|(place, _)| {
                let segments = path[..*place].matches('/').count() + 1;
                self.depth.is_none_or(|depth| depth == segments)
            })
            .map(|(place, _)| &path[..place])
            .find(|ancestor| self.matches(ancestor))
    }

    /// Whether, with all that lies below what it matches, it means everything in the connection.
    pub(super) fn is_everything(&self, recursive: bool) -> bool {
        !self.selective && (recursive || self.depth.is_none())
    }
}

/// Refuses a pattern where one place is meant.
pub(super) fn refuse_pattern(url: &str) -> Result<()> {
    if Located::read(url)?.pattern.is_none() {
        return Ok(());
    }
    Err(Failure::new("22023", "a target takes no pattern")
        .hint("write * as %2A, ? as %3F, [ as %5B and { as %7B where a name holds them")
        .into())
}

/// A segment of a URL as a segment of a glob: what is escaped in the URL stands for itself.
fn translated(segment: &str) -> String {
    let mut glob = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(start) = rest.find('%') {
        let (plain, escaped) = rest.split_at(start);
        glob.push_str(plain);
        // Escapes that follow each other may be one character together.
        let mut end = 0;
        while escaped[end..].starts_with('%') && escaped.is_char_boundary(end + 3) {
            end += 3;
        }
        // A broken escape was refused before; it would stand for itself.
        let end = end.max(1);
        let decoded = percent_decode_str(&escaped[..end]).decode_utf8_lossy();
        glob.push_str(&globset::escape(&decoded));
        rest = &escaped[end..];
    }
    glob.push_str(rest);
    glob
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(url: &str) -> (String, Pattern) {
        let located = Located::read(url).expect("a url");
        (located.url, located.pattern.expect("a pattern"))
    }

    #[test]
    fn the_listing_begins_at_the_segments_without_a_pattern() {
        for (url, begin) in [
            ("external://b/2026-*/x?.sql", "external://b"),
            ("external://b/a/c/x*", "external://b/a/c"),
            ("external://b/a%2A/{x,y}/z", "external://b/a%2A"),
            (
                "external://b/a/x?y?COCKROACH_LOCALITY=z",
                "external://b/a?COCKROACH_LOCALITY=z",
            ),
        ] {
            assert_eq!(located(url).0, begin, "{url}");
        }
        for url in [
            "external://b/a",
            "external://b",
            "external://b/a%2A",
            "external://b/a?COCKROACH_LOCALITY=*",
            "backups/*",
        ] {
            assert!(
                Located::read(url).expect("a url").pattern.is_none(),
                "{url}"
            );
        }
    }

    #[test]
    fn a_pattern_matches_within_its_segments() {
        let (_, pattern) = located("external://b/2026-*/x?.sql");
        assert!(pattern.matches("2026-01/x1.sql"));
        for path in [
            "2026-01/x.sql",
            "2026-01/y/x1.sql",
            "a/2026-01/x1.sql",
            "2025/x1.sql",
        ] {
            assert!(!pattern.matches(path), "{path}");
        }
        let (_, pattern) = located("external://b/**/x");
        assert!(pattern.matches("x") && pattern.matches("a/b/x"));
        let (_, pattern) = located("external://b/[a-c]/{x,y}");
        assert!(pattern.matches("b/x") && !pattern.matches("d/x"));
    }

    #[test]
    fn what_is_escaped_in_the_url_stands_for_itself() {
        let (_, pattern) = located("external://b/%2A%5B1%5D*%C3%BC");
        assert!(pattern.matches("*[1]andü"));
        assert!(!pattern.matches("x1andü"));
    }

    #[test]
    fn a_path_below_a_match_has_an_ancestor_that_matches() {
        let (_, pattern) = located("external://b/2026-*");
        assert_eq!(pattern.ancestor("2026-01/a/b"), Some("2026-01"));
        assert_eq!(pattern.ancestor("2026-01"), None);
        assert_eq!(pattern.ancestor("2025/2026-01/a"), None);
    }

    #[test]
    fn a_pattern_that_means_everything_is_known() {
        for (url, recursive, everything) in [
            ("external://b/*", true, true),
            ("external://b/*", false, false),
            ("external://b/**", false, true),
            ("external://b/*/**", false, true),
            ("external://b/a/**", true, false),
            ("external://b/a*", true, false),
            ("external://b/?", true, false),
        ] {
            assert_eq!(located(url).1.is_everything(recursive), everything, "{url}");
        }
    }

    #[test]
    fn a_pattern_that_climbs_or_is_broken_is_refused() {
        for url in [
            "external://b/*/../x",
            "external://b/*/%2e%2e",
            "external://b//*",
            "external://b/[a",
            "external://b/{a",
            "external://b/*%00",
        ] {
            assert!(Located::read(url).is_err(), "{url}");
        }
        assert!(refuse_pattern("external://b/x*").is_err());
        refuse_pattern("external://b/x%2A").expect("no pattern");
    }
}
