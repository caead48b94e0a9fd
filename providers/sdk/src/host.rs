//! Hosts: what may become a label of one, and what stands in an authority.

use std::net::{IpAddr, Ipv6Addr};

use crate::{Failure, joined};

/// The longest name, in bytes, without a dot at its end.
const MAX_NAME_BYTES: usize = 253;

/// The longest label, in bytes.
const MAX_LABEL_BYTES: usize = 63;

/// Whether a text can be one label of a host that a plan puts together: lower-case letters, digits
/// and inner hyphens, so that it can neither add a label nor end the host.
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    text.bytes()
        .all(|byte| !byte.is_ascii_uppercase() && byte != b'_')
        && is_label(text)
}

/// Whether a host is an address literal, without brackets.
#[must_use]
pub fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// A host with the port that was written behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// A DNS name or an address literal without brackets.
    pub host: String,
    /// The port, where one was written.
    pub port: Option<u16>,
}

impl HostAndPort {
    /// The one host of an authority.
    ///
    /// # Errors
    ///
    /// Says what else stands there.
    pub fn of(authority: &str) -> Result<Self, HostError> {
        if authority.contains(',') {
            return Err(HostError::Several);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (literal, rest) = rest.split_once(']').ok_or(HostError::NoHost)?;
                literal.parse::<Ipv6Addr>().map_err(|_| HostError::NoHost)?;
                let port = match rest.strip_prefix(':') {
                    None if rest.is_empty() => None,
                    None => return Err(HostError::NoHost),
                    port => port,
                };
                (literal, port)
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        check_host(host)?;
        let port = port.map(|port| match port.parse() {
            Ok(0) | Err(_) => Err(HostError::Port),
            Ok(port) => Ok(port),
        });
        Ok(Self {
            host: host.to_owned(),
            port: port.transpose()?,
        })
    }
}

/// What is wrong with a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostError {
    /// Nothing stands there.
    Empty,
    /// Several hosts stand there.
    Several,
    /// The name is not written in ASCII; its form in ASCII, where it has one.
    NotAscii(Option<String>),
    /// It is neither a name nor an address.
    NoHost,
    /// The port is no number from 1 to 65535.
    Port,
}

impl HostError {
    /// The refusal, with `what` before it: the option, or the kind of URI.
    #[must_use]
    pub fn failure(self, what: &str) -> Failure {
        let (problem, hint) = match self {
            Self::Empty => ("names no host", "Write the name of a host."),
            Self::Several => ("names several hosts", "Write one host."),
            Self::NotAscii(Some(ascii)) => {
                return Failure::invalid_uri(joined(&[what, " names a host that is not ASCII"]))
                    .with_hint(joined(&["Write the host as ", &ascii, "."]));
            }
            Self::NotAscii(None) => (
                "names a host that is not ASCII",
                "Write the host in its ASCII form, which begins with xn--.",
            ),
            Self::NoHost => (
                "names no host that DNS can have",
                "Write a name of letters, digits, hyphens and dots, or an address; an IPv6 address \
                 stands in brackets.",
            ),
            Self::Port => (
                "has a port that no server can have",
                "Write a port from 1 to 65535, or none.",
            ),
        };
        Failure::invalid_uri(joined(&[what, " ", problem])).with_hint(hint)
    }
}

/// Checks a host that stands by itself: a name, or an address literal without brackets.
///
/// # Errors
///
/// Says what is wrong with it.
pub fn check_host(host: &str) -> Result<(), HostError> {
    if host.is_empty() {
        return Err(HostError::Empty);
    }
    if !host.is_ascii() {
        return Err(HostError::NotAscii(ascii_form(host)));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_name = name.len() <= MAX_NAME_BYTES && name.split('.').all(is_label);
    if is_name || host.parse::<Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err(HostError::NoHost)
    }
}

/// Letters of either case, digits, underscores and inner hyphens.
fn is_label(text: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The name with each label that is not ASCII in Punycode, in lower case but not normalised further.
fn ascii_form(host: &str) -> Option<String> {
    let mut form = String::with_capacity(host.len() + 8);
    for label in host.split('.') {
        if !form.is_empty() {
            form.push('.');
        }
        if label.is_ascii() {
            form.push_str(label);
        } else {
            // Not `to_lowercase` of texts, whose rules for a final sigma weigh more than this.
            let lower: String = label.chars().flat_map(char::to_lowercase).collect();
            form.push_str("xn--");
            form.push_str(&idna::punycode::encode_str(&lower)?);
        }
    }
    check_host(&form).is_ok().then_some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_can_neither_add_a_label_nor_end_the_host() {
        for right in ["a", "eu-central-1", "0", "a--b", &"a".repeat(63)] {
            assert!(is_dns_label(right), "{right}");
        }
        for wrong in [
            "",
            "a.b",
            "a/b",
            "a@b",
            "a:1",
            "a#",
            "a?b",
            "-a",
            "a-",
            "A",
            "a_b",
            "ä",
            "a b",
            "a%2e",
            "a\\b",
            "a\0",
            "a\n",
            &"a".repeat(64),
        ] {
            assert!(!is_dns_label(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_authority_is_one_host_and_perhaps_a_port() {
        let of = |text: &str| HostAndPort::of(text).map(|it| (it.host, it.port));
        assert_eq!(of("a.example"), Ok(("a.example".to_owned(), None)));
        assert_eq!(
            of("A_b.example.:80"),
            Ok(("A_b.example.".to_owned(), Some(80)))
        );
        assert_eq!(of("[::1]"), Ok(("::1".to_owned(), None)));
        assert_eq!(of("[::1]:8443"), Ok(("::1".to_owned(), Some(8443))));
        assert_eq!(of("127.0.0.1:1"), Ok(("127.0.0.1".to_owned(), Some(1))));
        assert_eq!(of(""), Err(HostError::Empty));
        assert_eq!(of(":80"), Err(HostError::Empty));
        assert_eq!(of("a,b"), Err(HostError::Several));
        for wrong in ["a:", "a:0", "a:65536", "a:b", "a:80:90", "[::1]:0"] {
            assert_eq!(of(wrong), Err(HostError::Port), "{wrong}");
        }
        for wrong in [
            "a..b",
            ".a",
            "a b",
            "a%2eb",
            "a$b",
            "[::1",
            "[::1]x",
            "[fe80::1%25eth0]",
            "[a]",
            "-a.b",
            "[v1.a]",
        ] {
            assert_eq!(of(wrong), Err(HostError::NoHost), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_is_not_ascii_is_refused_with_its_ascii_form() {
        let failure = HostAndPort::of("Bücher.example:80")
            .expect_err("not ASCII")
            .failure("the URI");
        assert_eq!(failure.message, "the URI names a host that is not ASCII");
        assert_eq!(
            failure.hint.as_deref(),
            Some("Write the host as xn--bcher-kva.example.")
        );
        assert_eq!(
            HostAndPort::of("ü..example"),
            Err(HostError::NotAscii(None))
        );
    }

    #[test]
    fn an_address_is_told_from_a_name() {
        assert!(is_address("127.0.0.1") && is_address("::1"));
        assert!(!is_address("localhost") && !is_address("127.1") && !is_address("[::1]"));
    }
}
