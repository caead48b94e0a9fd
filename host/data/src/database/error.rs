//! Why there is no connection to a database.

use portolan_contract::{Failure, FailureClass, StoredPlan, strip_controls};
use portolan_egress::EgressError;
use portolan_secret::Scrubber;
use tokio_postgres::error::DbError;

use super::stream::Closed;
use crate::GateError;

/// The most bytes of a server's words that are shown.
const MOST_WORDS: usize = 4096;

/// Why there is no connection to a database.
///
/// Every text is ours but that of [`DatabaseError::Refused`], in which the server's words stand
/// without the connection's secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// On the way out.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The handle may not be used any more.
    #[error(transparent)]
    Gate(GateError),
    /// The plan has no endpoint.
    #[error("the plan of the connection has no endpoint")]
    NoEndpoint,
    /// The server said no.
    #[error("the server answered: {message}")]
    Refused {
        /// Its SQLSTATE.
        code: String,
        /// Its words, without secrets.
        message: String,
    },
    /// The server speaks no TLS.
    #[error("the server does not support SSL, but SSL was required")]
    NoTls,
    /// The server wants the password as it is.
    #[error("the server asks for the password in clear, and the connection is not encrypted")]
    ClearPassword,
    /// What the server says is not what a login has.
    #[error(
        "the login at {host} failed: the server does not keep to the protocol, or to what the connection asks of it"
    )]
    Login {
        /// The server.
        host: String,
    },
    /// It took too long.
    #[error("{host} did not let the connection in within {seconds} s")]
    Slow {
        /// The server.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// No server is one that the connection wants.
    #[error("no server of the connection is one that target_session_attrs={0} wants")]
    NotWanted(String),
}

impl DatabaseError {
    /// What an error of the library is.
    pub(super) fn of(error: &tokio_postgres::Error, plan: &StoredPlan, host: &str) -> Self {
        if let Some(refusal) = error.as_db_error() {
            return Self::refused(refusal, plan);
        }
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            let inner = error.downcast_ref::<std::io::Error>();
            let inner = inner.and_then(std::io::Error::get_ref);
            match inner.and_then(|inner| inner.downcast_ref::<Closed>()) {
                Some(Closed::Gate(error)) => return Self::Gate(error.clone()),
                Some(Closed::ClearPassword) => return Self::ClearPassword,
                None => source = error.source(),
            }
        }
        Self::Login {
            host: host.to_owned(),
        }
    }

    fn refused(refusal: &DbError, plan: &StoredPlan) -> Self {
        let scrubber = Scrubber::new(plan.secrets.iter().map(|(_, value)| value.expose()));
        let words = scrubber
            .scrub(refusal.message())
            .map(|words| strip_controls(&words, MOST_WORDS));
        Self::Refused {
            code: refusal.code().code().to_owned(),
            message: words.unwrap_or_else(|| "(left out)".to_owned()),
        }
    }

    /// Whether the server turned this way away, so that it may take the other one.
    pub(super) fn is_of_the_way(&self) -> bool {
        matches!(self, Self::NoTls) || matches!(self, Self::Refused { code, .. } if code == "28000")
    }

    /// Whether another server may fare better.
    pub(super) fn is_of_the_server(&self) -> bool {
        match self {
            Self::Egress(error) => {
                matches!(
                    error.class(),
                    FailureClass::Unreachable | FailureClass::Timeout
                )
            }
            Self::Slow { .. } | Self::NotWanted(_) => true,
            _ => false,
        }
    }

    /// The SQLSTATE.
    #[must_use]
    pub fn sqlstate(&self) -> String {
        match self {
            Self::Gate(error) => error.sqlstate().to_owned(),
            _ => self.class().sqlstate().to_owned(),
        }
    }

    /// The class that decides it.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Egress(error) => error.class(),
            Self::Gate(_) | Self::ClearPassword => FailureClass::Denied,
            Self::NoEndpoint | Self::NoTls | Self::Login { .. } => FailureClass::Protocol,
            Self::Refused { code, .. } => match code.as_str() {
                "3D000" => FailureClass::NotFound,
                "42501" => FailureClass::Denied,
                code if code.starts_with("28") => FailureClass::RefusedCredentials,
                code if code.starts_with("53") || code.starts_with("57P") => {
                    FailureClass::Unreachable
                }
                _ => FailureClass::Protocol,
            },
            Self::Slow { .. } => FailureClass::Timeout,
            Self::NotWanted(_) => FailureClass::Unreachable,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Egress(error) => return error.hint(),
            Self::Gate(error) => return error.hint().unwrap_or_default().to_owned(),
            Self::NoEndpoint => "create the connection again",
            Self::NoTls => "turn ssl on at the server",
            Self::ClearPassword => {
                "write sslmode=verify-full, or allow scram-sha-256 in the server's pg_hba.conf"
            }
            Self::Refused { .. } | Self::Login { .. } => {
                "run VALIDATE EXTERNAL CONNECTION, which tells the cause step by step"
            }
            Self::Slow { .. } => "see whether the server is slow or overloaded, and try again",
            Self::NotWanted(_) => {
                "name the other servers as well, or leave target_session_attrs out"
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
