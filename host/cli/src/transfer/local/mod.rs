//! The local side: trees of files that are read, and directories that are written.

mod target;
mod walk;

use std::io::Error;

pub(super) use target::{Standing, TargetDirectory, local_path};
pub(super) use walk::{Local, Tree};

use crate::report::{Failure, of_the_system};

/// An error of the operating system about a file that the user named.
pub(super) fn failed(action: &str, name: &str, error: &Error) -> anyhow::Error {
    let (sqlstate, hint) = of_the_system(error);
    Failure::new(sqlstate, format!("cannot {action} {name}: {error}"))
        .hint(hint)
        .into()
}
