//! Sets of users' files, and whose they are.

use jiff::Timestamp;

/// Whose a set of users' files is. The files themselves lie elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFileSet {
    /// The name of the set. Unique.
    pub name: String,
    /// The user whose set it is; the role `admin` where its user was dropped.
    pub owner: String,
    /// When it was first named, in whole microseconds.
    pub created: Timestamp,
}
