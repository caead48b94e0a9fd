//! Why an exchange came to nothing.

use portolan_contract::{Failure, FailureClass};

use super::{LONGEST_CHALLENGE, MOST_ITERATIONS, MOST_PROPERTIES};
use crate::EgressError;
use crate::credentials::CredentialError;
use crate::credentials::aws::AwsCredentialError;

/// Why an exchange was not begun, or came to nothing.
///
/// Every text is ours: of what a server wrote only the meaning of its codes is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// On the way to a token service.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// There is no token.
    #[error(transparent)]
    Token(#[from] CredentialError),
    /// There is no key of AWS.
    #[error(transparent)]
    Keys(#[from] AwsCredentialError),
    /// An earlier step failed, and this is why.
    #[error("{0}")]
    Failed(Failure),
    /// The mechanism is none that this host speaks.
    #[error("this host does not speak the mechanism of authentication that was asked for")]
    UnknownMechanism,
    /// More properties than this.
    #[error("more than {MOST_PROPERTIES} properties are given for an exchange")]
    TooManyProperties,
    /// A property of a kind that this host does not know.
    #[error("this host does not know the kind of a property that an exchange is begun with")]
    PropertyOfLaterContract,
    /// A property that the mechanism does not have, or has once.
    #[error("a property is given that the mechanism of authentication has not, or has only once")]
    ForeignProperty,
    /// The mechanism cannot do without this property.
    #[error("the mechanism of authentication needs the property {0}")]
    MissingProperty(&'static str),
    /// A property is empty.
    #[error("the {0} to authenticate with is empty")]
    EmptyProperty(&'static str),
    /// A property is no text.
    #[error("the {0} to authenticate with is not UTF-8")]
    NoText(&'static str),
    /// A property holds what the mechanism cannot carry.
    #[error("the user or password has a NUL in it, which no mechanism of authentication carries")]
    Unwritable,
    /// The plan has no such secret.
    #[error("the plan has no named secret of this name")]
    NoSuchSecret,
    /// The mechanism needs to know the connection.
    #[error("the mechanism of authentication needs the connection that it runs on")]
    NoChannel,
    /// There is no TLS to bind to.
    #[error("there is no TLS on this connection that an authentication could be bound to")]
    Unbindable,
    /// The region is none.
    #[error("the region is not the name of one of AWS")]
    BadRegion,
    /// A challenge is longer than this.
    #[error("a challenge is longer than {LONGEST_CHALLENGE} bytes")]
    LongChallenge,
    /// The server asks for more work than is done for it.
    #[error("the server asks for more than {MOST_ITERATIONS} iterations of the password's hash")]
    TooMuchWork,
    /// The challenge is none of this mechanism.
    #[error("the server's challenge does not belong to this exchange")]
    Challenge,
    /// The exchange is over.
    #[error("the exchange is over, and there is nothing to answer")]
    Over,
    /// The server could not prove that it knows the password.
    #[error("the server did not prove that it knows the password")]
    ServerProof,
    /// The server refused.
    #[error("the server refused the credentials: {0}")]
    Refused(ServerRefusal),
    /// The client's secret would go to a service that the URI does not name.
    #[error("the client's secret is not sent to another token service than the URI names")]
    OtherTokenService,
    /// The plan does not say that it uses what the host lends.
    #[error("the plan of the connection does not say that it uses credentials of this host")]
    NotImplicit,
    /// The operator does not lend credentials; in the words of the flag.
    #[error(
        "implicit credentials disallowed due to --external-io-disable-implicit-credentials flag"
    )]
    Disallowed,
}

/// Why a server refused, where it says so within the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerRefusal {
    /// The password is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// Nobody there knows the user.
    #[error("the user is not known there")]
    UnknownUser,
    /// The two sides do not see the same TLS.
    #[error("the server sees another TLS connection than this host")]
    OtherChannel,
    /// The server could be bound to TLS, and the offer did not arrive.
    #[error("the server offers an authentication bound to TLS, and the offer did not arrive")]
    OfferRemoved,
    /// The server cannot be bound to TLS in this way.
    #[error("the server cannot bind an authentication to this TLS connection")]
    NoBinding,
    /// The server is short of resources.
    #[error("the server has no resources left for it")]
    NoResources,
    /// The token is not accepted.
    #[error("the token is not accepted")]
    Token,
    /// The token has another scope than the server asks for.
    #[error("the token lacks the scope that the server asks for")]
    Scope,
    /// Something that has no type of its own here.
    #[error("the reason is none that this host knows")]
    Other,
}

impl ServerRefusal {
    fn hint(self) -> &'static str {
        match self {
            Self::WrongPassword => "check the password; in a URI a % is written %25 and a + %2B",
            Self::UnknownUser => "check the user, and that it has a password of this mechanism",
            Self::OtherChannel | Self::OfferRemoved => {
                "look for something on the way that ends TLS in the server's place; behind a proxy \
                 of your own that does, use a mechanism without -PLUS"
            }
            Self::NoBinding => "use the mechanism without -PLUS",
            Self::NoResources => "try again later",
            Self::Token => {
                "check that the server trusts this token service, and the audience and the \
                 lifetime of its tokens"
            }
            Self::Scope => "give the connection the scope that the server asks for",
            Self::Other => "look at the server's log",
        }
    }
}

