//! The way to a verdict, step by step, for a person to read.

use std::fmt;

use crate::policy::Host;
use crate::{AddressClass, EgressError, Verdict};

/// One step of judging an endpoint; see [`Egress::explain`](crate::Egress::explain).
///
/// Its `Display` is a sentence for an operator. It never shows an address that a name resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judgement {
    /// What the text was read as, in its one normal form. Absent where the text is no host.
    Read {
        /// The host.
        host: Host,
        /// The port.
        port: u16,
    },
    /// A line of [`ConnectTo`](crate::ConnectTo) leads to an address of the operator's choice: no
    /// rule is asked.
    ConnectTo,
    /// The verdict on the name, or on the address literal, before anything is looked up.
    Name(Verdict),
    /// The verdict on one address that the name resolved to.
    Address {
        /// What kind of place the address is.
        class: AddressClass,
        /// Whether it may be dialled.
        verdict: Verdict,
    },
    /// What it comes to; always the last step.
    Conclusion(Conclusion),
}

/// What the judgement of an endpoint comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conclusion {
    /// It would be dialled, at those of its addresses that are allowed.
    Allowed,
    /// Nothing was looked up, and the addresses of the name decide.
    Undecided,
    /// It would not be dialled: denied by the policy, or the name could not be looked up.
    Refused(EgressError),
}

impl Judgement {
    /// The word for this kind of step: `read`, `connect-to`, `name`, `address` or `conclusion`.
    #[must_use]
    pub fn step(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::ConnectTo => "connect-to",
            Self::Name(_) => "name",
            Self::Address { .. } => "address",
            Self::Conclusion(_) => "conclusion",
        }
    }

    /// Whether this step alone denies.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Read { .. } | Self::ConnectTo => false,
            Self::Name(verdict) | Self::Address { verdict, .. } => verdict.is_denied(),
            Self::Conclusion(conclusion) => matches!(conclusion, Conclusion::Refused(_)),
        }
    }

    /// What to do about it, where it denies.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Conclusion(Conclusion::Refused(error)) => Some(error.hint()),
            Self::Name(Verdict::Denied(denial))
            | Self::Address {
                verdict: Verdict::Denied(denial),
                ..
            } => Some(denial.hint()),
            _ => None,
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { host, port } => write!(f, "read as {host}:{port}"),
            Self::ConnectTo => {
                f.write_str("led to an address of the operator's choice, whatever the rules say")
            }
            Self::Name(Verdict::Denied(denial)) => denial.fmt(f),
            Self::Name(verdict) => verdict.fmt(f),
            Self::Address { class, verdict } => {
                write!(f, "an address that is {class}: ")?;
                match verdict {
                    Verdict::Allowed { rule: Some(rule) } => {
                        write!(f, "allowed by the rule {rule}")
                    }
                    Verdict::Denied(_) => f.write_str("denied"),
                    _ => f.write_str("allowed"),
                }
            }
            Self::Conclusion(conclusion) => conclusion.fmt(f),
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed => f.write_str("allowed"),
            Self::Undecided => f.write_str("undecided: nothing was looked up"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}
