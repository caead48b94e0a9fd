//! What a service said no with, and what to do about it.

use std::fmt;

use http::StatusCode;
use http::request::Parts;
use portolan_contract::{Failure, FailureClass};
use portolan_secret::Scrubber;

use super::{Answer, Dialect, Words};

/// Why a service refused, by the code that it gave, or by its status where it gave none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The proof of who the connection is does not fit.
    WrongSecret,
    /// Nobody of that name is known.
    UnknownKey,
    /// The connection has no credentials, and the service asks for some.
    CredentialsNeeded,
    /// The temporary credentials are over.
    ExpiredToken,
    /// The temporary token is none of this key's.
    InvalidToken,
    /// The clocks of the two are too far apart.
    ClockSkew {
        /// By how many seconds the service's is ahead, where it said what time it is.
        seconds: Option<i64>,
    },
    /// The bucket or container does not exist.
    NoSuchContainer,
    /// The bucket is in another region.
    WrongRegion {
        /// Which one, where the service said so.
        expected: Option<String>,
    },
    /// The credentials are good, and not enough.
    AccessDenied {
        /// The permission that is missing, in the service's word.
        permission: Option<&'static str>,
    },
    /// The account does not use the service, or not any more.
    AccountDisabled,
    /// The key that objects are encrypted with cannot be used.
    EncryptionKey,
    /// What is there is a folder.
    Folder,
    /// The object is in an archive, and must be restored first.
    Archived,
    /// What was sent is larger than the service takes.
    TooLarge,
    /// What arrived is not what was sent.
    Corrupted,
    /// A setting of the connection is not one that the service takes.
    BadSetting {
        /// The option.
        option: &'static str,
    },
    /// Another operation on the object was under way, even after waiting. Nothing was done.
    Conflict,
    /// The service wants the request to be sent elsewhere.
    Redirect {
        /// To which host, where it said so.
        host: Option<String>,
    },
    /// There are too many requests for it, even after waiting.
    Throttled,
    /// The service failed, even after waiting.
    ServerError,
    /// What answers is another service.
    NotThisService,
    /// The service does not have what was asked for.
    NotImplemented,
    /// Something else.
    Unexpected,
}

/// A refusal of a service.
///
/// It holds nothing that the service wrote but a code that this host knows, and the name of a
/// region or a host.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    words: &'static Words,
    host: String,
    status: StatusCode,
    code: Option<&'static str>,
    cause: Cause,
    hint: Option<&'static str>,
}

impl Refusal {
    /// What an answer means. What the service names (a region, a host) is kept where none of the
    /// connection's secrets is in it.
    pub(crate) fn of(
        dialect: &dyn Dialect,
        asked: &Parts,
        answer: &Answer,
        secrets: &Scrubber,
    ) -> Self {
        let meaning = dialect
            .cause(asked, answer)
            .unwrap_or_else(|| (by_status(dialect, asked, answer), None));
        Self::new(dialect, asked, answer, meaning, secrets)
    }

    /// An answer, or a part of it, of which the meaning is known.
    pub(crate) fn new(
        dialect: &dyn Dialect,
        asked: &Parts,
        answer: &Answer,
        (cause, code): (Cause, Option<&'static str>),
        secrets: &Scrubber,
    ) -> Self {
        Self {
            words: dialect.words(),
            host: asked.uri.host().unwrap_or_default().to_owned(),
            status: answer.status,
            code,
            hint: dialect.hint(&cause),
            cause: without_secrets(cause, secrets),
        }
    }

    /// Why.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The service's own code, where it is one that this host knows.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::new(self.class(), self.to_string()).with_hint(self.hint())
    }

