//! From an error of a store to a failure that tells a person what to do.
//!
//! Causes are told apart by their types and by [`ErrorKind`], never by text. What a remote store
//! or a library wrote stays out of the message: it is not ours to vouch for.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use object_store::Error;
use portolan_contract::{Failure, FailureClass};
use portolan_egress::EgressError;
use portolan_files::UserFilesError;

use crate::{CloudError, GateError, NameFault, NodelocalError};

/// The first error of type `E` among the error's sources.
pub(crate) fn find_source<E: StdError + 'static>(error: &Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref() {
            return Some(found);
        }
        next = source.source();
    }
    None
}

/// The failure behind an error of one of our stores: its class, what happened, what to do.
///
/// Paths in the message are those of objects; for nodelocal they lie below the external I/O
/// directory, whose own path is never shown.
#[must_use]
pub fn failure_of(error: &Error) -> Failure {
    if let Some(gate) = GateError::find(error) {
        return of_gate(gate);
    }
    if let Some(local) = find_source::<NodelocalError>(error) {
        return of_nodelocal(local);
    }
    if let Some(files) = find_source::<UserFilesError>(error) {
        return of_user_files(files);
    }
    if let Some(cloud) = CloudError::find(error) {
        return cloud.failure(path_of(error));
    }
    if let Some(egress) = find_source::<EgressError>(error) {
        return egress.failure();
    }
    of_any(error)
}

/// What the store of user files says, where that is more than an object store's error can: its
/// message holds nothing but a path that the caller knows.
#[must_use]
pub fn user_files_error(error: &Error) -> Option<&UserFilesError> {
    find_source::<UserFilesError>(error).filter(|error| {
        !matches!(
            error,
            UserFilesError::Missing { .. }
                | UserFilesError::Exists { .. }
                | UserFilesError::Changed { .. }
        )
    })
}

fn of_user_files(error: &UserFilesError) -> Failure {
    use FailureClass::{Denied, InvalidUri, NotFound, Other, Timeout, Unsupported};
    let class = match error {
        UserFilesError::BadPath { .. } => InvalidUri,
        UserFilesError::Missing { .. } => NotFound,
        UserFilesError::ReadOnly => Denied,
        UserFilesError::DiskFull | UserFilesError::NoRoom => disk_full(),
        UserFilesError::NewerSchema { .. } => Unsupported,
        UserFilesError::Stopped => Timeout,
        UserFilesError::Locked => Other(FailureClass::LOCKED.to_owned()),
        UserFilesError::Damaged | UserFilesError::DamagedFile { .. } => Other("damaged".to_owned()),
        _ => Other("storage".to_owned()),
    };
    Failure::new(class, error.to_string()).with_hint(error.hint())
}

/// The path that an error names.
fn path_of(error: &Error) -> Option<&str> {
    match error {
        Error::NotFound { path, .. }
        | Error::AlreadyExists { path, .. }
        | Error::Precondition { path, .. }
        | Error::NotModified { path, .. }
        | Error::PermissionDenied { path, .. }
        | Error::Unauthenticated { path, .. } => Some(path),
        _ => None,
    }
}

fn of_gate(error: &GateError) -> Failure {
    let class = match error.sqlstate() {
        "42501" => FailureClass::Denied,
        "42704" => FailureClass::NotFound,
        "57014" => FailureClass::Timeout,
        "53200" => FailureClass::Budget,
        other => FailureClass::Other(other.to_owned()),
    };
    let mut failure = Failure::new(class, error.message());
    failure.hint = error.hint().map(str::to_owned);
    failure
}

fn of_nodelocal(error: &NodelocalError) -> Failure {
    use FailureClass::{Denied, InvalidUri, NotFound, Other};
    let (class, hint) = match error {
        NodelocalError::NoName => (InvalidUri, "name an object below the connection's path"),
        NodelocalError::BadName { fault, .. } => (InvalidUri, of_name(*fault)),
        NodelocalError::Missing { .. } => (
            NotFound,
            "write the object first, or check the path that was given",
        ),
        NodelocalError::Exists { .. } => (
            Other("already-exists".to_owned()),
            "choose another name, or overwrite the object",
        ),
        NodelocalError::IsDirectory { .. } => (
            InvalidUri,
            "choose another name, or move the directory away",
        ),
        NodelocalError::IsObject { .. } => (
            InvalidUri,
            "choose a path that does not lead through an object, or delete the object first",
        ),
        NodelocalError::IsLink { .. } => (
            Denied,
            "keep the files below the external I/O directory itself, or mount them there",
        ),
        NodelocalError::IsSpecial { .. } => (
            InvalidUri,
            "choose another name: only regular files are objects",
        ),
        NodelocalError::Shrunk { .. } => (
            Other("changed-while-read".to_owned()),
            "read it again, and find what writes to the file in place",
        ),
        NodelocalError::UploadOver { .. } => {
            (Other("upload-over".to_owned()), "start a new upload")
        }
        NodelocalError::Io { source, .. } => of_io(source),
        NodelocalError::Stopped => (Other("stopped".to_owned()), "try again"),
    };
    Failure::new(class, error.to_string()).with_hint(hint)
}

fn of_name(fault: NameFault) -> &'static str {
    match fault {
        NameFault::Empty | NameFault::Dots => {
            "write the path with names only: no `.`, no `..`, no `//`"
        }
        NameFault::Character => "use names without control characters and backslashes",
        NameFault::TooLong => "use names of at most 255 bytes between two `/`",
        NameFault::Reserved => "choose another name",
    }
}

