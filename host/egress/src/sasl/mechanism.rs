//! The mechanisms that this host speaks.

use std::fmt;
use std::str::FromStr;

use super::SaslError;

/// A way to authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// User and password in clear (RFC 4616).
    Plain,
    /// A proof of the password over SHA-256 (RFC 7677).
    ScramSha256,
    /// The same, bound to the TLS that it runs over.
    ScramSha256Plus,
    /// A proof of the password over SHA-512.
    ScramSha512,
    /// The same, bound to the TLS that it runs over.
    ScramSha512Plus,
    /// A token of an OAuth service (RFC 7628).
    OauthBearer,
    /// A signed request of AWS, as its managed Kafka takes it.
    AwsMskIam,
    /// PostgreSQL's own, whose challenge is the salt.
    PostgresMd5,
}

impl Mechanism {
    const ALL: [Self; 8] = [
        Self::Plain,
        Self::ScramSha256,
        Self::ScramSha256Plus,
        Self::ScramSha512,
        Self::ScramSha512Plus,
        Self::OauthBearer,
        Self::AwsMskIam,
        Self::PostgresMd5,
    ];

    /// Its name in the contract, which is the registered one where there is one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha512Plus => "SCRAM-SHA-512-PLUS",
            Self::OauthBearer => "OAUTHBEARER",
            Self::AwsMskIam => "AWS_MSK_IAM",
            Self::PostgresMd5 => "POSTGRES-MD5",
        }
    }

    /// Whether it is bound to the TLS that it runs over.
    #[must_use]
    pub fn is_bound(self) -> bool {
        matches!(self, Self::ScramSha256Plus | Self::ScramSha512Plus)
    }

    /// Whether it proves a password, and has the server prove that it knows it too.
    #[must_use]
    pub fn is_scram(self) -> bool {
        matches!(
            self,
            Self::ScramSha256 | Self::ScramSha256Plus | Self::ScramSha512 | Self::ScramSha512Plus
        )
    }

    /// What it cannot do without, and what it may be given.
    pub(super) fn properties(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::OauthBearer => (
                &["token-url", "client-id", "client-secret"],
                &["grant-type", "scope"],
            ),
            Self::AwsMskIam => (&["region"], &["session-name"]),
            _ => (&["user", "password"], &[]),
        }
    }
}

impl FromStr for Mechanism {
    type Err = SaslError;

    fn from_str(name: &str) -> Result<Self, SaslError> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or(SaslError::UnknownMechanism)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
