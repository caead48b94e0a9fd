//! Which hosts and addresses may be dialled.
//!
//! A connection's URI is text that somebody wrote, and its endpoints are what a stranger's provider
//! made of it. If the host dialled whatever they name, a user of the catalog could reach what only
//! this machine reaches: its own services, the private network, the credentials that a cloud
//! hands to its machines at a fixed address. So an address is denied unless it is public, or the
//! operator said otherwise.
//!
//! # What is judged
//!
//! A name is judged twice: by itself when a connection is created ([`Policy::judge_name`], which
//! touches no network), and by each address it has when it is dialled ([`Policy::judge_address`]).
//! The addresses that were judged are the ones that are dialled; a second look-up could give
//! others. Of several addresses those that are allowed are dialled and the others are not. What a
//! line of [`ConnectTo`](crate::ConnectTo) leads elsewhere is not judged: the operator wrote where
//! to. An address literal is judged at once, however it is spelled:
//!
//! | spelling | is |
//! |---|---|
//! | `2130706433`, `0x7f.1`, `0177.0.0.1`, `127.1`, `127.0.0.1.` | 127.0.0.1 |
//! | `１２７．０．０．１` (full-width digits) | 127.0.0.1 |
//! | `::ffff:127.0.0.1` | 127.0.0.1 |
//! | `LOCALHOST`, `localhost.`, `x.localhost` | a loopback name |
//! | `bücher.example` | `xn--bcher-kva.example` |
//! | `a@b`, `a/b`, `a:1`, `%31`, `fe80::1%eth0`, an empty label | no host at all: denied |
//!
//! # The order of judgement
//!
//! 1. What is no host, and port 0, are denied.
//! 2. A rule with the address, or a network around it, allows it: whatever it is.
//! 3. A public address is allowed.
//! 4. A rule with the name allows what the name resolves to, unless that is link-local or a
//!    metadata service: whoever controls a name must not be able to point it there.
//! 5. Anything else is denied.
//!
//! # Classes of addresses
//!
//! | class | IPv4 | IPv6 | without a rule | by a host rule |
//! |---|---|---|---|---|
//! | public | the rest | the rest of 2000::/3 | allowed | allowed |
//! | loopback | 127/8 | ::1 | denied | allowed |
//! | private | 10/8, 172.16/12, 192.168/16 | fc00::/7, fec0::/10 | denied | allowed |
//! | shared (carrier-grade NAT) | 100.64/10 | | denied | allowed |
//! | link-local | 169.254/16 | fe80::/10 | denied | denied |
//! | metadata | [`METADATA_ADDRESSES`] | the same list | denied | denied |
//! | multicast | 224/4 | ff00::/8 | denied | allowed |
//! | documentation | 192.0.2/24, 198.51.100/24, 203.0.113/24 | 2001:db8::/32, 3fff::/20 | denied | allowed |
//! | reserved | 0/8, 192.0.0/24, 192.88.99/24, 198.18/15, 240/4 | everything else | denied | allowed |
//!
//! An IPv6 address that carries an IPv4 one is what the inner one is. A mapped address
//! (::ffff:0:0/96) *is* the inner one, to rules as well, because the system dials that. The others
//! are tunnels: the class is that of the inner address, and a rule has to name the outer one.
//!
//! | form | prefix | the inner address |
//! |---|---|---|
//! | mapped | ::ffff:0:0/96 | last 32 bits |
//! | compatible | ::/96 | last 32 bits |
//! | translated | ::ffff:0:0:0/96 | last 32 bits |
//! | NAT64 | 64:ff9b::/96 | last 32 bits |
//! | NAT64 of a network's own | 64:ff9b:1::/48 | each of the places of RFC 6052; reserved at least |
//! | 6to4 | 2002::/16 | bits 16 to 48 |
//! | Teredo | 2001::/32 | the server's in bits 32 to 64, the client's in the last 32, inverted |
//!
//! A NAT64 prefix that a network took out of its own public addresses cannot be told from any other
//! public address. Where there is one, the translator has to deny what must not be reached.
//!
//! # Rules
//!
//! | written | admits |
//! |---|---|
//! | `minio.internal:9000` | what this name resolves to, on this port |
//! | `minio.internal` | on every port |
//! | `*.minio.internal:9000` | each name with exactly one label before `minio.internal` |
//! | `10.1.2.3:9000`, `[fd00::3]:9000` | this address |
//! | `10.1.0.0/16`, `10.1.0.0/16:9000`, `[fd00::/8]:9000` | every address of this network |
//!
//! A name with a star has two labels after it at least. An empty policy has no rules: public
//! addresses only.
//!
//! # Further brokers
//!
//! A broker that a server names is dialled where it is a host of the connection's URI (on any port),
//! has a name below the parent domain of one (all labels but the first: two at least, and no public
//! suffix), or a [`BrokerRule`] of the operator admits it. Then it is judged as every endpoint is.

mod class;
mod further;
mod host;
mod rule;
mod verdict;

