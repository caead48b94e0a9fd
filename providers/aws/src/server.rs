//! Where a service of Amazon's is, or the server of `AWS_ENDPOINT` in its place.

use portolan_sdk::{Failure, HostError, check_host, joined};
use url::Url;

/// A server by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsServer {
    /// A name, or an address literal without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether it speaks TLS.
    pub encrypted: bool,
}

impl AwsServer {
    /// Amazon's own server of a service in a region, which is one label.
    #[must_use]
    pub fn of_amazon(service: &str, region: Option<&str>) -> Self {
        Self {
            host: regional(service, region),
            port: 443,
            encrypted: true,
        }
    }

    /// The server of `AWS_ENDPOINT`: a host, and perhaps a scheme and a port.
    ///
    /// # Errors
    ///
    /// More than that stands there, or no host that DNS can have.
    pub fn of_endpoint(endpoint: &str) -> Result<Self, Failure> {
        let url = endpoint_url(endpoint)?;
        let host = url.host_str().unwrap_or_default();
        let host = host
            .strip_prefix('[')
            .and_then(|literal| literal.strip_suffix(']'))
            .unwrap_or(host);
        check_host(host).map_err(wrong_host)?;
        let port = url.port_or_known_default().unwrap_or(443);
        if port == 0 {
            return Err(wrong_host(HostError::Port));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            encrypted: url.scheme() == "https",
        })
    }
}

/// The host that hands out the credentials of roles; a region is one label.
#[must_use]
pub fn token_service(region: Option<&str>) -> String {
    regional("sts", region)
}

/// The host of a service in a region, which is one label.
#[must_use]
pub fn regional(service: &str, region: Option<&str>) -> String {
    match region {
        Some(region) if region.starts_with("cn-") => {
            joined(&[service, ".", region, ".amazonaws.com.cn"])
        }
        Some(region) => joined(&[service, ".", region, ".amazonaws.com"]),
        None => joined(&[service, ".amazonaws.com"]),
    }
}

/// A scheme, a host and a port, and nothing else; `https` is meant where no scheme stands.
fn endpoint_url(text: &str) -> Result<Url, Failure> {
    let (scheme, authority) = text.split_once("://").unwrap_or(("https", text));
    let is_http = scheme.eq_ignore_ascii_case("http");
    if !is_http && !scheme.eq_ignore_ascii_case("https") {
        return Err(refused("AWS_ENDPOINT is no URL of HTTP")
            .with_hint("Write https://HOST or https://HOST:PORT; http:// is not encrypted."));
    }
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    // What a URL parser would read as the border of the host, mend, or leave out without a word.
    let more = |byte: u8| {
        matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'@' | b'%')
            || byte.is_ascii_control()
            || byte.is_ascii_whitespace()
    };
    if authority.bytes().any(more) {
        return Err(refused("AWS_ENDPOINT holds more than a host and a port").with_hint(
            "Leave out the user, path, query and fragment; what is meant on the server stands in \
             the URI itself.",
        ));
    }
    if authority.is_empty() {
        return Err(wrong_host(HostError::Empty));
    }
    if !authority.is_ascii() {
        let host = authority.split(':').next().unwrap_or_default();
        return Err(wrong_host(
            check_host(host).err().unwrap_or(HostError::NoHost),
        ));
    }
    let scheme = if is_http { "http://" } else { "https://" };
    Url::parse(&joined(&[scheme, authority])).map_err(|_| wrong_host(HostError::NoHost))
}

fn wrong_host(error: HostError) -> Failure {
    error.failure("AWS_ENDPOINT").with_option("AWS_ENDPOINT")
}

fn refused(message: &str) -> Failure {
    Failure::invalid_uri(message).with_option("AWS_ENDPOINT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_below_its_region() {
        let server = AwsServer::of_amazon("kms", Some("eu-central-1"));
        assert_eq!(
            (server.host.as_str(), server.port, server.encrypted),
            ("kms.eu-central-1.amazonaws.com", 443, true)
        );
    }

    #[test]
    fn tokens_come_from_the_region() {
        assert_eq!(token_service(None), "sts.amazonaws.com");
        assert_eq!(
            token_service(Some("eu-west-1")),
            "sts.eu-west-1.amazonaws.com"
        );
        assert_eq!(
            token_service(Some("cn-north-1")),
            "sts.cn-north-1.amazonaws.com.cn"
        );
    }
}
