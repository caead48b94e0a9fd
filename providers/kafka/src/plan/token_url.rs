//! The URL of a token service.

use portolan_sdk::{Failure, HostAndPort, joined};

/// Where tokens are asked for.
pub(super) struct TokenUrl {
    pub(super) host: String,
    pub(super) port: u16,
}

impl TokenUrl {
    /// The host and the port of `https://HOST[:PORT][/PATH][?QUERY]`. The host of this component
    /// parses the URL as a whole, and sends a secret only where both have found the same.
    pub(super) fn of(text: &str) -> Result<Self, Failure> {
        let scheme = text.split_once("://").map(|(scheme, rest)| {
            let is_https = scheme.eq_ignore_ascii_case("https");
            (is_https, rest)
        });
        let rest = match scheme {
            None => return Err(malformed("it is no URL")),
            Some((false, _)) => return Err(malformed("it is no URL of https")),
            Some((true, rest)) => rest,
        };
        // What parsers of URLs drop without a word, or read as another character.
        if !rest
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            return Err(malformed("it holds a character that a URL cannot have"));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(end);
        if authority.contains('@') || after.contains('#') {
            return Err(malformed("it holds a user or a fragment"));
        }
        let place = HostAndPort::of(authority).map_err(|error| {
            let failure = error.failure("malformed token url: it");
            failure.with_option("sasl_token_url")
        })?;
        Ok(Self {
            host: place.host,
            port: place.port.unwrap_or(443),
        })
    }
}

fn malformed(problem: &str) -> Failure {
    Failure::invalid_uri(joined(&["malformed token url: ", problem]))
        .with_hint("Write https://HOST/PATH, escaped as a value of the URI.")
        .with_option("sasl_token_url")
}
