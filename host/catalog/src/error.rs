//! What can go wrong with a catalog, with SQLSTATE and hint.

use std::borrow::Cow;
use std::path::PathBuf;

use portolan_secret::KeyError;

use crate::model::ConnectionId;

/// Why a catalog did not do what it was asked.
///
/// No variant holds a secret or a part of a key: names and paths are readable by design, and what the storage library
/// says is about its files, never about values.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The name of a new connection is taken.
    #[error("external connection with connection name '{}' already exists", name.replace('\'', "''"))]
    ConnectionExists {
        /// The name.
        name: String,
    },
    /// A connection is gone, or has another version than the one that was read before.
    #[error("the external connection was changed meanwhile")]
    ConnectionChanged {
        /// The connection.
        id: ConnectionId,
    },
    /// The name of a new user or role is taken.
    #[error("a role or user named {name} already exists")]
    PrincipalExists {
        /// The name.
        name: String,
    },
    /// There is no such user or role.
    #[error("role or user {name} does not exist")]
    PrincipalNotFound {
        /// The name.
        name: String,
    },
    /// The name means something that cannot be changed.
    #[error("role or user {name} is built in and cannot be created, dropped or taken away")]
    ReservedPrincipal {
        /// The name.
        name: String,
    },
    /// Everybody is in `public`, which is in no role.
    #[error("everybody is a member of public, and public is a member of no role")]
    PublicMembership,
    /// A user or role that owns connections cannot be dropped.
    #[error(
        "role or user {name} cannot be dropped because it owns external connection {connection}"
    )]
    OwnsConnections {
        /// The owner.
        name: String,
        /// One of the connections.
        connection: String,
    },
    /// A role would inherit from itself.
    #[error("making {member} a member of {role} would create a cycle")]
    RoleCycle {
        /// The role that was to be given.
        role: String,
        /// Who was to get it.
        member: String,
    },
    /// The name of a new provider is taken.
    #[error("provider {name} is already approved")]
    ProviderExists {
        /// The name.
        name: String,
    },
    /// The key of a new slot opens one already.
    #[error("this key opens {slot} already")]
    KeySlotExists {
        /// The slot.
        slot: String,
    },
    /// Without its last slot the store could never be opened again.
    #[error("key slot {slot} is the last one of the store and cannot be removed")]
    LastKeySlot {
        /// Its number.
        slot: u32,
    },
    /// The slot that opened the store stays until another one has.
    #[error("key slot {slot} opened the store for this process and cannot be removed by it")]
    KeySlotInUse {
        /// Its number.
        slot: u32,
    },
    /// An older generation of the store's key cannot be forgotten yet.
    #[error(
        "generation {generation} of the store's key is still in use, by rows of the table {table}"
    )]
    KeyInUse {
        /// The generation.
        generation: u32,
        /// A table with rows that lie under it.
        table: &'static str,
    },
    /// A row does not match its code, or what is sealed in it does not open.
    #[error("the row of {row} in the catalog is not authentic")]
    NotAuthentic {
        /// Which row: its table and name.
        row: String,
    },
    /// The storage holds a trigger, a view, a table or an index that no version of this program makes,
    /// or one that was made in another way.
    #[error("the {object} in the store was not made by Portolan")]
    ForeignObject {
        /// What it is, and its name.
        object: String,
    },
    /// A record was taken out of the audit trail.
    #[error("at least one audit record between {after} and {seen} is missing")]
    AuditIncomplete {
        /// The record before the stretch that was read.
        after: u64,
        /// The last record of that stretch.
        seen: u64,
    },
    /// The store's key cannot be had, so nothing of the store can be read.
    #[error("{}", key_message(slots, source))]
    Key {
        /// The slots that the key would open.
        slots: String,
        /// The slots that are opened otherwise. Empty when there is none.
        others: String,
        /// What is wrong with the key.
        source: KeyError,
    },
    /// The key of a new store cannot be had, so no store was made.
    #[error("no store was made: {source}")]
    NotMade {
        /// What is wrong with the key.
        source: KeyError,
    },
    /// Another process held the write lock for longer than the busy timeout.
    #[error("the store is locked by another process")]
    Locked,
    /// The store cannot be written.
    #[error("the store is read-only")]
    ReadOnly,
    /// The disk is full; or a limit of the process on the size of files is reached, which the storage
    /// library does not tell from it.
    #[error("the disk that holds the store is full, or its files may not grow")]
    DiskFull,
    /// The system did not write what it was given, for another reason than a full disk.
    #[error("the system cannot write the files of the store")]
    NotWritten,
    /// The files of the store are not a catalog, or damaged.
    #[error("the store is damaged or is not a Portolan store")]
    Damaged,
    /// A newer version of Portolan wrote the store.
    #[error("the store has schema version {found}, this program knows versions up to {supported}")]
    NewerSchema {
        /// What the store has.
        found: u32,
        /// The highest that is known.
        supported: u32,
    },
    /// A file or directory of the store cannot be made or opened.
    #[error("cannot open the store at {}", path.display())]
    Unreachable {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The storage library failed in another way.
    #[error("the store failed: {reason}")]
    Storage {
        /// What it said.
        reason: String,
    },
    /// The runtime is shutting down, or a function that ran in a transaction ended without a result.
    #[error("the catalog operation was interrupted")]
    Interrupted,
}

