//! Patterns of host names.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RuleContext;

/// A pattern of host names. Case and a trailing dot do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern {
    text: String,
    labels: Vec<Label>,
    end: End,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Label {
    Exact(String),
    One,
    OneOrMore,
}

/// What follows the labels.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Nothing,
    Authority,
    Option(String),
}

/// A text that is no pattern of host names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidHostPattern(&'static str);

impl TryFrom<String> for HostPattern {
    type Error = InvalidHostPattern;

    fn try_from(text: String) -> Result<Self, InvalidHostPattern> {
        if text.len() > 255 {
            return Err(InvalidHostPattern("a host pattern has at most 255 bytes"));
        }
        let (labels, end) = match text.split_once('{') {
            None => (text.as_str(), End::Nothing),
            Some((labels, placeholder)) => (labels, placeholder_end(placeholder)?),
        };
        let labels = match (labels, &end) {
            ("", End::Nothing) => return Err(InvalidHostPattern("a host pattern is not empty")),
            ("", _) => Vec::new(),
            (labels, End::Nothing) => read_labels(labels)?,
            (labels, _) => read_labels(labels.strip_suffix('.').ok_or(InvalidHostPattern(
                "a placeholder is a whole host, or stands after a dot",
            ))?)?,
        };
        let concrete = labels
            .iter()
            .rev()
            .take_while(|label| matches!(label, Label::Exact(_)))
            .count();
        if end == End::Nothing && concrete < 2 && concrete < labels.len() {
            return Err(InvalidHostPattern(
                "a host pattern with * ends in two labels that are written out at least",
            ));
        }
        Ok(Self { labels, end, text })
    }
}

fn placeholder_end(placeholder: &str) -> Result<End, InvalidHostPattern> {
    match placeholder.strip_suffix('}') {
        Some("authority") => Ok(End::Authority),
        Some(name) => match name.strip_prefix("option:") {
            Some(option) if super::check::is_option_name(option) => {
                Ok(End::Option(option.to_owned()))
            }
            _ => Err(InvalidHostPattern(
                "the placeholders are {authority} and {option:NAME}",
            )),
        },
        None => Err(InvalidHostPattern("a placeholder ends the host pattern")),
    }
}

fn read_labels(text: &str) -> Result<Vec<Label>, InvalidHostPattern> {
    let mut labels = Vec::new();
    for (place, label) in text.split('.').enumerate() {
        labels.push(match label {
            "*" => Label::One,
            "**" if place == 0 => Label::OneOrMore,
            _ if is_label(label) => Label::Exact(label.to_ascii_lowercase()),
            _ => {
                return Err(InvalidHostPattern(
                    "a label is letters, digits and hyphens, * for any one, or a first ** for one or more",
                ));
            }
        });
    }
    Ok(labels)
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl HostPattern {
    /// The pattern as the manifest writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `{authority}` alone: the hosts of the URI and nothing below them.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.labels.is_empty() && self.end == End::Authority
    }

    /// The option that it refers to.
    #[must_use]
    pub fn option(&self) -> Option<&str> {
        match &self.end {
            End::Option(name) => Some(name),
            _ => None,
        }
    }

    /// Whether every host that it matches is `domain` or a name below it.
    #[must_use]
    pub fn stays_below(&self, domain: &str) -> bool {
        let wanted: Vec<_> = domain.split('.').collect();
        self.end == End::Nothing
            && self.labels.len() >= wanted.len()
            && self
                .labels
                .iter()
                .rev()
                .zip(wanted.iter().rev())
                .all(|(label, wanted)| matches!(label, Label::Exact(text) if text == wanted))
    }

    /// Whether `host`, a name or an address literal without brackets, matches.
    #[must_use]
    pub fn matches(&self, host: &str, context: &RuleContext) -> bool {
        let host = normal(host);
        match &self.end {
            End::Nothing => match_labels(&self.labels, &host),
            End::Authority => context
                .authority()
                .iter()
                .any(|given| self.matches_below(&host, &normal(&given.host))),
            End::Option(name) => context
                .hosts_of(name)
                .any(|base| self.matches_below(&host, &normal(base))),
        }
    }

    fn matches_below(&self, host: &str, base: &str) -> bool {
        if base.is_empty() {
            return false;
        }
        if self.labels.is_empty() {
            return host == base;
        }
        host.strip_suffix(base)
            .and_then(|rest| rest.strip_suffix('.'))
            .is_some_and(|rest| match_labels(&self.labels, rest))
    }
}

