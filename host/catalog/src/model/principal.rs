//! Users, roles and who is a member of what.

use std::fmt;

use jiff::Timestamp;

/// The user that exists from the start and is a member of [`ADMIN`].
pub const ROOT: &str = "root";

/// The role whose members may do everything. It exists from the start.
pub const ADMIN: &str = "admin";

/// The role that everybody is in. It has no row.
pub const PUBLIC: &str = "public";

/// Whether a principal logs in or is only there to be inherited from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// Somebody who runs statements.
    User,
    /// A bundle of privileges that its members inherit.
    Role,
}

impl PrincipalKind {
    /// `user` or `role`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }

    /// The kind that [`Self::as_str`] gives this text for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::User, Self::Role]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for PrincipalKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A user or role that the catalog knows.
///
/// Owners and grantees need no row: a program that embeds the host may vouch for principals that it
/// keeps itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalRow {
    /// Unique among users and roles together.
    pub name: String,
    /// User or role.
    pub kind: PrincipalKind,
    /// When it was created, in whole microseconds.
    pub created: Timestamp,
}

/// `member` has everything that `role` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The role that is inherited from.
    pub role: String,
    /// The user or role that inherits.
    pub member: String,
    /// Whether the member may give the role to others.
    pub admin_option: bool,
}