fn disk_full() -> FailureClass {
    FailureClass::Other(FailureClass::DISK_FULL.to_owned())
}

/// The class of an error of the operating system, and what to do about it.
pub(crate) fn of_io(error: &io::Error) -> (FailureClass, &'static str) {
    use FailureClass::{Denied, InvalidUri, NotFound, Other, Timeout};
    match error.kind() {
        ErrorKind::PermissionDenied => (
            Denied,
            "let the user that runs Portolan read and write below the external I/O directory",
        ),
        ErrorKind::ReadOnlyFilesystem => (
            Denied,
            "mount the file system of the external I/O directory for writing, or choose another",
        ),
        ErrorKind::StorageFull => (
            disk_full(),
            "free space in the file system of the external I/O directory",
        ),
        ErrorKind::QuotaExceeded => (
            disk_full(),
            "free space, or raise the quota of the user that runs Portolan",
        ),
        ErrorKind::FileTooLarge => (
            disk_full(),
            "write smaller objects, or raise the limit on the size of files",
        ),
        ErrorKind::NotFound => (NotFound, "create the directory, or mount it"),
        ErrorKind::NotADirectory => (InvalidUri, "name a directory"),
        ErrorKind::Unsupported => (
            FailureClass::Unsupported,
            "choose a file system that has hard links, or write without asking for a new name",
        ),
        ErrorKind::TimedOut | ErrorKind::StaleNetworkFileHandle => (
            Timeout,
            "check the file server that the external I/O directory is mounted from",
        ),
        _ => (
            Other("storage".to_owned()),
            "check the disk and the system log of this host",
        ),
    }
}

fn of_any(error: &Error) -> Failure {
    use FailureClass::{Denied, InvalidUri, NotFound, Other, RefusedCredentials, Unsupported};
    match error {
        Error::NotFound { path, .. } => Failure::new(NotFound, format!("`{path}` does not exist"))
            .with_hint("write the object first, or check the path that was given"),
        Error::AlreadyExists { path, .. } => Failure::new(
            Other("already-exists".to_owned()),
            format!("`{path}` exists already"),
        )
        .with_hint("choose another name, or overwrite the object"),
        Error::Precondition { path, .. } => Failure::new(
            Other("precondition".to_owned()),
            format!("`{path}` is not in the state that the operation asked for"),
        )
        .with_hint("read the object again and repeat the operation"),
        Error::NotModified { path, .. } => Failure::new(
            Other("not-modified".to_owned()),
            format!("`{path}` has not changed"),
        ),
        Error::PermissionDenied { path, .. } => Failure::new(
            Denied,
            format!("the store does not allow the operation on `{path}`"),
        )
        .with_hint("grant the connection's credentials what the operation needs"),
        Error::Unauthenticated { .. } => Failure::new(
            RefusedCredentials,
            "the store refused the connection's credentials",
        )
        .with_hint("give the connection valid credentials"),
        Error::InvalidPath { .. } => Failure::new(InvalidUri, "the path cannot be an object's")
            .with_hint(of_name(NameFault::Dots)),
        Error::NotImplemented { operation, .. } => Failure::new(
            Unsupported,
            format!("the store cannot do this: {operation}"),
        ),
        Error::NotSupported { .. } => {
            Failure::new(Unsupported, "the store cannot do this operation")
        }
        _ => Failure::new(Other("storage".to_owned()), "the store failed")
            .with_hint("look at the log of this host, and at that of the store"),
    }
}

#[cfg(test)]
mod tests {
    use object_store::path::Path;

    use super::*;

    fn from_os(code: i32) -> Failure {
        let error = NodelocalError::io(
            "write",
            &Path::from("a/b"),
            io::Error::from_raw_os_error(code),
        );
        failure_of(&error.into())
    }

    #[test]
    fn a_cause_in_the_system_has_its_class_and_hint() {
        let cases = [
            (13, FailureClass::Denied, "let the user"),
            (30, FailureClass::Denied, "mount the file system"),
            (28, disk_full(), "free space in"),
            (2, FailureClass::NotFound, "write the object first"),
            (
                5,
                FailureClass::Other("storage".to_owned()),
                "check the disk",
            ),
            (36, FailureClass::InvalidUri, "use names of at most 255"),
        ];
        for (code, class, hint) in cases {
            let failure = from_os(code);
            assert_eq!(failure.class, class, "{code}");
            assert!(failure.message.contains("`a/b`"), "{failure}");
            let given = failure.hint.expect("a hint");
            assert!(given.starts_with(hint), "{code}: {given}");
        }
    }

    #[test]
    fn the_gates_words_are_kept() {
        let error = Error::PermissionDenied {
            path: "a".to_owned(),
            source: Box::new(GateError::new("42501", "USAGE was revoked").with_hint("ask")),
        };
        let failure = failure_of(&error);
        assert_eq!(failure.class, FailureClass::Denied);
        assert_eq!(failure.message, "USAGE was revoked");
        assert_eq!(failure.hint.as_deref(), Some("ask"));
    }

    #[test]
    fn what_a_library_wrote_is_not_shown() {
        let error = Error::Generic {
            store: "S3",
            source: "https://user:secret@host/".into(),
        };
        let failure = failure_of(&error);
        assert!(!format!("{failure:?}").contains("secret"));
    }
}