fn normal(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// `**` stands first or nowhere, so labels are compared from the right and nothing is tried twice.
fn match_labels(labels: &[Label], host: &str) -> bool {
    let mut rest = host.rsplit('.');
    for label in labels.iter().rev() {
        match (label, rest.next()) {
            (_, None | Some("")) => return false,
            (Label::Exact(text), Some(given)) if text != given => return false,
            (Label::Exact(_) | Label::One, Some(_)) => {}
            (Label::OneOrMore, Some(_)) => return rest.all(|given| !given.is_empty()),
        }
    }
    rest.next().is_none()
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::AuthorityHost;
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::try_from(text.to_owned()).expect("a pattern")
    }

    fn context() -> RuleContext {
        RuleContext::of(
            vec![AuthorityHost {
                host: "Broker.example.com".into(),
                port: Some(9092),
            }],
            vec![(
                "AWS_ENDPOINT".into(),
                "https://minio.example.org:9000/x".into(),
            )],
        )
    }

    #[test]
    fn a_star_is_one_label_and_two_are_one_or_more() {
        let matches = |text: &str, host: &str| pattern(text).matches(host, &RuleContext::default());
        assert!(matches("*.googleapis.com", "storage.googleapis.com"));
        assert!(matches("*.googleapis.com", "Storage.GoogleApis.com."));
        assert!(!matches("*.googleapis.com", "a.storage.googleapis.com"));
        assert!(!matches("*.googleapis.com", "googleapis.com"));
        assert!(!matches("*.googleapis.com", ".googleapis.com"));
        assert!(!matches(
            "*.googleapis.com",
            "storage.googleapis.com.evil.example"
        ));
        assert!(matches(
            "**.s3.*.amazonaws.com",
            "a.b.s3.eu-west-1.amazonaws.com"
        ));
        assert!(!matches(
            "**.s3.*.amazonaws.com",
            "s3.eu-west-1.amazonaws.com"
        ));
        assert!(!matches(
            "**.s3.*.amazonaws.com",
            "a..s3.eu-west-1.amazonaws.com"
        ));
    }

    #[test]
    fn placeholders_stand_for_hosts_of_the_uri() {
        assert!(pattern("{authority}").matches("broker.example.com", &context()));
        assert!(!pattern("{authority}").matches("x.broker.example.com", &context()));
        assert!(pattern("{option:AWS_ENDPOINT}").matches("minio.example.org", &context()));
        assert!(pattern("*.{option:AWS_ENDPOINT}").matches("bucket.minio.example.org", &context()));
        assert!(!pattern("*.{option:AWS_ENDPOINT}").matches("bucketminio.example.org", &context()));
        let several = RuleContext::of(
            Vec::new(),
            vec![("host".into(), "a.example.org,B.example.org:7,::1".into())],
        );
        for host in ["a.example.org", "b.example.org", "::1"] {
            assert!(pattern("{option:host}").matches(host, &several), "{host}");
        }
        let one_url = RuleContext::of(
            Vec::new(),
            vec![("host".into(), "https://a.example.org/x,evil.example".into())],
        );
        assert!(!pattern("{option:host}").matches("evil.example", &one_url));
        assert!(!pattern("{option:OTHER}").matches("minio.example.org", &context()));
        assert!(!pattern("{authority}").matches("", &RuleContext::default()));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in [
            "",
            "*",
            "**",
            "*.com",
            "a.*",
            "a.**.b.c",
            "a*.example.com",
            "{host}",
            "x{authority}",
            "{authority}.x",
            "-a.example.com",
            "a..b.c",
            "{option:}",
            "https://a.example.com",
        ] {
            assert!(HostPattern::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_knows_the_domain_that_it_stays_in() {
        assert!(pattern("*.googleapis.com").stays_below("googleapis.com"));
        assert!(!pattern("*.notgoogleapis.com").stays_below("googleapis.com"));
        assert!(!pattern("{authority}").stays_below("googleapis.com"));
    }
}
