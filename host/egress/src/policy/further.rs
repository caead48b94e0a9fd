//! Which brokers beyond those of its URI a connection may dial.
//!
//! A cluster's first broker names the others, so a server decides where its client goes next. It may
//! lead to those that stand beside the ones that the URI names, and to those that the operator wrote
//! down. Whatever is admitted here is still resolved, and each address judged, as an endpoint of the
//! plan is.

use std::fmt;

use portolan_contract::FailureClass;
use serde::{Deserialize, Serialize};

use super::{Host, Rule};

/// What an operator writes to let the brokers of a cluster stand elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerRule {
    /// The broker that the connection's URI names.
    pub bootstrap: Rule,
    /// The brokers that it may name.
    pub allow: Vec<Rule>,
}

/// A broker that no rule admits. It tells the broker's name, which a server wrote; whoever shows it
/// looks first whether a secret stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BrokerDenial {
    bootstrap: Option<(Host, Option<u16>)>,
    /// What was named, where it is a host and a port.
    broker: Option<(Host, u16)>,
}

impl BrokerRule {
    fn admits(&self, bootstrap: &[(Host, Option<u16>)], broker: &Host, port: u16) -> bool {
        bootstrap.iter().any(|(host, own)| match own {
            Some(own) => admits(&self.bootstrap, host, *own),
            None => self.bootstrap.admits_some_port(host),
        }) && self.allow.iter().any(|rule| admits(rule, broker, port))
    }
}

fn admits(rule: &Rule, host: &Host, port: u16) -> bool {
    match host {
        Host::Name(_) => rule.admits_name(host, port),
        Host::Address(address) => rule.admits_address(*address, port),
    }
}

/// Whether a broker may be dialled that a server of these bootstrap brokers named.
pub(super) fn judge(
    rules: &[BrokerRule],
    bootstrap: &[(String, Option<u16>)],
    broker: &str,
    port: u16,
) -> Result<(), BrokerDenial> {
    let bootstrap: Vec<_> = bootstrap
        .iter()
        .filter_map(|(host, port)| Some((Host::parse(host).ok()?, *port)))
        .collect();
    let broker = Host::parse(broker).ok().filter(|_| port != 0);
    let Some(broker) = broker else {
        return Err(BrokerDenial {
            bootstrap: None,
            broker: None,
        });
    };
    let stands_beside = bootstrap.iter().any(|(host, _)| is_beside(host, &broker));
    let is_ruled = || {
        let mut rules = rules.iter();
        rules.any(|rule| rule.admits(&bootstrap, &broker, port))
    };
    match stands_beside || is_ruled() {
        true => Ok(()),
        false => Err(BrokerDenial {
            bootstrap: bootstrap.into_iter().next(),
            broker: Some((broker, port)),
        }),
    }
}

/// Whether a broker is the bootstrap broker itself, or has a name that ends in the parent domain of
/// its name. An address is only itself.
fn is_beside(bootstrap: &Host, broker: &Host) -> bool {
    if bootstrap == broker {
        return true;
    }
    let (Host::Name(bootstrap), Host::Name(broker)) = (bootstrap, broker) else {
        return false;
    };
    parent(bootstrap).is_some_and(|parent| {
        let before = broker.strip_suffix(parent);
        before.is_some_and(|before| before.ends_with('.') && before.len() > 1)
    })
}

/// All labels of a name but the first: two at least, and no suffix below which strangers have names.
fn parent(name: &str) -> Option<&str> {
    let (_, parent) = name.split_once('.')?;
    let is_public = psl::suffix_str(parent) == Some(parent);
    (parent.contains('.') && !is_public).then_some(parent)
}

impl BrokerDenial {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self.broker {
            Some(_) => FailureClass::Denied,
            None => FailureClass::Protocol,
        }
    }

    /// What an operator does about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match (&self.broker, &self.bootstrap) {
            (None, _) | (_, None) => "correct what the server's brokers advertise".to_owned(),
            (Some((broker, port)), Some((bootstrap, own))) => {
                let own = own.map_or_else(String::new, |own| format!(":{own}"));
                format!(
                    "if it is meant, write into portolan.toml: [[egress.brokers]] bootstrap = \
                     \"{bootstrap}{own}\" allow = [\"{broker}:{port}\"], on three lines; else \
                     correct what the brokers advertise"
                )
            }
        }
    }
}

impl fmt::Display for BrokerDenial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.broker {
            Some((broker, port)) => write!(
                f,
                "the server names the broker {broker}:{port}, which is neither a host of the \
                 connection's URI nor below the parent domain of one"
            ),
            None => f.write_str("the server names a broker that is no host and port"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rules: &[BrokerRule], bootstrap: &str, broker: &str, port: u16) -> bool {
        let bootstrap = bootstrap
            .split(',')
            .map(|host| (host.to_owned(), Some(9092)))
            .collect::<Vec<_>>();
        judge(rules, &bootstrap, broker, port).is_ok()
    }