pub use class::{AddressClass, METADATA_ADDRESSES, METADATA_NAMES};
pub use further::{BrokerDenial, BrokerRule};
pub use host::{Host, InvalidHost};
pub use rule::{InvalidRule, Rule};
pub use verdict::{Denial, Reason, Verdict};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The operator's rules. Without any, only public addresses may be dialled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
    brokers: Vec<BrokerRule>,
    advice: Option<Arc<str>>,
}

impl Policy {
    /// A policy with these exceptions.
    #[must_use]
    pub fn with_rules(rules: Vec<Rule>) -> Self {
        Self {
            rules,
            brokers: Vec::new(),
            advice: None,
        }
    }

    /// The same policy, which lets the brokers of clusters stand elsewhere.
    #[must_use]
    pub fn with_brokers(mut self, brokers: Vec<BrokerRule>) -> Self {
        self.brokers = brokers;
        self
    }

    /// Judges a broker that a server named, by its name alone; `bootstrap` are the hosts of the
    /// connection's URI, and their ports where it has them. The address is judged when it is dialled.
    ///
    /// # Errors
    ///
    /// [`BrokerDenial`]; its hint is the rule to write.
    pub fn judge_broker(
        &self,
        bootstrap: &[(String, Option<u16>)],
        broker: &str,
        port: u16,
    ) -> Result<(), BrokerDenial> {
        further::judge(&self.brokers, bootstrap, broker, port)
    }

    /// The same policy, whose denials say how a rule is added in the words of the program that the
    /// operator uses: they go on after "allow it", and `{rule}` in them stands for the rule.
    #[must_use]
    pub fn advising(mut self, advice: &str) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The exceptions, in the order in which they were given.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Judges a host as it was asked for, without any network.
    ///
    /// An address literal is judged finally. A name is denied where no address of it could be
    /// allowed; otherwise each of its addresses is still judged when it is dialled, even where the
    /// verdict here is [`Verdict::Allowed`].
    #[must_use]
    pub fn judge_name(&self, host: &str, port: u16) -> Verdict {
        let host = match Host::parse(host) {
            Ok(host) => host,
            Err(_) => return Verdict::Denied(self.denial(None, port, Reason::InvalidHost)),
        };
        let name = match &host {
            Host::Address(address) => return self.judge(&host, *address, port),
            Host::Name(_) if port == 0 => {
                return Verdict::Denied(self.denial(Some(host), port, Reason::InvalidPort));
            }
            Host::Name(name) => name,
        };
        let Some(class) = class::of_name(name) else {
            return match self.name_rule(&host, port) {
                Some(rule) => Verdict::Allowed {
                    rule: Some(rule.clone()),
                },
                None => Verdict::NeedsResolution,
            };
        };
        // The address of such a name is known beforehand. A rule with an address may still admit it.
        let may_be: &[IpAddr] = match class {
            AddressClass::Loopback => &[
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ],
            _ => METADATA_ADDRESSES,
        };
        if class == AddressClass::Loopback
            && let Some(rule) = self.name_rule(&host, port)
        {
            return Verdict::Allowed {
                rule: Some(rule.clone()),
            };
        }
        if may_be
            .iter()
            .any(|address| self.address_rule(*address, port).is_some())
        {
            return Verdict::NeedsResolution;
        }
        Verdict::Denied(self.denial(Some(host), port, Reason::Class(class)))
    }

    /// Judges an address that `host` resolved to, or is. This verdict is final: it is never
    /// [`Verdict::NeedsResolution`].
    #[must_use]
    pub fn judge_address(&self, host: &str, address: IpAddr, port: u16) -> Verdict {
        match Host::parse(host) {
            Ok(host) => self.judge(&host, address, port),
            Err(_) => Verdict::Denied(self.denial(None, port, Reason::InvalidHost)),
        }
    }

    pub(crate) fn judge(&self, host: &Host, address: IpAddr, port: u16) -> Verdict {
        let denied = |reason| Verdict::Denied(self.denial(Some(host.clone()), port, reason));
        if port == 0 {
            return denied(Reason::InvalidPort);
        }
        let address = address.to_canonical();
        if let Some(rule) = self.address_rule(address, port) {
            return Verdict::Allowed {
                rule: Some(rule.clone()),
            };
        }
        let class = AddressClass::of(address);
        if class == AddressClass::Public {
            return Verdict::Allowed { rule: None };
        }
        if class.only_by_address() {
            return denied(Reason::Class(class));
        }
        match self.name_rule(host, port) {
            Some(rule) => Verdict::Allowed {
                rule: Some(rule.clone()),
            },
            None => denied(Reason::Class(class)),
        }
    }

    fn denial(&self, host: Option<Host>, port: u16, reason: Reason) -> Denial {
        Denial::new(host, port, reason, self.advice.as_ref())
    }

    fn name_rule(&self, host: &Host, port: u16) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.admits_name(host, port))
    }

    fn address_rule(&self, address: IpAddr, port: u16) -> Option<&Rule> {
        self.rules
            .iter()
            .find(|rule| rule.admits_address(address, port))
    }
}

#[cfg(test)]
mod tests;
