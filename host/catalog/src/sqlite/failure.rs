//! What the storage library reports, in the catalog's terms.

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::error::CatalogError;

/// Translates an error of the library. Its texts are about files and statements of our own, never
/// about values: those are bound, not written into statements.
pub(crate) fn failed(error: rusqlite::Error) -> CatalogError {
    let (code, message) = match &error {
        rusqlite::Error::SqliteFailure(code, message) => (code, message),
        // The statements are fixed: where one does not fit, the tables are not those that were made.
        rusqlite::Error::SqlInputError { .. } => return CatalogError::Damaged,
        _ => {
            return CatalogError::Storage {
                reason: error.to_string(),
            };
        }
    };
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => CatalogError::Locked,
        ErrorCode::ReadOnly if code.extended_code == ffi::SQLITE_READONLY_DBMOVED => {
            CatalogError::Storage {
                reason: "its file was moved or deleted while it was open".to_owned(),
            }
        }
        ErrorCode::ReadOnly => CatalogError::ReadOnly,
        ErrorCode::DiskFull => CatalogError::DiskFull,
        // The index of the log, which even a reader needs, could not be made as large as it is.
        _ if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => CatalogError::DiskFull,
        ErrorCode::SystemIoFailure if could_not_write(code.extended_code) => {
            CatalogError::NotWritten
        }
        ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => CatalogError::Damaged,
        ErrorCode::Unknown if message.as_deref().is_some_and(lacks_something) => {
            CatalogError::Damaged
        }
        _ => CatalogError::Storage {
            reason: message
                .clone()
                .unwrap_or_else(|| ffi::code_to_str(code.extended_code).to_owned()),
        },
    }
}

/// Whether a statement names a table or column that is not there.
fn lacks_something(message: &str) -> bool {
    message.starts_with("no such ") || message.contains(" has no column named ")
}

/// Whether a write failed in the system: beyond a quota or a limit, or on a failing disk.
fn could_not_write(extended_code: i32) -> bool {
    matches!(
        extended_code,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_IOERR_TRUNCATE
    )
}

/// Whether a column could not be read as what the schema says it is.
pub(super) fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}