    #[test]
    fn a_broker_stands_beside_the_one_that_the_uri_names() {
        for (bootstrap, broker, beside) in [
            // The same name, in any spelling.
            ("kafka.example.com", "kafka.example.com", true),
            ("kafka.example.com", "KAFKA.example.com.", true),
            ("localhost", "localhost", true),
            ("com", "com", true),
            // Below the parent domain.
            ("b-1.kafka.example.com", "b-2.kafka.example.com", true),
            ("b-1.kafka.example.com", "a.b-2.kafka.example.com", true),
            ("b-1.kafka.example.com", "kafka.example.com", false),
            ("b-1.kafka.example.com", "b-2.example.com", false),
            ("b-1.kafka.example.com", "evilkafka.example.com", false),
            ("b-1.kafka.example.com", "kafka.example.com.evil.com", false),
            ("b-1.kafka.internal", "b-2.kafka.internal", true),
            (
                "x.example.com,b-1.kafka.internal",
                "b-2.kafka.internal",
                true,
            ),
            // A parent of one label, or one below which strangers have names.
            ("example.com", "evil.com", false),
            ("kafka.internal", "db.internal", false),
            ("example.co.uk", "evil.co.uk", false),
            ("mine.github.io", "yours.github.io", false),
            ("a.s3.amazonaws.com", "b.s3.amazonaws.com", false),
            // Addresses.
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "0xc0.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "x.0.2.1", false),
            ("b-1.kafka.example.com", "192.0.2.1", false),
            ("[2001:db8::1]", "2001:db8::1", true),
            // No hosts.
            ("b-1.kafka.example.com", "", false),
            ("b-1.kafka.example.com", ".kafka.example.com", false),
            ("b-1.kafka.example.com", "u@b-2.kafka.example.com", false),
            ("b-1.kafka.example.com", "b-2.kafka.example.com:1", false),
            ("b-1.kafka.example.com", "b-2%2ekafka.example.com", false),
        ] {
            assert_eq!(
                judged(&[], bootstrap, broker, 9093),
                beside,
                "{bootstrap} {broker}"
            );
        }
        assert!(!judged(
            &[],
            "a.kafka.example.com",
            "b.kafka.example.com",
            0
        ));
    }

    #[test]
    fn an_operator_lets_brokers_stand_elsewhere() {
        let rule = |bootstrap: &str, allow: &[&str]| BrokerRule {
            bootstrap: bootstrap.parse().expect("a rule"),
            allow: allow
                .iter()
                .map(|rule| rule.parse().expect("a rule"))
                .collect(),
        };
        let rules = [
            rule(
                "kafka.example.com",
                &["10.1.0.0/16:9092", "*.brokers.example.net"],
            ),
            rule("other.example.com:9093", &["b.example.org:9092"]),
        ];
        let judged = |bootstrap, broker, port| judged(&rules, bootstrap, broker, port);
        assert!(judged("kafka.example.com", "10.1.2.3", 9092));
        assert!(!judged("kafka.example.com", "10.1.2.3", 9093));
        assert!(!judged("kafka.example.com", "10.2.2.3", 9092));
        assert!(judged("kafka.example.com", "b-1.brokers.example.net", 1));
        assert!(!judged("another.example.com", "10.1.2.3", 9092));
        assert!(
            !judged("other.example.com", "b.example.org", 9092),
            "another port"
        );
        assert!(
            !judged("kafka.example.com", "b.example.org", 9092),
            "another cluster"
        );
    }

    #[test]
    fn a_denial_names_the_broker_and_the_rule_to_write() {
        let bootstrap = [("kafka.example.com".to_owned(), Some(9092))];
        let denial = judge(&[], &bootstrap, "B-7.evil.example", 9093).expect_err("denied");
        assert_eq!(
            denial.to_string(),
            "the server names the broker b-7.evil.example:9093, which is neither a host of the \
             connection's URI nor below the parent domain of one"
        );
        assert_eq!(
            denial.hint(),
            "if it is meant, write into portolan.toml: [[egress.brokers]] bootstrap = \
             \"kafka.example.com:9092\" allow = [\"b-7.evil.example:9093\"], on three lines; else \
             correct what the brokers advertise"
        );
        assert_eq!(denial.class().sqlstate(), "42501");
        let garbage = judge(&[], &bootstrap, "hunter2 at home", 1).expect_err("no host");
        assert!(!garbage.to_string().contains("hunter2"));
        assert_eq!(garbage.class().sqlstate(), "08P01");
    }
}
