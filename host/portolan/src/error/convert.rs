//! What the errors of the other rooms become.

use portolan_catalog::CatalogError;
use portolan_contract::{
    ExternalUrlError, Failure, FailureClass, InvalidName, StoredPlanError, UriError,
};
use portolan_data::{
    CloudError, DataError, DatabaseError, GateError, NodelocalError, failure_of, user_files_error,
};
use portolan_sandbox::{BindError, LoadError, ProviderError};
use portolan_statement::{ParseError, UnboundPlaceholder};

use super::{Error, SqlState};

impl From<UnboundPlaceholder> for Error {
    fn from(error: UnboundPlaceholder) -> Self {
        Self::new(SqlState::UndefinedParameter, error.to_string())
            .with_hint("give one value for each placeholder, the first for $1")
    }
}

/// The text of the statement is not repeated: the message names a token of it, literals masked.
impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        let mut converted = Self::new(SqlState::Syntax, error.message());
        if let Some(detail) = error.detail() {
            converted = converted.with_detail(detail);
        }
        converted.with_hint_of(error.hint())
    }
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        Self::new(SqlState::from_code(error.sqlstate()), error.to_string())
            .with_hint_of(error.hint())
    }
}

impl From<UriError> for Error {
    fn from(error: UriError) -> Self {
        Self::new(SqlState::InvalidParameterValue, error.message).with_hint_of(error.hint)
    }
}

impl From<InvalidName> for Error {
    fn from(error: InvalidName) -> Self {
        Self::new(SqlState::InvalidName, error.to_string()).with_hint(error.hint())
    }
}

impl From<ExternalUrlError> for Error {
    fn from(error: ExternalUrlError) -> Self {
        Self::new(SqlState::from_code(error.sqlstate()), error.to_string()).with_hint(error.hint())
    }
}

impl From<StoredPlanError> for Error {
    fn from(error: StoredPlanError) -> Self {
        match error {
            StoredPlanError::Newer { .. } => {
                Self::new(SqlState::FeatureNotSupported, error.to_string())
                    .with_hint("use the version that wrote it, or one that is newer")
            }
            _ => Self::new(SqlState::DataCorrupted, error.to_string())
                .with_hint("give the connection its URI again with ALTER EXTERNAL CONNECTION"),
        }
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Self::new(SqlState::from_code(&error.sqlstate()), error.to_string())
            .with_hint_of(error.hint())
    }
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        Self::new(SqlState::from_code(&error.sqlstate()), error.to_string()).with_hint(error.hint())
    }
}

impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Refused(failure) => failure.into(),
            other => Self::new(SqlState::from_code(other.sqlstate()), other.to_string())
                .with_hint_of(other.hint()),
        }
    }
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        Self::new(SqlState::from_code(error.sqlstate()), error.to_string()).with_hint(error.hint())
    }
}

impl From<BindError> for Error {
    fn from(error: BindError) -> Self {
        match error {
            BindError::Type(error) => error.into(),
            BindError::Start(error) => error.into(),
            other => Self::new(SqlState::Internal, other.to_string()),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::new(
            SqlState::from_code(failure.class.sqlstate()),
            failure.message,
        )
        .with_hint_of(failure.hint)
    }
}

impl From<GateError> for Error {
    fn from(error: GateError) -> Self {
        Self::new(SqlState::from_code(error.sqlstate()), error.message()).with_hint_of(error.hint())
    }
}

/// The texts of a store's errors are left out: they may hold what a server echoed. What is kept is
/// the kind of the error and, where the handle itself was refused, or this host's own disk or store of
/// user files or what is behind the network is the cause, our own words for it, as a probe tells them.
impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Store;
        if let Some(gate) = GateError::find(&error) {
            return gate.clone().into();
        }
        if let Some(files) = user_files_error(&error) {
            return Self::new(SqlState::from_code(files.sqlstate()), files.to_string())
                .with_hint(files.hint());
        }
        match error {
            Store::NotFound { path, .. } => Self::new(
                SqlState::UndefinedFile,
                format!("there is no object {}", quoted(&path)),
            )
            .with_hint("list what is there, and mind that names are case-sensitive"),
            Store::AlreadyExists { path, .. } => Self::new(
                SqlState::DuplicateFile,
                format!("there is already an object {}", quoted(&path)),
            )
            .with_hint("choose another name, or write over it on purpose"),
            Store::InvalidPath { .. } => Self::new(
                SqlState::InvalidParameterValue,
                "the path is not one that an object can have",
            )
            .with_hint("a path has no empty segment, no `.` and no `..`"),
            Store::NotSupported { .. } | Store::NotImplemented { .. } => Self::new(
                SqlState::FeatureNotSupported,
                "this object store cannot do that",
            )
            .with_hint("copy the objects and remove the old ones, or use another kind of storage"),
            Store::Precondition { path, .. } | Store::NotModified { path, .. } => Self::new(
                SqlState::SerializationFailure,
                format!("the object {} has changed meanwhile", quoted(&path)),
            )
            .with_hint("try it again"),
            Store::PermissionDenied { .. } | Store::Generic { .. }
                if NodelocalError::find(&error).is_some() =>
            {
                of_disk(failure_of(&error))
            }
            Store::PermissionDenied { .. }
            | Store::Unauthenticated { .. }
            | Store::Generic { .. }
                if CloudError::find(&error).is_some() =>
            {
                let failure = failure_of(&error);
                let message = portolan_contract::strip_controls(&failure.message, 2048);
                Self::new(SqlState::from_code(failure.class.sqlstate()), message)
                    .with_hint_of(failure.hint)
            }
            Store::PermissionDenied { path, .. } => Self::new(
                SqlState::InsufficientPrivilege,
                format!("the object store does not allow it for {}", quoted(&path)),
            )
            .with_hint("give the connection's credentials the permission"),
            Store::Unauthenticated { .. } => Self::new(
                SqlState::InvalidAuthorization,
                "the object store refused the credentials",
            )
            .with_hint("give the connection new credentials with ALTER EXTERNAL CONNECTION"),
            _ => Self::new(
                SqlState::InputOutput,
                "reading from or writing to the object store failed",
            )
            .with_hint("VALIDATE EXTERNAL CONNECTION shows which step fails"),
        }
    }
}

