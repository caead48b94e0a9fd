//! Why there is no token.

use portolan_contract::{Failure, FailureClass};

use super::GoogleKeyFault;
use crate::EgressError;

/// Why a connection has no token, or may not send the one that it has.
///
/// Every text is ours: of what a service answered only the meaning of its codes is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The token service was not reached.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The JSON of the credentials is not one that is taken.
    #[error(transparent)]
    GoogleKey(#[from] GoogleKeyFault),
    /// The plan lacks something.
    #[error("the plan of the connection has no {0}")]
    Missing(&'static str),
    /// The plan names a cloud that there is not.
    #[error("the plan of the connection names an Azure environment that this host does not know")]
    UnknownCloud,
    /// The connection is to use what the host lends, and the host lends nothing of the kind.
    #[error("this host lends its connections no credentials of {0}")]
    NothingLent(&'static str),
    /// The machine has no identity, or its metadata service does not give it.
    #[error("the metadata service of this machine gives no credentials of {0}")]
    NoMachine(&'static str),
    /// The host's own key is not one that is taken.
    #[error("the credentials of this host: {0}")]
    LentKey(GoogleKeyFault),
    /// The file with the identity of the host cannot be read.
    #[error("the file with the identity of this host cannot be read")]
    IdentityFile,
    /// The service refused the credentials.
    #[error("{host} refused the credentials: {refusal}")]
    Refused {
        /// The token service.
        host: String,
        /// Why.
        refusal: TokenRefusal,
    },
    /// The identity was had, and the last account of the chain that it acts through was not.
    #[error("failed to assume role: {0}")]
    Role(Box<CredentialError>),
    /// The service was busy or out of order, also when it was asked again.
    #[error("{host} gives no tokens for the moment (status {status})")]
    Unavailable {
        /// The token service.
        host: String,
        /// The status of its last answer.
        status: u16,
    },
    /// The answer is none that a token service gives.
    #[error("{host} does not answer as a token service does")]
    Unreadable {
        /// The token service.
        host: String,
    },
    /// The token cannot stand in a request.
    #[error("the token cannot be sent: it holds a character that no token has")]
    NoHeader,
    /// The request goes to a server that the token is not for.
    #[error("the connection's token is not sent to {host}: it is for {family} over TLS only")]
    Elsewhere {
        /// The host of the request.
        host: String,
        /// The hosts that the token is for.
        family: String,
    },
}

/// Why a token service refused credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRefusal {
    /// The clocks are too far apart for anything that has a time in it.
    #[error("this host's clock is {} s {} that of the server", .ahead.abs(), direction(*.ahead))]
    ClockSkew {
        /// How many seconds this host's clock is ahead.
        ahead: i64,
    },
    /// A service account's key is not accepted.
    #[error("the service account's key is not accepted")]
    KeyNotAccepted,
    /// The refresh token of a user has ended or was revoked.
    #[error("the refresh token has expired or was revoked")]
    RefreshTokenEnded,
    /// The token that the connection was given has ended or was never one.
    #[error("the token is not accepted")]
    TokenNotAccepted,
    /// The secret is not the client's.
    #[error("the client secret is wrong")]
    WrongSecret,
    /// The secret was the client's.
    #[error("the client secret has expired")]
    SecretExpired,
    /// Nobody there knows the client.
    #[error("the client is not known there")]
    UnknownClient,
    /// The client was disabled.
    #[error("the client is disabled")]
    ClientDisabled,
    /// Nobody there knows the tenant.
    #[error("the tenant is not known there")]
    UnknownTenant,
    /// A rule of the tenant stands against it.
    #[error("a rule of the tenant does not allow it")]
    TenantRule,
    /// The credentials may not have the scope.
    #[error("the credentials may not have the scope that is needed")]
    Scope,
    /// The account may not act as the next one of the chain.
    #[error("it is not allowed to act as `{role}`")]
    RoleDenied {
        /// The account to act as.
        role: String,
    },
    /// There is no such account to act as.
    #[error("there is no service account `{role}`")]
    NoSuchRole {
        /// The account to act as.
        role: String,
    },
    /// The service for acting as another account is off in the project.
    #[error("the IAM Service Account Credentials API is disabled in the account's project")]
    ApiDisabled,
    /// Something that has no type of its own here.
    #[error("the reason is none that this host knows")]
    Other,
}

fn direction(ahead: i64) -> &'static str {
    if ahead < 0 { "behind" } else { "ahead of" }
}

impl TokenRefusal {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::TenantRule | Self::RoleDenied { .. } | Self::ApiDisabled => FailureClass::Denied,
            Self::NoSuchRole { .. } => FailureClass::NotFound,
            _ => FailureClass::RefusedCredentials,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ClockSkew { .. } => "set this host's clock, and have it kept by NTP",
            Self::KeyNotAccepted => {
                "create a new key for the service account, unless the account itself was disabled \
                 or deleted"
            }
            Self::RefreshTokenEnded => "let the user log in again, and give the new credentials",
            Self::TokenNotAccepted => "give the connection a token that is still valid",
            Self::WrongSecret => {
                "give the value of the client's secret, not the secret's ID, and check that it \
                 belongs to this client"
            }
            Self::SecretExpired => "create a new secret for the client",
            Self::UnknownClient => "check the client's ID, and that it belongs to this tenant",
            Self::ClientDisabled => "have the client enabled",
            Self::UnknownTenant => "check the tenant, and the Azure environment that it is in",
            Self::TenantRule => "ask the tenant's administrator which rule stands against it",
            Self::Scope => "grant the client access to the service",
            Self::RoleDenied { .. } => {
                "grant the account before it in the chain the role Service Account Token Creator \
                 on it"
            }
            Self::NoSuchRole { .. } => "check the address of the service account",
            Self::ApiDisabled => "enable iamcredentials.googleapis.com in that project",
            Self::Other => "look at the sign-in log of the service",
        }
    }
}

impl CredentialError {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Egress(error) => error.class(),
            Self::GoogleKey(_) | Self::Missing(_) | Self::UnknownCloud | Self::NoHeader => {
                FailureClass::InvalidUri
            }
            Self::NothingLent(_) | Self::NoMachine(_) | Self::LentKey(_) | Self::IdentityFile => {
                FailureClass::Unsupported
            }
            Self::Refused { refusal, .. } => refusal.class(),
            Self::Role(cause) => cause.class(),
            Self::Unavailable { .. } => FailureClass::Unreachable,
            Self::Unreadable { .. } => FailureClass::Protocol,
            Self::Elsewhere { .. } => FailureClass::Denied,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Egress(error) => return error.hint(),
            Self::Role(cause) => return cause.hint(),
            Self::GoogleKey(fault) => fault.hint(),
            Self::Missing(_) => "create the connection again",
            Self::UnknownCloud => "give the connection one of Azure's own environments",
            Self::NothingLent(_) => "give the connection credentials of its own",
            Self::NoMachine(_) => {
                "give the machine an identity, or the connection credentials of its own"
            }
            Self::LentKey(_) => {
                "give this host the JSON key of a service account, as Google has issued it"
            }
            Self::IdentityFile => {
                "let the user that runs Portolan read the file that the host's variables name"
            }
            Self::Refused { refusal, .. } => refusal.hint(),
            Self::Unavailable { .. } => "try again later",
            Self::Unreadable { .. } => "look for a proxy on the way that answers in its place",
            Self::NoHeader => "give the token without blanks and line breaks",
            Self::Elsewhere { .. } => "create the connection again",
        };
        text.to_owned()
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.to_string()).with_hint(self.hint())
    }
}