impl SaslError {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Egress(error) => error.class(),
            Self::Token(error) => error.class(),
            Self::Keys(error) => error.class(),
            Self::Failed(failure) => failure.class.clone(),
            Self::UnknownMechanism | Self::PropertyOfLaterContract => FailureClass::Unsupported,
            Self::TooManyProperties | Self::LongChallenge => FailureClass::Budget,
            Self::EmptyProperty(_) | Self::NoText(_) | Self::Unwritable | Self::BadRegion => {
                FailureClass::InvalidUri
            }
            Self::NoSuchSecret => FailureClass::NotFound,
            Self::ServerProof | Self::Refused(_) => FailureClass::RefusedCredentials,
            Self::OtherTokenService | Self::NotImplicit | Self::Disallowed => FailureClass::Denied,
            Self::ForeignProperty
            | Self::MissingProperty(_)
            | Self::NoChannel
            | Self::Unbindable
            | Self::TooMuchWork
            | Self::Challenge
            | Self::Over => FailureClass::Protocol,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = match self {
            Self::Egress(error) => return error.hint(),
            Self::Token(error) => return error.hint(),
            Self::Keys(error) => return error.hint(),
            Self::Failed(failure) => return failure.hint.clone().unwrap_or_default(),
            Self::UnknownMechanism | Self::PropertyOfLaterContract => {
                "update this host, or use another version of the provider"
            }
            Self::EmptyProperty(_) => "give the connection's URI the user and the password",
            Self::NoText(_) | Self::Unwritable => "give user and password as UTF-8 without a NUL",
            Self::BadRegion => "write a region as AWS does, as in eu-central-1",
            Self::NoSuchSecret => {
                "report it to the provider's author, or create the connection again"
            }
            Self::TooMuchWork => {
                "lower the iterations of the user's password at the server; 4096 is usual"
            }
            Self::Challenge => {
                "check that the host and port are those of the service that is meant"
            }
            Self::ServerProof => {
                "somebody may stand between and answer in the server's place: verify its \
                 certificate, and do not send this password there until it is understood"
            }
            Self::Refused(refusal) => refusal.hint(),
            Self::OtherTokenService | Self::NotImplicit => "create the connection again",
            Self::Disallowed => {
                "give the connection credentials of its own, or ask the operator of this host"
            }
            Self::TooManyProperties
            | Self::ForeignProperty
            | Self::MissingProperty(_)
            | Self::NoChannel
            | Self::Unbindable
            | Self::LongChallenge
            | Self::Over => {
                "report it to the provider's author, or use another version of the provider"
            }
        };
        text.to_owned()
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Failed(failure) => failure.clone(),
            _ => Failure::new(self.class(), self.to_string()).with_hint(self.hint()),
        }
    }
}
