//! What a judgement comes to.

use std::fmt;
use std::sync::Arc;

use portolan_contract::FailureClass;

use super::{AddressClass, Host, Rule};

/// What stands for the rule in [`Policy::advising`](super::Policy::advising).
pub(super) const RULE: &str = "{rule}";

/// The policy's verdict on a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be dialled.
    Allowed {
        /// The rule that allows it; none where the address is public.
        rule: Option<Rule>,
    },
    /// It is a name without a rule of its own: each address that it resolves to will be judged.
    NeedsResolution,
    /// It may not be dialled.
    Denied(Denial),
}

impl Verdict {
    /// Whether it may be dialled, as far as is known yet.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied(_))
    }
}

/// Why something may not be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The text is no host.
    InvalidHost,
    /// The port is 0.
    InvalidPort,
    /// It is, or resolves to, an address of this class.
    Class(AddressClass),
}

/// A refusal. It tells the host that was asked for and never the address that was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Denial {
    host: Option<Host>,
    port: u16,
    reason: Reason,
    /// How the operator adds a rule, where the program that they use said so.
    advice: Option<Arc<str>>,
}

impl Denial {
    pub(super) fn new(
        host: Option<Host>,
        port: u16,
        reason: Reason,
        advice: Option<&Arc<str>>,
    ) -> Self {
        Self {
            host,
            port,
            reason,
            advice: advice.cloned(),
        }
    }

    /// For a text that is no host.
    pub(crate) fn no_host(port: u16) -> Self {
        Self::new(None, port, Reason::InvalidHost, None)
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self.reason {
            Reason::InvalidHost | Reason::InvalidPort => FailureClass::InvalidUri,
            Reason::Class(_) => FailureClass::Denied,
        }
    }

    /// The SQLSTATE that a statement ends with because of it.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        self.class().sqlstate()
    }

    /// The rule that would admit it; none where no rule does, or where the address, which is not
    /// told, would have to stand in it.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        match (self.reason, &self.host) {
            (Reason::Class(class), Some(Host::Name(_))) if class.only_by_address() => None,
            (Reason::Class(_), Some(host)) => format!("{host}:{}", self.port).parse().ok(),
            _ => None,
        }
    }

    /// What an operator does about it: the rule for the policy of whatever program this is, and how
    /// the command line spells it.
    #[must_use]
    pub fn hint(&self) -> String {
        match (self.reason, &self.host) {
            (Reason::Class(class), Some(Host::Name(_))) if class.only_by_address() => format!(
                "no rule with a name admits a {class} address; if it is meant, allow the address \
                 itself {}",
                self.with_rule(&format!("ADDRESS:{}", self.port))
            ),
            (Reason::Class(_), Some(host)) => format!(
                "if it is meant, allow it {}",
                self.with_rule(&format!("{host}:{}", self.port))
            ),
            (Reason::InvalidPort, _) => "write a port from 1 to 65535".to_owned(),
            _ => "write a DNS name or an address, without user, path or escapes".to_owned(),
        }
    }

    fn with_rule(&self, rule: &str) -> String {
        match &self.advice {
            Some(advice) => advice.replace(RULE, rule),
            None => format!("with the rule {rule} in the host's policy"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(host) = &self.host else {
            return f
                .write_str("an endpoint of the connection is neither a DNS name nor an address");
        };
        let port = self.port;
        match (self.reason, host) {
            (Reason::Class(class), Host::Name(_)) => write!(
                f,
                "the policy denies {host}:{port}: the name stands for a {class} address"
            ),
            (Reason::Class(class), Host::Address(_)) => {
                write!(f, "the policy denies {host}:{port}, a {class} address")
            }
            (Reason::InvalidPort, _) => write!(f, "{host} has port 0, which nothing listens on"),
            (Reason::InvalidHost, _) => write!(f, "{host} is neither a DNS name nor an address"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed { rule: None } => f.write_str("allowed: a public address"),
            Self::Allowed { rule: Some(rule) } => write!(f, "allowed by the rule {rule}"),
            Self::NeedsResolution => {
                f.write_str("undecided: each address that the name resolves to is judged")
            }
            Self::Denied(denial) => write!(f, "denied: {denial}; {}", denial.hint()),
        }
    }
}
