//! What can go wrong with users' files, with SQLSTATE and hint.

use std::borrow::Cow;

/// Why a store of users' files did not do what it was asked.
///
/// Paths in its messages are those of files in their set; a path of the host is in none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserFilesError {
    /// The path cannot be one of files.
    #[error("the path of a file {fault}")]
    BadPath {
        /// What is wrong with it.
        fault: &'static str,
    },
    /// There is no file at the path.
    #[error("`{path}` does not exist")]
    Missing {
        /// The path.
        path: String,
    },
    /// There is a file at the path, and the operation asked for a new one.
    #[error("`{path}` exists already")]
    Exists {
        /// The path.
        path: String,
    },
    /// The file at the path is not the one that the operation asked for.
    #[error("`{path}` is not the version that was to be replaced")]
    Changed {
        /// The path.
        path: String,
    },
    /// The file was replaced or deleted so long ago that its content is gone.
    #[error("`{path}` was replaced or deleted while it was read, and its content is gone")]
    Replaced {
        /// The path.
        path: String,
    },
    /// The content that is stored is not the content that was written.
    #[error("the content of `{path}` is damaged")]
    DamagedFile {
        /// The path.
        path: String,
    },
    /// The upload was published or given up before, or a part of it failed.
    #[error("the upload is over: it was completed, aborted, or a part of it failed")]
    UploadOver,
    /// Another process held the store for longer than the busy timeout.
    #[error("the store of user files is locked by another process")]
    Locked,
    /// The store cannot be written.
    #[error("the store of user files is read-only")]
    ReadOnly,
    /// The disk is full.
    #[error("the disk that holds the user files is full")]
    DiskFull,
    /// The system did not take a write, for another reason than a full disk.
    #[error(
        "the system does not let the store of user files grow: its quota or a limit is reached"
    )]
    NoRoom,
    /// The store's files are something else, or damaged.
    #[error("the store of user files is damaged, or is something else")]
    Damaged,
    /// A newer version of Portolan wrote the store.
    #[error(
        "the store of user files has schema version {found}, this program knows versions up to {supported}"
    )]
    NewerSchema {
        /// What the store has.
        found: u32,
        /// The highest that is known.
        supported: u32,
    },
    /// A file or directory of the store cannot be made or opened.
    #[error("the store of user files cannot be opened: {reason}")]
    Unreachable {
        /// Why not.
        reason: String,
    },
    /// What holds the files failed in another way.
    #[error("the store of user files failed: {reason}")]
    Storage {
        /// What it said.
        reason: String,
    },
    /// The runtime is shutting down.
    #[error("the runtime stopped before the operation was done")]
    Stopped,
}

impl UserFilesError {
    /// The SQLSTATE that a client sees.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::BadPath { .. } => "22023",
            Self::Missing { .. } => "58P01",
            Self::Exists { .. } => "58P02",
            Self::Changed { .. } | Self::Replaced { .. } => "40001",
            Self::DamagedFile { .. } | Self::Damaged => "XX001",
            Self::UploadOver => "55000",
            Self::Locked => "55P03",
            Self::ReadOnly => "25006",
            Self::DiskFull | Self::NoRoom => "53100",
            Self::NewerSchema { .. } => "0A000",
            Self::Unreachable { .. } | Self::Storage { .. } => "58030",
            Self::Stopped => "57014",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BadPath { .. } => {
                "write the path with names only: no `.`, no `..`, no `//`, no control characters, at most 1024 bytes"
            }
            Self::Missing { .. } => "write the file first, or check the path that was given",
            Self::Exists { .. } => "choose another name, or overwrite the file",
            Self::Changed { .. } => "read the file again and repeat the operation",
            Self::Replaced { .. } => "read the file again",
            Self::DamagedFile { .. } => "write the file again, and check the disk of this host",
            Self::UploadOver => "start a new upload",
            Self::Locked => "repeat it when the other process is done",
            Self::ReadOnly => {
                "make the store's directory and `userfiles.db` writable for this user"
            }
            Self::DiskFull => "free some space and repeat it; nothing was lost",
            Self::NoRoom => {
                "free space, raise the quota of the user that runs Portolan or its limit on the size of files, and repeat it; nothing was lost"
            }
            Self::Damaged => "check the path, or restore `userfiles.db` from a backup",
            Self::NewerSchema { .. } => "use the version of Portolan that wrote the store",
            Self::Unreachable { .. } => {
                "check that the store's directory exists and who may use it"
            }
            Self::Storage { .. } => "check the disk and the system log of this host",
            Self::Stopped => "try again",
        }
    }

    /// Changes the path of the file that the error is about, such as to one below a connection's own.
    pub fn change_path(&mut self, change: impl FnOnce(&str) -> String) {
        if let Self::Missing { path }
        | Self::Exists { path }
        | Self::Changed { path }
        | Self::Replaced { path }
        | Self::DamagedFile { path } = self
        {
            *path = change(path);
        }
    }

    /// What a store that has no words of its own says.
    pub fn storage(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Storage {
            reason: reason.into().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_can_be_told_of_the_path_that_the_caller_knows() {
        let mut error = UserFilesError::DamagedFile {
            path: "hidden/place/a".to_owned(),
        };
        error.change_path(|path| path.replace("hidden/place/", ""));
        assert_eq!(error.to_string(), "the content of `a` is damaged");
        assert_eq!(error.sqlstate(), "XX001");
    }
}
