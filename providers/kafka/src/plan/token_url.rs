//! The URL of a token service.

use portolan_sdk::{Failure, HostError, check_host, joined};
use url::Url;

/// Where tokens are asked for.
pub(super) struct TokenUrl {
    pub(super) host: String,
    pub(super) port: u16,
}

impl TokenUrl {
    pub(super) fn of(text: &str) -> Result<Self, Failure> {
        let url = Url::parse(text).map_err(|_| malformed("it is no URL"))?;
        if url.scheme() != "https" {
            return Err(malformed("it is no URL of https"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(malformed("it holds a user or a fragment"));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host
            .strip_prefix('[')
            .and_then(|literal| literal.strip_suffix(']'))
            .unwrap_or(host);
        check_host(host).map_err(wrong_host)?;
        match url.port_or_known_default() {
            Some(port) if port > 0 => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            _ => Err(wrong_host(HostError::Port)),
        }
    }
}

fn malformed(problem: &str) -> Failure {
    Failure::invalid_uri(joined(&["malformed token url: ", problem]))
        .with_hint("Write https://HOST/PATH, escaped as a value of the URI.")
        .with_option("sasl_token_url")
}

fn wrong_host(error: HostError) -> Failure {
    let failure = error.failure("malformed token url: it");
    failure.with_option("sasl_token_url")
}
