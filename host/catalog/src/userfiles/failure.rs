//! What the storage library and the catalog's own parts report, in the words of user files.

use portolan_files::UserFilesError;
use rusqlite::ffi;

use crate::error::CatalogError;
use crate::sqlite::failure;

/// Translates an error of the library.
pub(super) fn failed(error: rusqlite::Error) -> UserFilesError {
    if let rusqlite::Error::SqliteFailure(code, _) = &error {
        match code.extended_code {
            // The library knows a full disk; a quota, and a limit on the size of files, it does not.
            ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_TRUNCATE | ffi::SQLITE_IOERR_SHMSIZE => {
                return UserFilesError::NoRoom;
            }
            _ => {}
        }
    }
    failure::failed(error).into()
}

/// Translates an error of reading one file: where the library finds damage, that file has it.
pub(super) fn failed_reading(path: &str) -> impl Fn(rusqlite::Error) -> UserFilesError + use<> {
    let path = path.to_owned();
    move |error| match failed(error) {
        UserFilesError::Damaged => UserFilesError::DamagedFile { path: path.clone() },
        other => other,
    }
}

impl From<CatalogError> for UserFilesError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Locked => Self::Locked,
            CatalogError::ReadOnly => Self::ReadOnly,
            CatalogError::DiskFull => Self::DiskFull,
            CatalogError::Damaged => Self::Damaged,
            // The path is the host's own, and stays out of the message.
            CatalogError::Unreachable { source, .. } => Self::Unreachable {
                reason: source.to_string(),
            },
            CatalogError::Storage { reason } => Self::Storage { reason },
            other => Self::storage(other.to_string()),
        }
    }
}