impl CatalogError {
    /// The SQLSTATE that a client sees.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::ConnectionExists { .. }
            | Self::PrincipalExists { .. }
            | Self::ProviderExists { .. }
            | Self::KeySlotExists { .. } => "42710",
            Self::ConnectionChanged { .. } => "40001",
            Self::PrincipalNotFound { .. } => "42704",
            Self::ReservedPrincipal { .. } | Self::PublicMembership => "42939",
            Self::OwnsConnections { .. } => "2BP01",
            Self::RoleCycle { .. } => "0LP01",
            Self::LastKeySlot { .. } => "55000",
            Self::KeySlotInUse { .. } | Self::KeyInUse { .. } => "55006",
            Self::NotAuthentic { .. }
            | Self::ForeignObject { .. }
            | Self::AuditIncomplete { .. }
            | Self::Damaged => "XX001",
            Self::Key { source, .. } | Self::NotMade { source } => match source {
                KeyError::File { .. } | KeyError::NoRandomness => "58030",
                KeyError::Service { sqlstate, .. } => sqlstate,
                KeyError::NotAPhrase { .. } | KeyError::ShortPassphrase => "22023",
                KeyError::Parameters => "XX001",
                _ => "F0000",
            },
            Self::Locked => "55P03",
            Self::ReadOnly => "25006",
            Self::DiskFull => "53100",
            Self::NewerSchema { .. } => "0A000",
            Self::Unreachable { .. } | Self::NotWritten | Self::Storage { .. } => "58030",
            Self::Interrupted => "57014",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        if let Self::Key { source, others, .. } = self {
            let hint = source.hint();
            return match others.as_str() {
                "" if matches!(source, KeyError::Missing { .. }) => {
                    let hint = hint.unwrap_or_default();
                    let lost = "Without it nothing that is sealed can be opened.";
                    Some(Cow::Owned(format!("{hint} {lost}")))
                }
                "" => hint.map(Cow::Owned),
                others => {
                    let way = format!("Or open it with {others}: see --unlock.");
                    Some(Cow::Owned(match hint {
                        Some(hint) => format!("{hint} {way}"),
                        None => way,
                    }))
                }
            };
        }
        if let Self::NotMade { source } = self {
            return source.hint().map(Cow::Owned);
        }
        self.fixed_hint().map(Cow::Borrowed)
    }

    fn fixed_hint(&self) -> Option<&'static str> {
        match self {
            Self::ConnectionExists { .. } => Some(
                "Choose another name, or change the connection that is there: ALTER EXTERNAL CONNECTION.",
            ),
            Self::ProviderExists { .. } => Some(
                "Look at what is there with portolan provider inspect, and put this one in its place \
                 with portolan provider add --replace.",
            ),
            Self::KeySlotExists { .. } => {
                Some("Nothing is left to do, or give another key: each slot has one of its own.")
            }
            Self::PrincipalExists { .. } => {
                Some("Choose another name; users and roles share one space of names.")
            }
            Self::PrincipalNotFound { .. } => {
                Some("SHOW USERS and SHOW ROLES list those that there are.")
            }
            Self::ReservedPrincipal { .. } => {
                Some("It is there from the start and stays; choose another name.")
            }
            Self::PublicMembership => {
                Some("Give everybody the privilege itself: GRANT privilege … TO public.")
            }
            Self::RoleCycle { .. } => Some(
                "Revoke the membership that leads back first; SHOW USERS shows who is in what.",
            ),
            Self::ConnectionChanged { .. } => {
                Some("Look at the connection again and repeat the statement.")
            }
            Self::OwnsConnections { .. } => Some(
                "Give its connections to another owner first: ALTER EXTERNAL CONNECTION … OWNER TO ….",
            ),
            Self::LastKeySlot { .. } => Some("Add another one first: portolan key add."),
            Self::KeySlotInUse { .. } => Some(
                "Open the store with another slot, which shows that this one is not needed: see --unlock.",
            ),
            Self::KeyInUse { .. } => {
                Some("Run portolan key rotate, which goes on where it stopped.")
            }
            Self::NotAuthentic { row } if row.starts_with("key slot") => Some(
                "It was changed by something other than Portolan. Open the store with another slot \
                 and remove this one with portolan key remove.",
            ),
            Self::NotAuthentic { .. } => Some(
                "It was changed by something other than Portolan, or copied from another store. \
                 Restore it from a backup, or drop it and create it again.",
            ),
            Self::ForeignObject { .. } => Some(
                "Whoever put it there could write the file. Restore the store from a backup, or drop it \
                 with the tools of the storage and compare what is there with a backup.",
            ),
            Self::AuditIncomplete { .. } => Some(
                "Something other than Portolan deleted it. Compare the trail with a backup of the store.",
            ),
            Self::Locked => Some("Repeat the statement when the other process is done."),
            Self::ReadOnly => Some("Make the store's directory and files writable for this user."),
            Self::DiskFull => Some(
                "Free some space, or raise the limit on the size of files (`ulimit -f`), and repeat the \
                 statement. Nothing was lost.",
            ),
            Self::NotWritten => Some(
                "Check this user's quota and limit on the size of files, and the system log for \
                 the disk, and repeat the statement. Nothing was lost.",
            ),
            Self::Damaged => Some("Check the path, or restore the store from a backup."),
            Self::NewerSchema { .. } => Some("Use the version of Portolan that wrote the store."),
            Self::Unreachable { .. } => Some("Check that the directory exists and who may use it."),
            Self::Storage { .. } => Some(
                "See whether the files of the store are in their place and what the system's log \
                 says of their disk, and repeat the statement.",
            ),
            Self::Interrupted => Some("Repeat the statement once the program runs again."),
            Self::Key { .. } | Self::NotMade { .. } => None,
        }
    }
}

/// Names the slots, unless the error about the key does so itself.
fn key_message(slots: &str, source: &KeyError) -> String {
    match source {
        KeyError::OtherKey { .. } | KeyError::OpensNothing { .. } => source.to_string(),
        _ => format!("{slots} of the store cannot be opened: {source}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_is_printed_as_a_quoted_string() {
        let error = CatalogError::ConnectionExists {
            name: "it's".into(),
        };
        assert_eq!(
            error.to_string(),
            "external connection with connection name 'it''s' already exists"
        );
        assert_eq!(error.sqlstate(), "42710");
    }

    #[test]
    fn a_newer_schema_names_both_versions() {
        let error = CatalogError::NewerSchema {
            found: 7,
            supported: 1,
        };
        assert!(error.to_string().contains("version 7") && error.to_string().contains("up to 1"));
    }
}
