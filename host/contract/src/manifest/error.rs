//! What can be wrong with a manifest.

use super::{CONTRACT_VERSION, MAX_MANIFEST_BYTES};

/// Why a manifest is refused. A manifest holds no secret, so these texts show what they refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It is larger than [`MAX_MANIFEST_BYTES`].
    #[error("the manifest has {bytes} bytes; the most is {MAX_MANIFEST_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is not TOML, or a value has the wrong type.
    #[error("the manifest cannot be read: {message}")]
    Syntax {
        /// What and where, with the line.
        message: String,
    },
    /// It was written against another version of the contract.
    #[error(
        "the provider was built for contract {found}, and this host speaks {CONTRACT_VERSION}; \
         build it again with an SDK for {CONTRACT_VERSION}, or use a host for {found}"
    )]
    Contract {
        /// What it names.
        found: String,
    },
    /// A key that no manifest has.
    #[error("{place} has no key {key:?}{}", suggestion.as_ref().map(|key| format!("; did you mean {key:?}?")).unwrap_or_default())]
    UnknownKey {
        /// The table it stands in.
        place: String,
        /// The key.
        key: String,
        /// The nearest key that exists.
        suggestion: Option<String>,
    },
    /// A field holds what may not stand there.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, with the name of the entry it belongs to.
        field: String,
        /// What is wrong and what may stand there.
        problem: String,
    },
    /// Something is listed twice.
    #[error("{what} {name:?} is listed twice")]
    Duplicate {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// An option that looks like a credential is public.
    #[error(
        "the option {option} looks like a credential and is declared public; if its value may be \
         shown to everybody who sees the connection, add the provider with --allow-public {option}"
    )]
    PublicCredential {
        /// The option's name.
        option: String,
    },
}

impl ManifestError {
    pub(super) fn syntax(error: toml::de::Error) -> Self {
        Self::Syntax {
            message: error.to_string().trim_end().to_owned(),
        }
    }

    pub(super) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            problem: problem.into(),
        }
    }
}
