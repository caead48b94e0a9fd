//! What a text names: a host, or an address in any of its spellings.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A host in its one normal form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name: lower case, in ASCII, without a trailing dot.
    Name(String),
    /// An address; a mapped one is the IPv4 address that it is.
    Address(IpAddr),
}

/// A text that names no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is neither a DNS name nor an address")]
pub struct InvalidHost;

impl Host {
    /// Reads a host without its port; an IPv6 address may stand in brackets.
    ///
    /// # Errors
    ///
    /// [`InvalidHost`] for everything that is not exactly a host: userinfo, ports, paths, percent
    /// escapes, zones, empty or overlong labels.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        // Longer than any spelling of a name; what follows is not linear in the length of a label.
        if text.len() > 1024 {
            return Err(InvalidHost);
        }
        let bracketed = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(literal) = bracketed {
            let address: Ipv6Addr = literal.parse().map_err(|_| InvalidHost)?;
            return Ok(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        // The parser below would decode escapes; a host that is dialled has none.
        if text.contains('%') {
            return Err(InvalidHost);
        }
        match url::Host::parse(text) {
            Ok(url::Host::Ipv4(address)) => Ok(Self::Address(IpAddr::V4(address))),
            Ok(url::Host::Ipv6(address)) => Ok(Self::Address(IpAddr::V6(address).to_canonical())),
            Ok(url::Host::Domain(name)) => Self::name(&name),
            Err(_) => Err(InvalidHost),
        }
    }

    fn name(name: &str) -> Result<Self, InvalidHost> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| {
                    byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || matches!(byte, b'-' | b'_')
                })
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return Err(InvalidHost);
        }
        Ok(Self::Name(name.to_owned()))
    }
}

impl fmt::Display for Host {
    /// As it stands before a `:` and a port: an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Host::parse(text).ok().map(|host| host.to_string())
    }

    #[test]
    fn a_name_has_one_form() {
        assert_eq!(shown("Example.COM.").as_deref(), Some("example.com"));
        assert_eq!(
            shown("bücher.example").as_deref(),
            Some("xn--bcher-kva.example")
        );
        assert_eq!(shown("a_b-c.example").as_deref(), Some("a_b-c.example"));
    }

    #[test]
    fn an_address_has_one_form_however_it_is_spelled() {
        for text in [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.1.",
            "[::ffff:7f00:1]",
            "１２７.0.0.1",
        ] {
            assert_eq!(shown(text).as_deref(), Some("127.0.0.1"), "{text}");
        }
        assert_eq!(shown("fd00:0::1").as_deref(), Some("[fd00::1]"));
    }

    #[test]
    fn what_is_more_or_less_than_a_host_is_none() {
        for text in [
            "",
            ".",
            "a..b",
            "a@b",
            "a:1",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a b",
            "%31",
            "[::1",
            "fe80::1%eth0",
            "[127.0.0.1]",
            "256.0.0.1",
            "1.2.3.4.5",
            "0x100000000",
            "a.b..",
            "-a.b",
            "a\u{0}b",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(shown(&"a".repeat(64)), None);
        assert_eq!(shown(&["a"; 200].join(".")), None);
    }
}
