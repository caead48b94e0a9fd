//! What can go wrong below the external I/O directory, by its cause.

use std::io::{self, ErrorKind};

use object_store::path::Path;

/// Why an operation of a [`NodelocalStore`](crate::NodelocalStore) failed.
///
/// It is the source of the `object_store::Error` that the operation returns. Paths in its
/// messages are those of objects, below the external I/O directory; a path of the host is in none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodelocalError {
    /// The empty path was given where an object is meant.
    #[error("an object needs a name, and the path is empty")]
    NoName,
    /// A segment of the path cannot be the name of a file here.
    #[error("a segment of `{path}` {fault}")]
    BadName {
        /// The object's path.
        path: String,
        /// What is wrong with the segment.
        fault: NameFault,
    },
    /// The path leads to nothing.
    #[error("`{path}` does not exist")]
    Missing {
        /// The object's path.
        path: String,
    },
    /// There is an object of that name, and the operation asked for a new one.
    #[error("`{path}` exists already")]
    Exists {
        /// The object's path.
        path: String,
    },
    /// An object was asked for where a directory is.
    #[error("`{path}` is a directory, not an object")]
    IsDirectory {
        /// The directory's path.
        path: String,
    },
    /// A directory was needed where an object is.
    #[error("`{path}` is an object, so nothing can lie below it")]
    IsObject {
        /// The object's path.
        path: String,
    },
    /// The path meets a symbolic link; none is followed.
    #[error("`{path}` is a symbolic link, and none is followed below the external I/O directory")]
    IsLink {
        /// The link's path.
        path: String,
    },
    /// The path leads to a device, a socket or a named pipe.
    #[error("`{path}` is neither a regular file nor a directory")]
    IsSpecial {
        /// Its path.
        path: String,
    },
    /// The object became shorter while it was read.
    #[error("`{path}` became shorter while it was read")]
    Shrunk {
        /// The object's path.
        path: String,
    },
    /// The upload was completed or aborted before.
    #[error("the upload of `{path}` is over: it was completed, aborted, or a part of it failed")]
    UploadOver {
        /// The object's path.
        path: String,
    },
    /// The operating system says no.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried: a verb.
        action: &'static str,
        /// The object's path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The task that does the blocking work was stopped: the runtime is shutting down.
    #[error("the runtime stopped before the operation was done")]
    Stopped,
}

/// What is wrong with a segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameFault {
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is `.` or `..`.
    #[error("is `.` or `..`")]
    Dots,
    /// It has a character that no name may have here.
    #[error("holds a control character or a backslash")]
    Character,
    /// It is longer than the file system allows.
    #[error("is longer than {MAX_SEGMENT_BYTES} bytes")]
    TooLong,
    /// It begins as the names of unfinished uploads do.
    #[error("begins with a prefix that is kept for unfinished uploads")]
    Reserved,
}

/// The longest segment of a path, in bytes: what the file systems in use allow.
pub(super) const MAX_SEGMENT_BYTES: usize = 255;

impl NodelocalError {
    /// Finds the cause in an error of a [`NodelocalStore`](crate::NodelocalStore).
    #[must_use]
    pub fn find(error: &object_store::Error) -> Option<&Self> {
        crate::failure::find_source(error)
    }

    pub(super) fn missing(location: &Path) -> Self {
        Self::Missing {
            path: location.to_string(),
        }
    }

    /// The error of a system call on the object at `location`.
    pub(crate) fn io(action: &'static str, location: &Path, source: io::Error) -> Self {
        let path = location.to_string();
        match source.kind() {
            ErrorKind::NotFound => Self::Missing { path },
            ErrorKind::AlreadyExists => Self::Exists { path },
            ErrorKind::InvalidFilename => Self::BadName {
                path,
                fault: NameFault::TooLong,
            },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    /// The error as a reader sees it: what is no object is not found.
    pub(super) fn for_reader(self, location: &Path) -> object_store::Error {
        match self {
            Self::IsDirectory { .. } | Self::IsObject { .. } | Self::IsSpecial { .. } => {
                object_store::Error::NotFound {
                    path: location.to_string(),
                    source: Box::new(self),
                }
            }
            other => other.into(),
        }
    }
}

impl From<NodelocalError> for object_store::Error {
    fn from(error: NodelocalError) -> Self {
        match &error {
            NodelocalError::Missing { path } => Self::NotFound {
                path: path.clone(),
                source: Box::new(error),
            },
            NodelocalError::Exists { path } => Self::AlreadyExists {
                path: path.clone(),
                source: Box::new(error),
            },
            NodelocalError::IsLink { path } => Self::PermissionDenied {
                path: path.clone(),
                source: Box::new(error),
            },
            NodelocalError::Io { path, source, .. }
                if matches!(
                    source.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Self::PermissionDenied {
                    path: path.clone(),
                    source: Box::new(error),
                }
            }
            _ => Self::Generic {
                store: super::NAME,
                source: Box::new(error),
            },
        }
    }
}
