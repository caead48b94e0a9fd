//! Privileges and who holds them.

use std::fmt;

use super::ConnectionId;

/// A set of privileges of one sort, one of which stands for all.
pub trait Privilege: Copy + Ord + fmt::Debug + 'static {
    /// Stands for all of them, also those that a later version adds.
    const ALL: Self;

    /// Every one but [`Self::ALL`], in the order in which they are shown.
    const SINGLE: &'static [Self];

    /// The word that statements use.
    fn as_str(self) -> &'static str;

    /// The privilege that statements call `name`, letter case ignored.
    fn from_name(name: &str) -> Option<Self> {
        std::iter::once(&Self::ALL)
            .chain(Self::SINGLE)
            .copied()
            .find(|privilege| privilege.as_str().eq_ignore_ascii_case(name))
    }
}

/// What may be done with the system as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SystemPrivilege {
    /// All of the following.
    All,
    /// Create external connections.
    ExternalConnection,
    /// See the statements that made every connection, secrets included.
    ViewClusterMetadata,
    /// Create connections that use credentials of the host.
    ExternalIoImplicitAccess,
    /// Create, change and drop users and roles.
    CreateRole,
}

impl Privilege for SystemPrivilege {
    const ALL: Self = Self::All;
    const SINGLE: &'static [Self] = &[
        Self::ExternalConnection,
        Self::ViewClusterMetadata,
        Self::ExternalIoImplicitAccess,
        Self::CreateRole,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::ExternalConnection => "EXTERNALCONNECTION",
            Self::ViewClusterMetadata => "VIEWCLUSTERMETADATA",
            Self::ExternalIoImplicitAccess => "EXTERNALIOIMPLICITACCESS",
            Self::CreateRole => "CREATEROLE",
        }
    }
}

/// What may be done with one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConnectionPrivilege {
    /// All of the following.
    All,
    /// Reach what the connection leads to.
    Usage,
    /// Drop it.
    Drop,
    /// Change where it leads, its name and its comment.
    Update,
}

impl Privilege for ConnectionPrivilege {
    const ALL: Self = Self::All;
    const SINGLE: &'static [Self] = &[Self::Usage, Self::Drop, Self::Update];

    fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Usage => "USAGE",
            Self::Drop => "DROP",
            Self::Update => "UPDATE",
        }
    }
}

impl fmt::Display for SystemPrivilege {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for ConnectionPrivilege {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A privilege on the system that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemGrant {
    /// The user or role that holds it.
    pub grantee: String,
    /// What it holds.
    pub privilege: SystemPrivilege,
    /// Whether it may pass it on.
    pub grantable: bool,
}

/// A privilege on a connection that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionGrant {
    /// The connection.
    pub connection: ConnectionId,
    /// The user or role that holds it.
    pub grantee: String,
    /// What it holds.
    pub privilege: ConnectionPrivilege,
    /// Whether it may pass it on.
    pub grantable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_privilege_is_found_by_its_word() {
        for privilege in [SystemPrivilege::ALL].iter().chain(SystemPrivilege::SINGLE) {
            assert_eq!(
                SystemPrivilege::from_name(privilege.as_str()),
                Some(*privilege)
            );
        }
        assert_eq!(
            ConnectionPrivilege::from_name("usage"),
            Some(ConnectionPrivilege::Usage)
        );
        assert_eq!(ConnectionPrivilege::from_name("SELECT"), None);
    }
}
