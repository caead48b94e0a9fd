//! Why there is no key of AWS.

use portolan_contract::{Failure, FailureClass};

use crate::EgressError;

/// Why there is no key.
///
/// Every text is ours: of what a service answered only the meaning of its codes is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AwsCredentialError {
    /// The token service was not reached.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The plan takes on roles, and has no endpoint of a token service.
    #[error("the plan of the connection has no endpoint of the token service")]
    NoTokenService,
    /// The plan lacks something that can be used.
    #[error("the plan of the connection has no {0} that can be used")]
    Missing(&'static str),
    /// The host lends its connections no keys of AWS.
    #[error("this host lends its connections no credentials of AWS")]
    NothingLent,
    /// The file with the host's web identity cannot be read.
    #[error("the file that AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read")]
    IdentityFile,
    /// The machine has no key, or its metadata service does not give it.
    #[error("the metadata service of this machine gives no credentials of AWS")]
    NoMachine,
    /// A role was refused.
    #[error("role {number} of {of}, `{role}`: {refusal}{}", in_brackets(*code))]
    RoleRefused {
        /// Its place in the chain, from 1.
        number: usize,
        /// How many the chain has.
        of: usize,
        /// The role.
        role: String,
        /// Why.
        refusal: TokenRefusal,
        /// The service's code, where it is one that this host knows.
        code: Option<&'static str>,
    },
    /// The host's own identity was refused.
    #[error("the web identity of this host: {refusal}{}", in_brackets(*code))]
    IdentityRefused {
        /// Why.
        refusal: TokenRefusal,
        /// The service's code, where it is one that this host knows.
        code: Option<&'static str>,
    },
    /// The token service was busy or out of order, also when it was asked again.
    #[error("{host} gives no keys for the moment (status {status})")]
    Unavailable {
        /// The token service.
        host: String,
        /// The status of its last answer.
        status: u16,
    },
    /// The answer is none that a token service gives.
    #[error("{host} does not answer as the token service of AWS does")]
    Unreadable {
        /// The host.
        host: String,
    },
    /// A part of a request or a key cannot be signed.
    #[error("the request cannot be signed: a part of it or of the key has a forbidden character")]
    Unsignable,
}

/// Why the token service refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRefusal {
    /// The key may not take on the role.
    #[error("the key before it may not take it on")]
    Denied,
    /// The secret half is not that of the public half.
    #[error("the secret key before it is wrong")]
    WrongSecret,
    /// Nobody knows the key.
    #[error("the key before it is not known")]
    UnknownKey,
    /// The temporary key, or the identity, has ended.
    #[error("the temporary credentials before it have expired")]
    Expired,
    /// The clocks are too far apart.
    #[error(
        "this host's clock is {} s {} that of the token service",
        .seconds.unsigned_abs(),
        if *.seconds < 0 { "ahead of" } else { "behind" }
    )]
    ClockSkew {
        /// By how many seconds the service's is ahead.
        seconds: i64,
    },
    /// The role's name is none.
    #[error("it is not the ARN of a role")]
    BadRole,
    /// The account does not use the region.
    #[error("the account does not use the token service of this region")]
    RegionDisabled,
    /// Something that has no type of its own here.
    #[error("the token service answered with status {status}")]
    Other {
        /// The status.
        status: u16,
    },
}

fn in_brackets(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" ({code})"))
}

impl TokenRefusal {
    fn hint(self) -> &'static str {
        match self {
            Self::Denied => {
                "let the role's trust policy name the one before it, grant that one \
                 sts:AssumeRole, and check the role's ARN and external_id"
            }
            Self::WrongSecret => {
                "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of one and the same key; in a \
                 URI a + is written %2B"
            }
            Self::UnknownKey => "check AWS_ACCESS_KEY_ID: it may have been deleted",
            Self::Expired => "give the connection credentials that are still valid",
            Self::ClockSkew { .. } => "set this host's clock, and keep it by NTP",
            Self::BadRole => "write it as arn:aws:iam::ACCOUNT:role/NAME",
            Self::RegionDisabled => "enable the region for the account, or give another AWS_REGION",
            Self::Other { .. } => "look at the account's CloudTrail for the reason",
        }
    }
}

impl AwsCredentialError {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Egress(error) => error.class(),
            Self::NoTokenService | Self::Missing(_) | Self::Unsignable => FailureClass::InvalidUri,
            Self::NothingLent | Self::IdentityFile | Self::NoMachine => FailureClass::Unsupported,
            Self::RoleRefused { .. } | Self::IdentityRefused { .. } => {
                FailureClass::RefusedCredentials
            }
            Self::Unavailable { .. } => FailureClass::Unreachable,
            Self::Unreadable { .. } => FailureClass::Protocol,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Egress(error) => return error.hint(),
            Self::NoTokenService | Self::Missing(_) => "create the connection again",
            Self::NothingLent => {
                "give the connection AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or set up what \
                 this host lends"
            }
            Self::NoMachine => {
                "attach a role to the instance, task or pod, and let it reach its metadata service"
            }
            Self::IdentityFile => "let the user that runs Portolan read the file",
            Self::RoleRefused { refusal, .. } | Self::IdentityRefused { refusal, .. } => {
                refusal.hint()
            }
            Self::Unavailable { .. } => "try again later",
            Self::Unreadable { .. } => "look for a proxy on the way that answers in its place",
            Self::Unsignable => "give keys and names without line breaks and control characters",
        };
        text.to_owned()
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.to_string()).with_hint(self.hint())
    }
}