    fn class(&self) -> FailureClass {
        match &self.cause {
            Cause::WrongSecret
            | Cause::UnknownKey
            | Cause::CredentialsNeeded
            | Cause::ExpiredToken
            | Cause::InvalidToken
            | Cause::ClockSkew { .. } => FailureClass::RefusedCredentials,
            Cause::NoSuchContainer | Cause::Folder => FailureClass::NotFound,
            Cause::WrongRegion { .. } | Cause::BadSetting { .. } => FailureClass::InvalidUri,
            Cause::AccessDenied { .. }
            | Cause::AccountDisabled
            | Cause::EncryptionKey
            | Cause::Archived => FailureClass::Denied,
            Cause::TooLarge => FailureClass::Budget,
            Cause::Conflict => FailureClass::Other("conflict".to_owned()),
            Cause::Throttled | Cause::ServerError => FailureClass::Unreachable,
            Cause::Redirect { .. }
            | Cause::NotThisService
            | Cause::Corrupted
            | Cause::Unexpected => FailureClass::Protocol,
            Cause::NotImplemented => FailureClass::Unsupported,
        }
    }

    fn hint(&self) -> String {
        if let Some(hint) = self.hint {
            return hint.to_owned();
        }
        let Words {
            service,
            container,
            identity,
            secret,
            token,
            region,
        } = self.words;
        match &self.cause {
            Cause::WrongSecret => format!(
                "give {identity} and {secret} of one and the same key; in a URI a + is written %2B"
            ),
            Cause::UnknownKey => {
                format!("check {identity}: it may have been deleted, or be one of another service")
            }
            Cause::CredentialsNeeded => format!("give {identity} and {secret}"),
            Cause::ExpiredToken => {
                format!("give new temporary credentials: {identity}, {secret} and {token}")
            }
            Cause::InvalidToken => {
                format!("give {identity}, {secret} and {token} as they were issued together")
            }
            Cause::ClockSkew { .. } => "set this host's clock, and keep it by NTP".to_owned(),
            Cause::NoSuchContainer => {
                format!("check the name of the {container}, or create it")
            }
            Cause::WrongRegion {
                expected: Some(expected),
            } => format!("write {region}={expected}"),
            Cause::WrongRegion { expected: None } => {
                format!("write {region} as the region of the {container}")
            }
            Cause::AccessDenied {
                permission: Some(permission),
            } => format!(
                "grant the connection's credentials {permission} on the {container}, and look for \
                 a policy that denies it"
            ),
            Cause::AccessDenied { permission: None } => format!(
                "grant the connection's credentials what the operation needs on the {container}"
            ),
            Cause::AccountDisabled => {
                format!("look at the state of the account with the provider of {service}")
            }
            Cause::EncryptionKey => format!(
                "check that the key that the {container} encrypts with is enabled, and let the \
                 connection's credentials use it"
            ),
            Cause::Folder => "name an object in the folder".to_owned(),
            Cause::Archived => "restore the object from the archive, and try again".to_owned(),
            Cause::TooLarge => {
                "write the object in several parts, or in several objects".to_owned()
            }
            Cause::Corrupted => {
                "try again; if it stays so, look for what changes bytes on the way".to_owned()
            }
            Cause::BadSetting { option } => format!("check the value of {option}"),
            Cause::Conflict => "try again when the other operation is done".to_owned(),
            Cause::Redirect { .. } => {
                "name the host that is meant: redirects are not followed, so that credentials go \
                 nowhere else"
                    .to_owned()
            }
            Cause::Throttled => "do less at a time, or ask for a higher limit".to_owned(),
            Cause::ServerError => format!("try again later, and look at the state of {service}"),
            Cause::NotThisService => format!(
                "check scheme, host and port: something other than {service} may answer there"
            ),
            Cause::NotImplemented => {
                format!("use a server that implements this part of {service}")
            }
            Cause::Unexpected => format!("look at the log of {service} for the reason"),
        }
    }
}

/// What a status means that comes without a code.
fn by_status(dialect: &dyn Dialect, asked: &Parts, answer: &Answer) -> Cause {
    match answer.status {
        StatusCode::UNAUTHORIZED => Cause::WrongSecret,
        StatusCode::FORBIDDEN => Cause::AccessDenied {
            permission: dialect.permission(asked),
        },
        StatusCode::PAYLOAD_TOO_LARGE => Cause::TooLarge,
        StatusCode::TOO_MANY_REQUESTS => Cause::Throttled,
        StatusCode::NOT_IMPLEMENTED => Cause::NotImplemented,
        status if status.is_redirection() => Cause::Redirect {
            host: answer.redirect_host(),
        },
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            Cause::ServerError
        }
        _ => Cause::Unexpected,
    }
}

