//! The local side: trees of files that are read, and directories that are written.

mod target;
mod walk;

use std::io::{Error, ErrorKind};

pub(super) use target::{Standing, TargetDirectory, local_path};
pub(super) use walk::{Local, Tree};

use crate::report::Failure;

/// An error of the operating system about a file that the user named.
pub(super) fn failed(action: &str, name: &str, error: &Error) -> anyhow::Error {
    let sqlstate = match error.kind() {
        ErrorKind::NotFound => "58P01",
        ErrorKind::PermissionDenied => "42501",
        ErrorKind::ReadOnlyFilesystem => "25006",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "53100",
        _ => "58030",
    };
    Failure::new(sqlstate, format!("cannot {action} {name}: {error}")).into()
}