/// What is wrong below the external I/O directory.
fn of_disk(failure: Failure) -> Error {
    let state = match &failure.class {
        FailureClass::Other(class) if class != FailureClass::DISK_FULL => SqlState::InputOutput,
        class => SqlState::from_code(class.sqlstate()),
    };
    let message = portolan_contract::strip_controls(&failure.message, 2048);
    Error::new(state, message).with_hint_of(failure.hint)
}

fn quoted(path: &str) -> String {
    format!("'{}'", portolan_contract::strip_controls(path, 1024))
}

#[cfg(test)]
mod tests {
    use portolan_contract::FailureClass;

    use super::*;

    #[test]
    fn a_failure_keeps_its_class_and_hint() {
        let error = Error::from(
            Failure::new(FailureClass::Unreachable, "no answer").with_hint("start the server"),
        );
        assert_eq!(error.sqlstate(), SqlState::ConnectionFailure);
        assert_eq!(error.hint(), Some("start the server"));
    }

    #[test]
    fn what_a_store_said_is_not_repeated() {
        let error = Error::from(object_store::Error::Generic {
            store: "s3",
            source: "the key hunter2hunter2 is wrong".into(),
        });
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(error.sqlstate(), SqlState::InputOutput);
    }

    #[test]
    fn what_is_wrong_with_our_own_disk_is_told() {
        use std::io::{self, ErrorKind};
        for (kind, state, hint) in [
            (ErrorKind::StorageFull, SqlState::DiskFull, "free space"),
            (ErrorKind::QuotaExceeded, SqlState::DiskFull, "free space"),
            (ErrorKind::FileTooLarge, SqlState::DiskFull, "write smaller"),
            (
                ErrorKind::ReadOnlyFilesystem,
                SqlState::InsufficientPrivilege,
                "mount the file system",
            ),
            (ErrorKind::Other, SqlState::InputOutput, "check the disk"),
        ] {
            let local = NodelocalError::Io {
                action: "write",
                path: "a\u{1b}[2J/b".to_owned(),
                source: io::Error::from(kind),
            };
            let error = Error::from(object_store::Error::from(local));
            assert_eq!(error.sqlstate(), state, "{kind}");
            let given = error.hint().expect("a hint");
            assert!(given.starts_with(hint), "{kind}: {given}");
            assert!(error.message().starts_with("cannot write `a"), "{error:?}");
            assert!(!error.message().contains(char::is_control), "{error:?}");
        }
    }

    #[test]
    fn a_refusal_of_the_gate_keeps_its_own_state() {
        let gate = GateError::new("42704", "the connection is gone");
        let error = Error::from(object_store::Error::PermissionDenied {
            path: "a".to_owned(),
            source: Box::new(gate),
        });
        assert_eq!(error.sqlstate(), SqlState::UndefinedObject);
        assert_eq!(error.message(), "the connection is gone");
    }
}