fn without_secrets(cause: Cause, secrets: &Scrubber) -> Cause {
    let clean =
        |text: Option<String>| text.filter(|text| secrets.scrub(text).as_ref() == Some(text));
    match cause {
        Cause::WrongRegion { expected } => Cause::WrongRegion {
            expected: clean(expected),
        },
        Cause::Redirect { host } => Cause::Redirect { host: clean(host) },
        other => other,
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words {
            service,
            container,
            identity,
            secret,
            token,
            ..
        } = self.words;
        let host = &self.host;
        match &self.cause {
            Cause::WrongSecret => {
                write!(
                    f,
                    "{service} refused {secret}: it is not that of {identity}"
                )?;
            }
            Cause::UnknownKey => write!(f, "{service} does not know {identity}")?,
            Cause::CredentialsNeeded => write!(f, "{service} asks for {identity} and {secret}")?,
            Cause::ExpiredToken => write!(f, "the temporary credentials have expired")?,
            Cause::InvalidToken => write!(f, "{service} refused {token}")?,
            Cause::ClockSkew {
                seconds: Some(seconds),
            } => {
                let word = match *seconds < 0 {
                    true => "ahead of",
                    false => "behind",
                };
                let seconds = seconds.unsigned_abs();
                write!(
                    f,
                    "this host's clock is {seconds} s {word} that of {service}"
                )?;
            }
            Cause::ClockSkew { seconds: None } => {
                write!(f, "this host's clock is too far from that of {service}")?;
            }
            Cause::NoSuchContainer => write!(f, "the {container} does not exist")?,
            Cause::WrongRegion {
                expected: Some(expected),
            } => write!(f, "the {container} is in the region {expected}")?,
            Cause::WrongRegion { expected: None } => {
                write!(f, "the {container} is in another region")?;
            }
            Cause::AccessDenied {
                permission: Some(permission),
            } => write!(f, "{service} does not allow {permission}")?,
            Cause::AccessDenied { permission: None } => {
                write!(f, "{service} does not allow the operation")?;
            }
            Cause::AccountDisabled => {
                write!(f, "the account of the {container} cannot use {service}")?;
            }
            Cause::EncryptionKey => {
                write!(
                    f,
                    "{service} cannot use the key that objects are encrypted with"
                )?;
            }
            Cause::Folder => write!(f, "what is there is a folder, not an object")?,
            Cause::Archived => write!(f, "the object is in an archive of {service}")?,
            Cause::TooLarge => write!(f, "the object is larger than {service} takes")?,
            Cause::Corrupted => {
                write!(f, "{service} did not receive the content as it was sent")?;
            }
            Cause::BadSetting { option } => write!(f, "{service} does not take {option}")?,
            Cause::Conflict => write!(f, "another operation on the object is under way")?,
            Cause::Redirect {
                host: Some(elsewhere),
            } => write!(f, "{host} redirects to {elsewhere}")?,
            Cause::Redirect { host: None } => write!(f, "{host} redirects elsewhere")?,
            Cause::Throttled => write!(f, "{service} takes no more requests for now")?,
            Cause::ServerError => {
                write!(f, "{service} failed with status {}", self.status.as_u16())?;
            }
            Cause::NotThisService => write!(f, "what answers at {host} is not {service}")?,
            Cause::NotImplemented => write!(f, "{host} cannot do this")?,
            Cause::Unexpected => {
                write!(f, "{service} answered with status {}", self.status.as_u16())?;
            }
        }
        match self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("service", &self.words.service)
            .field("host", &self.host)
            .field("status", &self.status.as_u16())
            .field("code", &self.code)
            .field("cause", &self.cause)
            .finish()
    }
}

impl std::error::Error for Refusal {}
