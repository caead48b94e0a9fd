//! An external connection, its target and its secrets.

use std::fmt;

use jiff::Timestamp;
use portolan_secret::{SecretBytes, SecretText};
use uuid::Uuid;

/// Tells one catalog from every other. Random, fixed when the catalog is created.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CatalogId(pub Uuid);

/// Tells a connection from every other of its catalog, also from an earlier one of the same name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub Uuid);

macro_rules! shows_its_uuid {
    ($($name:ident),*) => { $(
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0)
            }
        }
    )* };
}

shows_its_uuid!(CatalogId, ConnectionId);

impl CatalogId {
    /// A new random one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl ConnectionId {
    /// A new one: the time, then random bits. New rows thus lie next to each other on the disk,
    /// so that one more costs the same however many there are.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }
}

/// The readable part of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Stays the same for as long as the connection lives, whatever its name.
    pub id: ConnectionId,
    /// The name in `external://NAME`. Unique.
    pub name: String,
    /// Counts the targets that the connection has had, from 1. A new name, owner or comment leaves
    /// it alone.
    pub version: u64,
    /// `STORAGE`, `KMS` or `FOREIGNDATA`.
    pub connection_type: String,
    /// The provider that made the plan.
    pub provider: String,
    /// The version of that provider, as `1.2.3`.
    pub provider_version: String,
    /// The URI with its secrets taken out, as it may be shown.
    pub redacted_uri: String,
    /// Whether the target is reached with credentials of the host instead of the URI's own.
    pub implicit_access: bool,
    /// The user or role that owns it.
    pub owner: String,
    /// What its owner says about it.
    pub comment: Option<String>,
    /// When it was created, in whole microseconds.
    pub created: Timestamp,
    /// When anything of it last changed, in whole microseconds.
    pub updated: Timestamp,
    /// The format that the sealed plan is written in.
    pub plan_format: u32,
}

/// The sealed part of a connection, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSecrets {
    /// The URI as it was given.
    pub uri: SecretText,
    /// The stored plan, in the format that [`Connection::plan_format`] names.
    pub plan: SecretBytes,
}

/// Where a connection leads. Replaced as a whole, which makes a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionTarget {
    /// See [`Connection::connection_type`].
    pub connection_type: String,
    /// See [`Connection::provider`].
    pub provider: String,
    /// See [`Connection::provider_version`].
    pub provider_version: String,
    /// See [`Connection::redacted_uri`].
    pub redacted_uri: String,
    /// See [`Connection::implicit_access`].
    pub implicit_access: bool,
    /// See [`Connection::plan_format`].
    pub plan_format: u32,
    /// What is sealed.
    pub secrets: ConnectionSecrets,
}

/// A connection to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnection {
    /// See [`Connection::name`].
    pub name: String,
    /// See [`Connection::owner`].
    pub owner: String,
    /// See [`Connection::comment`].
    pub comment: Option<String>,
    /// Where it leads.
    pub target: ConnectionTarget,
}
