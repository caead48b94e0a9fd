//! What a connection is, and what it may be used for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that this version of the contract does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {word:?} is not known; it is one of {known}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
    known: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$case_doc:meta])* $case:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$case_doc])* $case,)*
        }

        impl $name {
            /// Every case, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$case,)*];

            /// The word of the contract for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$case => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$case),)*
                    _ => Err(UnknownWord {
                        what: $what,
                        word: word.chars().take(64).collect(),
                        known: [$($word,)*].join(", "),
                    }),
                }
            }
        }
    };
}

words! {
    /// What a connection is, and with it which interface of the provider acts for it.
    Kind, "the kind" {
        /// An object store.
        Storage = "storage",
        /// A key in a key management service.
        Kms = "kms",
        /// Something that takes messages.
        Sink = "sink",
        /// A schema registry.
        Registry = "registry",
        /// A database that is read from.
        Database = "database",
    }
}

words! {
    /// What a connection may be used for. `transfer` are the file commands and `CHECK`, and goes
    /// with every plan that yields an object store.
    Operation, "the operation" {
        /// Writing a backup.
        Backup = "backup",
        /// Reading a backup.
        Restore = "restore",
        /// Reading files to import.
        Import = "import",
        /// Writing exported files.
        Export = "export",
        /// Emitting a changefeed.
        Changefeed = "changefeed",
        /// Encrypting and decrypting the keys of a backup.
        EncryptedBackup = "encrypted-backup",
        /// Reading another cluster's or database's changes.
        Replication = "replication",
        /// Reading and registering schemas.
        SchemaRegistry = "schema-registry",
        /// Moving files.
        Transfer = "transfer",
    }
}

impl Operation {
    /// The operation as statements and errors write it: `ENCRYPTED BACKUP`.
    #[must_use]
    pub fn keyword(self) -> String {
        self.as_str().replace('-', " ").to_uppercase()
    }
}

impl Kind {
    /// The connection type that SHOW prints, the ancestor's three: sinks and registries are
    /// `STORAGE` there.
    #[must_use]
    pub fn connection_type(self) -> &'static str {
        match self {
            Self::Storage | Self::Sink | Self::Registry => "STORAGE",
            Self::Kms => "KMS",
            Self::Database => "FOREIGNDATA",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(*operation));
        }
        assert_eq!(Operation::EncryptedBackup.keyword(), "ENCRYPTED BACKUP");
    }

    #[test]
    fn an_unknown_word_is_named_with_the_known_ones() {
        let error = "store".parse::<Kind>().expect_err("no kind");
        assert_eq!(
            error.to_string(),
            "the kind \"store\" is not known; it is one of storage, kms, sink, registry, database"
        );
    }
}
