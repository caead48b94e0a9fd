//! The source of every error of a cloud store.

use std::time::Duration;

use object_store::Error;
use portolan_contract::{Failure, FailureClass};
use portolan_egress::EgressError;
use portolan_egress::credentials::CredentialError;

use super::{Cause, Refusal};
use crate::failure::find_source;

/// Why an operation of a cloud store failed.
///
/// It is the source of the `object_store::Error` that the operation returns, and has none itself:
/// nothing that a library or a server wrote is in the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// The service said no.
    #[error("{0}")]
    Refused(Refusal),
    /// The service was not reached, or its answer did not arrive.
    #[error("{0}")]
    Egress(EgressError),
    /// The bucket's name before the host of the connection's own server leads nowhere.
    #[error("{0}")]
    BucketHost(EgressError),
    /// The credentials of the connection could not be had.
    #[error("{}", .0.message)]
    Credentials(Box<Failure>),
    /// There is no such object.
    #[error("the service has no such object")]
    Missing,
    /// There is an object of that name.
    #[error("the service has such an object already")]
    Exists,
    /// The object is not the one that the operation asked for.
    #[error("the object is not in the state that the operation asked for")]
    Changed,
    /// A folder has the object's name, or an object is where the object's folder would be.
    #[error("the service cannot put an object there")]
    InTheWay,
    /// The service began to copy, and did not end it.
    #[error("the service began to copy and {}", not_copied(*after))]
    NotCopied {
        /// The limit, where it was the time.
        after: Option<Duration>,
    },
    /// The object is still the one that the caller has.
    #[error("the object has not changed")]
    Unchanged,
    /// The range that was asked for is empty, or lies behind the object's end.
    #[error("the range is empty, or lies behind the end of the object")]
    BadRange,
    /// The name of an object in a list cannot be a path here.
    #[error("the name of an object there cannot be a path here")]
    BadName,
    /// An attribute cannot be sent.
    #[error("an attribute of the object has a character that cannot be sent")]
    BadAttribute,
    /// The service cannot do it.
    #[error("the service cannot do this")]
    Unsupported,
    /// The answer is larger than this host reads.
    #[error("{host} sent an answer of more than {most} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The limit.
        most: usize,
    },
    /// The answer did not end.
    #[error("the answer of {host} did not end within {} s", .after.as_secs())]
    Endless {
        /// The host.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// The answer is not one of this service.
    #[error("an answer of the service cannot be read")]
    Unreadable,
    /// The bucket did not say in which region it is.
    #[error("could not find s3 bucket's region: the server does not name one")]
    NoRegion,
    /// The operator does not allow it; in the words of the flag.
    #[error("{what} disallowed for {backend} due to --external-io-disable-{flag} flag")]
    Disallowed {
        /// What of the connection it is.
        what: &'static str,
        /// The backend, as users call it.
        backend: &'static str,
        /// The end of the flag.
        flag: &'static str,
    },
    /// The host lends its connections no credentials.
    #[error("this host lends its connections no credentials")]
    NothingLent,
    /// A setting of the plan is not one that this host can use.
    #[error("the connection's {setting} cannot be used")]
    Setting {
        /// What it is.
        setting: &'static str,
    },
}

fn not_copied(after: Option<Duration>) -> String {
    match after {
        Some(after) => format!("did not end within {} s", after.as_secs()),
        None => "gave it up".to_owned(),
    }
}

impl CloudError {
    /// Finds the cause in an error of a cloud store.
    #[must_use]
    pub fn find(error: &Error) -> Option<&Self> {
        find_source(error)
    }

    /// The same as the failure of a step or a statement; `path` names the object.
    #[must_use]
    pub fn failure(&self, path: Option<&str>) -> Failure {
        use FailureClass::{
            Budget, Denied, InvalidUri, NotFound, Other, Protocol, Timeout, Unsupported,
        };
        let named = |what: &str| match path {
            Some(path) => format!("`{path}` {what}"),
            None => self.to_string(),
        };
        let (class, message, hint) = match self {
            Self::Refused(refusal) => return refusal.failure(),
            Self::Egress(error) => return error.failure(),
            Self::BucketHost(error) => {
                let mut failure = error.failure();
                failure.hint = Some(super::s3::path_style_first(&error.hint()));
                return failure;
            }
            Self::Credentials(failure) => return (**failure).clone(),
            Self::Missing => (
                NotFound,
                named("does not exist"),
                "write the object first, or check the path that was given",
            ),
            Self::Exists => (
                Other("already-exists".to_owned()),
                named("exists already"),
                "choose another name, or overwrite the object",
            ),
            Self::Changed => (
                Other("precondition".to_owned()),
                named("is not in the state that the operation asked for"),
                "read the object again and repeat the operation",
            ),
            Self::InTheWay => (
                InvalidUri,
                match path {
                    Some(path) => format!("the service cannot put an object at `{path}`"),
                    None => self.to_string(),
                },
                "choose another name: a folder has this one, or an object is where the folder \
                 would be",
            ),
            Self::Unchanged => (
                Other("not-modified".to_owned()),
                named("has not changed"),
                "use the copy that you have",
            ),
            Self::BadRange => (
                InvalidUri,
                self.to_string(),
                "ask for bytes that the object has",
            ),
            Self::BadName => (
                InvalidUri,
                self.to_string(),
                "rename the object with the service's own tools: no `.`, no `..`, no `//`",
            ),
            Self::BadAttribute => (
                InvalidUri,
                self.to_string(),
                "write attributes in ASCII, without control characters",
            ),
            Self::Unsupported => (
                Unsupported,
                self.to_string(),
                "do without, or use another service",
            ),
            Self::TooLarge { .. } => (
                Budget,
                self.to_string(),
                "check that the server is the one that is meant",
            ),
            Self::Endless { .. } => (
                Timeout,
                self.to_string(),
                "see whether the server is slow or overloaded, and try again",
            ),
            Self::NotCopied { after } => (
                match after {
                    Some(_) => Timeout,
                    None => Other("copy".to_owned()),
                },
                self.to_string(),
                "look at the target, which may be empty or gone, and copy again",
            ),
            Self::Unreadable => (
                Protocol,
                self.to_string(),
                "check scheme, host and port: another service may answer there",
            ),
            Self::NoRegion => (
                InvalidUri,
                self.to_string(),
                "give the connection AWS_REGION",
            ),
            Self::Disallowed { .. } => (
                Denied,
                self.to_string(),
                "give the connection credentials and a server of the provider's own, or ask the \
                 operator of this host",
            ),
            Self::NothingLent => (
                Unsupported,
                self.to_string(),
                "give the connection credentials of its own",
            ),
            Self::Setting { .. } => (
                InvalidUri,
                self.to_string(),
                "give it anew with ALTER EXTERNAL CONNECTION",
            ),
        };
        Failure::new(class, message).with_hint(hint)
    }

