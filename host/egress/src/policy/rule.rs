//! What an operator writes to allow more than public addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Host;

/// One exception: `HOST[:PORT]` or `CIDR[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    place: Place,
    /// Without one, every port.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Name(String),
    /// One label, then this name.
    Below(String),
    Address(IpAddr),
    Network(IpNet),
}

/// A text that is no rule, with what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidRule {
    problem: String,
}

impl InvalidRule {
    /// The SQLSTATE that a command ends with because of it.
    pub const SQLSTATE: &'static str = "22023";

    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
        }
    }

    /// What to write.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "a rule is HOST[:PORT] or CIDR[:PORT], as in minio.internal:9000, 10.1.0.0/16 or \
         [fd00::/8]:443"
    }
}

impl FromStr for Rule {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let (place, port) = split_port(text)?;
        let place = if place.contains('/') {
            network(place)?
        } else if let Some(name) = place.strip_prefix("*.") {
            match Host::parse(name) {
                Ok(Host::Name(name)) if name.contains('.') => Place::Below(name),
                _ => {
                    return Err(InvalidRule::new(
                        "after *. comes a name of two labels at least",
                    ));
                }
            }
        } else {
            match Host::parse(place) {
                Ok(Host::Name(name)) => Place::Name(name),
                Ok(Host::Address(address)) => Place::Address(address),
                Err(error) => return Err(InvalidRule::new(error.to_string())),
            }
        };
        Ok(Self { place, port })
    }
}

/// The place without its brackets, and the port.
fn split_port(text: &str) -> Result<(&str, Option<u16>), InvalidRule> {
    if let Some(rest) = text.strip_prefix('[') {
        let (literal, after) = rest
            .split_once(']')
            .ok_or_else(|| InvalidRule::new("a bracket is not closed"))?;
        if !literal.contains(':') {
            return Err(InvalidRule::new(
                "only an IPv6 address or network stands in brackets",
            ));
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((literal, Some(read_port(port)?))),
            None if after.is_empty() => Ok((literal, None)),
            None => Err(InvalidRule::new(
                "after the bracket comes nothing but a port",
            )),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        // An IPv6 address without brackets has no port.
        Some((_, after)) if after.contains(':') => Ok((text, None)),
        Some((place, port)) => Ok((place, Some(read_port(port)?))),
    }
}

fn read_port(text: &str) -> Result<u16, InvalidRule> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(InvalidRule::new("a port is a number from 1 to 65535")),
    }
}

fn network(text: &str) -> Result<Place, InvalidRule> {
    let network: IpNet = text.parse().map_err(|_| {
        InvalidRule::new("a network is an address, / and the number of its fixed bits")
    })?;
    if network.trunc() != network {
        let problem = format!(
            "{network} has bits beyond its fixed ones; write {}",
            network.trunc()
        );
        return Err(InvalidRule::new(problem));
    }
    // A mapped network would never match: addresses are compared in their IPv4 form.
    if matches!(network.addr(), IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
        return Err(InvalidRule::new(
            "a mapped network is written as the IPv4 network that it is",
        ));
    }
    Ok(Place::Network(network))
}

impl Rule {
    /// Whether it allows this name on this port; never so for an address.
    #[must_use]
    pub fn admits_name(&self, host: &Host, port: u16) -> bool {
        let Host::Name(name) = host else { return false };
        self.admits_port(port)
            && match &self.place {
                Place::Name(own) => own == name,
                Place::Below(parent) => name
                    .split_once('.')
                    .is_some_and(|(_, below)| below == parent),
                Place::Address(_) | Place::Network(_) => false,
            }
    }

    /// Whether it allows this address on this port; never so for a rule with a name.
    #[must_use]
    pub fn admits_address(&self, address: IpAddr, port: u16) -> bool {
        let address = address.to_canonical();
        self.admits_port(port)
            && match &self.place {
                Place::Address(own) => *own == address,
                Place::Network(network) => network.contains(&address),
                Place::Name(_) | Place::Below(_) => false,
            }
    }

    /// Whether it allows this host on one port at least.
    pub(super) fn admits_some_port(&self, host: &Host) -> bool {
        let port = self.port.unwrap_or(1);
        match host {
            Host::Name(_) => self.admits_name(host, port),
            Host::Address(address) => self.admits_address(*address, port),
        }
    }

    fn admits_port(&self, port: u16) -> bool {
        port != 0 && self.port.is_none_or(|own| own == port)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) => f.write_str(name)?,
            Place::Below(name) => write!(f, "*.{name}")?,
            Place::Address(address) => Host::Address(*address).fmt(f)?,
            Place::Network(network @ IpNet::V6(_)) => write!(f, "[{network}]")?,
            Place::Network(network) => network.fmt(f)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for Rule {
    type Error = InvalidRule;

    fn try_from(text: String) -> Result<Self, InvalidRule> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_printed_in_its_one_form_and_reads_back() {
        for (text, shown) in [
            ("MinIO.internal.:9000", "minio.internal:9000"),
            ("localhost", "localhost"),
            ("*.minio.internal", "*.minio.internal"),
            ("10.1.2.3:9000", "10.1.2.3:9000"),
            ("0x7f.1", "127.0.0.1"),
            ("10.1.0.0/16", "10.1.0.0/16"),
            ("10.1.0.0/16:443", "10.1.0.0/16:443"),
            ("::1", "[::1]"),
            ("[::1]:80", "[::1]:80"),
            ("fd00::/8", "[fd00::/8]"),
            ("[fd00::/8]:443", "[fd00::/8]:443"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            let rule: Rule = text.parse().expect(text);
            assert_eq!(rule.to_string(), shown);
            assert_eq!(shown.parse(), Ok(rule));
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_to_write() {
        for text in [
            "",
            "*",
            "*.com",
            "*.*.a.b",
            "a.*.b",
            "a:0",
            "a:65536",
            "a:x",
            "a:",
            "http://a",
            "a/b",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "[10.0.0.1]:80",
            "[::1",
            "[::1]x",
            "a b",
            "u@h:1",
            "::ffff:10.0.0.0/104",
            "a:+1",
        ] {
            let error = text.parse::<Rule>().expect_err(text);
            assert!(
                error
                    .hint()
                    .starts_with("a rule is HOST[:PORT] or CIDR[:PORT]")
            );
        }
        let error = "10.0.0.1/8"
            .parse::<Rule>()
            .expect_err("host bits")
            .to_string();
        assert!(error.contains("write 10.0.0.0/8"), "{error}");
    }
}
