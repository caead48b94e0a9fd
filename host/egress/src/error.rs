//! Why nothing came of reaching an endpoint.

use std::io;
use std::time::Duration;

use portolan_contract::{Failure, FailureClass};

use crate::Denial;
use crate::tls::{ProfileError, TlsFault};

/// Why an endpoint was not reached, or what went wrong on the way.
///
/// Every text is ours: it names the host that was asked for, never an address that was found, and
/// nothing that a library or a server wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The operator's policy does not allow it.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The request is for a host and port that are no endpoint of the connection's plan. It is
    /// refused before anything is resolved.
    #[error("{host}:{port} is no endpoint of the connection")]
    NotPlanned {
        /// The host of the request.
        host: String,
        /// Its port.
        port: u16,
    },
    /// The name has no address.
    #[error("the name {host} does not resolve")]
    NoSuchName {
        /// The name.
        host: String,
    },
    /// The resolver could not tell, or took too long.
    #[error("the name {host} could not be looked up{}", within(*after))]
    Resolver {
        /// The name.
        host: String,
        /// The limit, where it was the time.
        after: Option<Duration>,
    },
    /// No address that may be dialled took the connection.
    #[error("{host}:{port} {}", connecting(*kind, *after))]
    Connect {
        /// The host that was asked for.
        host: String,
        /// The port.
        port: u16,
        /// What the operating system said of the last address.
        kind: io::ErrorKind,
        /// The limit, where it was the time.
        after: Option<Duration>,
    },
    /// The TLS handshake failed.
    #[error("{host}:{port}: {fault}")]
    Tls {
        /// The host that was asked for.
        host: String,
        /// The port.
        port: u16,
        /// Why.
        fault: TlsFault,
        /// Whether the handshake had ended on this side, so that the server may have seen something
        /// of the request.
        sent: bool,
    },
    /// A certificate or key of the connection cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The server took too long to answer, or to go on with its answer.
    #[error("{host} did not answer within {}", seconds(*after))]
    Silent {
        /// The host.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// The connection ended before the answer did.
    #[error("{host} closed the connection before its answer was complete")]
    Closed {
        /// The host.
        host: String,
        /// Whether not even the head of the answer had come. What the server did with the request
        /// is not known then, so only one that may be done twice may be repeated.
        unanswered: bool,
    },
    /// What came is not HTTP, or more than the host takes.
    #[error("{host} does not answer in HTTP as this host reads it")]
    Protocol {
        /// The host.
        host: String,
    },
    /// An answer is larger than the host takes at once.
    #[error("{host} answers with more than {most} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The limit.
        most: u64,
    },
    /// A body that the host was to send could not be read.
    #[error("the content to send to {host} could not be read")]
    Body {
        /// The host.
        host: String,
    },
}

fn within(after: Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!(" within {}", seconds(after)))
}

pub(crate) fn seconds(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

fn connecting(kind: io::ErrorKind, after: Option<Duration>) -> String {
    match (kind, after) {
        (_, Some(after)) => format!("did not take the connection within {}", seconds(after)),
        (io::ErrorKind::ConnectionRefused, _) => "refused the connection".to_owned(),
        (io::ErrorKind::ConnectionReset, _) => "reset the connection".to_owned(),
        (io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable, _) => {
            "cannot be reached from this host".to_owned()
        }
        _ => "could not be connected to".to_owned(),
    }
}

impl EgressError {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Denied(denial) => denial.class(),
            Self::NotPlanned { .. } => FailureClass::Denied,
            Self::Profile(_) => FailureClass::InvalidUri,
            Self::NoSuchName { .. } | Self::Connect { after: None, .. } => {
                FailureClass::Unreachable
            }
            Self::Resolver { after, .. } => match after {
                Some(_) => FailureClass::Timeout,
                None => FailureClass::Unreachable,
            },
            Self::Connect { .. } | Self::Silent { .. } => FailureClass::Timeout,
            Self::Tls { fault, .. } => fault.class(),
            Self::Closed { .. } | Self::Protocol { .. } | Self::TooLarge { .. } => {
                FailureClass::Protocol
            }
            Self::Body { .. } => FailureClass::Other("body".to_owned()),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Denied(denial) => return denial.hint(),
            Self::Profile(error) => error.hint(),
            Self::Tls { fault, .. } => fault.hint(),
            Self::NotPlanned { .. } => "give the connection's URI the host that is meant",
            Self::NoSuchName { .. } => "check the spelling of the host, and the DNS of this host",
            Self::Resolver { .. } => "check the DNS of this host, and try again",
            Self::Connect {
                kind: io::ErrorKind::ConnectionRefused,
                ..
            } => "check the port, and that the server is running",
            Self::Connect { .. } => {
                "check the host and port, and the routes and firewalls on the way"
            }
            Self::Silent { .. } => "see whether the server is slow or overloaded, and try again",
            Self::Closed { .. } => "try again; if it stays so, look at the server's log",
            Self::Protocol { .. } => {
                "check the scheme and port: another service, or TLS where none was expected, \
                 may answer there"
            }
            Self::TooLarge { .. } => "check that the host is the service that is meant",
            Self::Body { .. } => "check the source of the content, and try again",
        };
        text.to_owned()
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.to_string()).with_hint(self.hint())
    }

    /// Whether nothing of the request can have reached the server, and a repetition may fare
    /// better, whatever the request was. What is refused before anything is dialled is not repeated.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        matches!(
            self,
            Self::NoSuchName { .. }
                | Self::Resolver { .. }
                | Self::Connect { .. }
                | Self::Tls { sent: false, .. }
        )
    }
}