    /// The error of an operation on the object at `path`.
    pub(crate) fn into_store(self, store: &'static str, path: &str) -> Error {
        let path = path.to_owned();
        let kind = match &self {
            Self::Refused(refusal) => Kind::of(refusal.cause()),
            Self::Credentials(failure) => Kind::of_class(&failure.class),
            Self::BucketHost(EgressError::Denied(_))
            | Self::Egress(EgressError::Denied(_) | EgressError::NotPlanned { .. })
            | Self::Disallowed { .. } => Kind::Denied,
            Self::Missing => Kind::Missing,
            Self::Exists => Kind::Exists,
            Self::Changed => Kind::Changed,
            Self::Unchanged => Kind::Unchanged,
            Self::Unsupported => Kind::Unsupported,
            _ => Kind::Other,
        };
        let source = Box::new(self);
        match kind {
            Kind::Missing => Error::NotFound { path, source },
            Kind::Exists => Error::AlreadyExists { path, source },
            Kind::Changed => Error::Precondition { path, source },
            Kind::Unchanged => Error::NotModified { path, source },
            Kind::Denied => Error::PermissionDenied { path, source },
            Kind::Unknown => Error::Unauthenticated { path, source },
            Kind::Unsupported => Error::NotSupported { source },
            Kind::Other => Error::Generic { store, source },
        }
    }
}

impl From<CredentialError> for CloudError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Egress(error) => Self::Egress(error),
            other => Self::Credentials(Box::new(other.failure())),
        }
    }
}

/// The variants that embedders match on.
enum Kind {
    Missing,
    Exists,
    Changed,
    Unchanged,
    Denied,
    Unknown,
    Unsupported,
    Other,
}

impl Kind {
    fn of_class(class: &FailureClass) -> Self {
        match class {
            FailureClass::RefusedCredentials => Self::Unknown,
            FailureClass::Denied => Self::Denied,
            FailureClass::Unsupported => Self::Unsupported,
            _ => Self::Other,
        }
    }

    fn of(cause: &Cause) -> Self {
        match cause {
            Cause::WrongSecret
            | Cause::UnknownKey
            | Cause::CredentialsNeeded
            | Cause::ExpiredToken
            | Cause::InvalidToken
            | Cause::ClockSkew { .. } => Self::Unknown,
            Cause::AccessDenied { .. } | Cause::AccountDisabled | Cause::Archived => Self::Denied,
            Cause::Folder => Self::Missing,
            Cause::NotImplemented => Self::Unsupported,
            Cause::Conflict => Self::Changed,
            _ => Self::Other,
        }
    }
}

/// An error of `object_store` about the object at `path`, in our own types. `path` is the one that
/// the caller gave.
pub(super) fn own(error: Error, store: &'static str, path: &str) -> Error {
    if let Some(cloud) = find_source::<CloudError>(&error) {
        return cloud.clone().into_store(store, path);
    }
    if let Some(egress) = find_source::<EgressError>(&error) {
        return CloudError::Egress(egress.clone()).into_store(store, path);
    }
    let cloud = match error {
        Error::NotFound { .. } => CloudError::Missing,
        Error::AlreadyExists { .. } => CloudError::Exists,
        Error::Precondition { .. } => CloudError::Changed,
        Error::NotModified { .. } => CloudError::Unchanged,
        Error::InvalidPath { .. } => CloudError::BadName,
        Error::NotSupported { .. } => CloudError::Unsupported,
        // Its words are those of the library, about its own methods.
        Error::NotImplemented { operation, .. } => {
            return Error::NotImplemented {
                operation,
                implementer: store.to_owned(),
            };
        }
        _ => CloudError::Unreadable,
    };
    cloud.into_store(store, path)
}
