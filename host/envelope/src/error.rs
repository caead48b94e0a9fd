//! What can be wrong with an envelope.

use std::io;

/// Why an envelope was not made or not opened. No text in it holds anything of the content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It does not begin as an envelope does.
    #[error("this is no envelope of portolan: it begins as something else")]
    Foreign,
    /// It was written by a later version.
    #[error("the envelope has version {0} of the format, and this host knows version 1")]
    Newer(u16),
    /// Its header breaks the format.
    #[error("the header of the envelope is broken: {0}")]
    Header(&'static str),
    /// What is to be put into a header breaks its bounds.
    #[error("an envelope cannot hold {0}")]
    Unfit(&'static str),
    /// It ends where something has to follow.
    #[error("the envelope ends too early: {after} bytes of its content were whole")]
    Truncated {
        /// How many bytes of the content were opened before.
        after: u64,
    },
    /// A chunk is not what was written, or not where it was written, or the header is not.
    #[error("the envelope was changed: after {after} bytes of its content comes something else")]
    Altered {
        /// How many bytes of the content were opened before.
        after: u64,
    },
    /// What the key gave back cannot be a data key.
    #[error("what the key gave back is no data key of an envelope")]
    DataKey,
    /// There is more than an envelope can hold.
    #[error("the content has more than 256 TiB")]
    TooLong,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Randomness,
    /// What is to be encrypted or decrypted cannot be read.
    #[error("cannot read the input: {0}")]
    Read(#[source] io::Error),
    /// The result cannot be written.
    #[error("cannot write the output: {0}")]
    Write(#[source] io::Error),
}

impl EnvelopeError {
    /// The SQLSTATE of the error.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::Foreign | Self::Unfit(_) | Self::TooLong => "22023",
            Self::Newer(_) => "0A000",
            Self::Header(_) | Self::Truncated { .. } | Self::Altered { .. } | Self::DataKey => {
                "XX001"
            }
            Self::Randomness => "XX000",
            Self::Read(_) | Self::Write(_) => "58030",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Foreign => "give what portolan encrypt wrote, from its first byte and unchanged",
            Self::Newer(_) => "use the version of portolan that wrote it, or one that is newer",
            Self::Unfit(_) => "check what the provider of the key answers with VALIDATE",
            Self::TooLong => "encrypt it in several parts",
            Self::Header(_) | Self::Truncated { .. } | Self::Altered { .. } => {
                "fetch the envelope again from where it was stored, as binary; do not use what was \
                 decrypted of this one"
            }
            Self::DataKey => {
                "check that the envelope was made by portolan encrypt, and fetch it again"
            }
            Self::Randomness => "see what is wrong with the operating system",
            Self::Read(_) => "check where the input comes from",
            Self::Write(_) => "check where the output goes, and the space there",
        }
    }
}
