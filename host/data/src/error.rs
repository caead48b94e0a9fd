//! Why a plan does not become a store, or an operation on a store failed.

use std::io;

use object_store::path::Path;
use portolan_contract::{Failure, FailureClass};

use crate::failure::{failure_of, of_io, user_files_error};
use crate::{CloudError, GateError, NameFault, NodelocalError};

/// An error of the data plane.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The plan has no object store: the connection is something else.
    #[error("the connection is no object store")]
    NoObjectStore,
    /// The plan asks for a backend that this build does not have.
    #[error("this build has no backend {backend}")]
    NoBackend {
        /// The backend's name; what of it could not be shown is escaped, and its end cut off.
        backend: String,
    },
    /// The host that a nodelocal plan names is neither a node's number nor `self`.
    #[error("the host of a nodelocal URI is a node's number or `self`")]
    NoNode,
    /// The plan's path cannot be one of objects.
    #[error("the path of the connection cannot be one of objects: a segment of it {fault}")]
    BadPrefix {
        /// What is wrong with a segment.
        fault: NameFault,
    },
    /// The host was built without a way out, so it has no storage behind a network.
    #[error("storage behind a network is not available: this host has no way out")]
    NoEgress,
    /// No external I/O directory is configured, so there is no local storage.
    #[error("nodelocal storage is not available: this host has no external I/O directory")]
    NoExternalIoDirectory,
    /// The external I/O directory cannot be opened.
    #[error("cannot open the external I/O directory: {source}")]
    ExternalIoDirectory {
        /// What the operating system said.
        source: io::Error,
    },
    /// The host keeps no user files.
    #[error("userfile storage is not available: this host keeps no user files")]
    NoUserFiles,
    /// The plan names no set of user files.
    #[error("the connection names no set of user files")]
    NoSet,
    /// An operation on the store failed. The message is [`failure_of`]'s.
    #[error("{}", failure_of(.0))]
    Store(#[from] object_store::Error),
}

impl DataError {
    pub(crate) fn no_backend(name: &str) -> Self {
        Self::NoBackend {
            backend: name.chars().take(64).flat_map(char::escape_debug).collect(),
        }
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let (class, hint) = match self {
            Self::NoObjectStore => (
                FailureClass::Unsupported,
                "name a connection of type STORAGE",
            ),
            Self::NoBackend { .. } => (
                FailureClass::Unsupported,
                "use a storage that this build can open: nodelocal, userfile, s3, gs, azure or http",
            ),
            Self::NoNode => (FailureClass::InvalidUri, "write `nodelocal://self/path`"),
            Self::BadPrefix { .. } => (
                FailureClass::InvalidUri,
                "give the connection a path of plain names",
            ),
            Self::NoEgress => (FailureClass::Unsupported, "build the host with an egress"),
            Self::NoExternalIoDirectory => (
                FailureClass::Unsupported,
                "start Portolan with an external I/O directory (`--external-io-dir`)",
            ),
            Self::ExternalIoDirectory { source } => match of_io(source) {
                (class @ FailureClass::NotFound, _) => (
                    class,
                    "make the directory, or start Portolan with another `--external-io-dir`",
                ),
                other => other,
            },
            Self::NoUserFiles => (
                FailureClass::Unsupported,
                "give the host a store of user files (`HostBuilder::user_files`)",
            ),
            Self::NoSet => (
                FailureClass::InvalidUri,
                "give the connection its URI again with ALTER EXTERNAL CONNECTION",
            ),
            Self::Store(error) => return failure_of(error),
        };
        Failure::new(class, self.to_string()).with_hint(hint)
    }

    /// The SQLSTATE that a statement ends with when this is why.
    #[must_use]
    pub fn sqlstate(&self) -> String {
        if let Self::Store(error) = self
            && let Some(gate) = GateError::find(error)
        {
            return gate.sqlstate().to_owned();
        }
        if let Self::Store(error) = self
            && let Some(files) = user_files_error(error)
        {
            return files.sqlstate().to_owned();
        }
        self.failure().class.sqlstate().to_owned()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.failure().hint
    }
}

impl From<NodelocalError> for DataError {
    fn from(error: NodelocalError) -> Self {
        Self::Store(error.into())
    }
}

impl From<CloudError> for DataError {
    fn from(error: CloudError) -> Self {
        Self::Store(error.into_store("cloud", ""))
    }
}

/// The path of objects that a decoded text is: segments taken as they are, never decoded again.
pub(crate) fn object_path(text: &str) -> Result<Path, NameFault> {
    let text = text.strip_prefix('/').unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() {
        return Ok(Path::default());
    }
    for segment in text.split('/') {
        crate::nodelocal::check_name(segment)?;
    }
    Path::parse(text).map_err(|_| NameFault::Character)
}
