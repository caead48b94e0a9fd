//! Why a service was not asked, or did not answer.

use portolan_contract::{Failure, FailureClass};

use crate::EgressError;
use crate::credentials::CredentialError;
use crate::credentials::aws::AwsCredentialError;

/// Why a request was not sent, or came to nothing.
///
/// Every text is ours: it names the host, and nothing that a provider or a server wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// On the way out.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] CredentialError),
    /// There is no key of AWS.
    #[error(transparent)]
    Keys(#[from] AwsCredentialError),
    /// The plan lacks something that the rule's authentication reads.
    #[error("the plan of the connection has no {0}, which authenticates the request")]
    Missing(&'static str),
    /// A part of the request cannot be written down.
    #[error("the request cannot be sent: {0} cannot be written down")]
    Unwritable(&'static str),
    /// The operator does not allow it; in the words of the flag.
    #[error("{what} disallowed due to --external-io-disable-{flag} flag")]
    Disallowed {
        /// What of the connection it is.
        what: &'static str,
        /// The end of the flag.
        flag: &'static str,
    },
    /// A secret of the URI would go to another place than the URI's own authority.
    #[error("{what} is not sent to {host}: it is for the host that the URI names")]
    Elsewhere {
        /// What it is.
        what: &'static str,
        /// Where it would have gone.
        host: String,
    },
    /// A secret of the URI would go to its own authority unencrypted, where its scheme says that
    /// nothing does.
    #[error("{what} is not sent to {host} without TLS, which the URI asks for")]
    InClear {
        /// What it is.
        what: &'static str,
        /// Where it would have gone.
        host: String,
    },
    /// The answer has more headers than the host takes.
    #[error("{host} answers with more than {most} bytes of headers")]
    Headers {
        /// The host.
        host: String,
        /// The limit.
        most: usize,
    },
    /// The answer is packed in a way that was not asked for, or cannot be unpacked.
    #[error("{host} answers with a body that cannot be unpacked")]
    Packed {
        /// The host.
        host: String,
    },
    /// A member has to stay opaque, and the answer is no JSON.
    #[error("{host} does not answer in JSON")]
    NotJson {
        /// The host.
        host: String,
    },
    /// A member that has to stay opaque is no string.
    #[error("{host} answers with something else where a string has to be")]
    NotText {
        /// The host.
        host: String,
    },
    /// A member that has to stay opaque stands twice.
    #[error("{host} answers with a member twice")]
    Twice {
        /// The host.
        host: String,
    },
    /// A member that has to stay opaque cannot be decoded.
    #[error("{host} answers with a member that cannot be decoded")]
    Undecodable {
        /// The host.
        host: String,
    },
}

impl ServiceError {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Egress(error) => error.class(),
            Self::Token(error) => error.class(),
            Self::Keys(error) => error.class(),
            Self::Missing(_) => FailureClass::InvalidUri,
            Self::Disallowed { .. } | Self::Elsewhere { .. } | Self::InClear { .. } => {
                FailureClass::Denied
            }
            Self::Unwritable(_)
            | Self::Headers { .. }
            | Self::Packed { .. }
            | Self::NotJson { .. }
            | Self::NotText { .. }
            | Self::Twice { .. }
            | Self::Undecodable { .. } => FailureClass::Protocol,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Egress(error) => return error.hint(),
            Self::Token(error) => return error.hint(),
            Self::Keys(error) => return error.hint(),
            Self::Missing(_) | Self::Elsewhere { .. } => "create the connection again",
            Self::Unwritable(_) | Self::InClear { .. } => {
                "report it to the provider's author, or use another version of the provider"
            }
            Self::Disallowed { .. } => {
                "give the connection credentials and a server of the provider's own, or ask the \
                 operator of this host"
            }
            Self::Headers { .. }
            | Self::Packed { .. }
            | Self::NotJson { .. }
            | Self::NotText { .. }
            | Self::Twice { .. }
            | Self::Undecodable { .. } => {
                "check that the host is the service that is meant, and look for a proxy on the way \
                 that answers in its place"
            }
        };
        text.to_owned()
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.to_string()).with_hint(self.hint())
    }
}
