//! What the rows of a catalog say.
//!
//! # Layout
//! * [`connection`]: an external connection, its target and its secrets
//! * [`principal`]: users, roles and who is a member of what
//! * [`grant`]: privileges and who holds them
//! * [`provider`]: providers that an administrator approved
//! * [`key_slot`]: what opens the store, and how far a change of its key has come
//! * [`user_files`]: sets of users' files, and whose they are
//! * [`audit`]: who did what, and how it ended
//! * [`authentic`]: what reading every row comes to

pub mod audit;
pub mod authentic;
pub mod connection;
pub mod grant;
pub mod key_slot;
pub mod principal;
pub mod provider;
pub mod user_files;

pub use audit::ObjectKind;
pub use audit::{AuditEntry, AuditFilter, AuditId, AuditObject, AuditOutcome, AuditRecord};
pub use authentic::AuthenticRows;
pub use connection::{
    CatalogId, Connection, ConnectionId, ConnectionSecrets, ConnectionTarget, NewConnection,
};
pub use grant::{ConnectionGrant, ConnectionPrivilege, Privilege, SystemGrant, SystemPrivilege};
pub use key_slot::{KeySlotRow, KeyState, NewKeySlot, RotationPlace, RotationStep};
pub use principal::{Membership, PrincipalKind, PrincipalRow};
pub use provider::ApprovedProvider;
pub use user_files::UserFileSet;

use jiff::Timestamp;

/// The current time, cut to whole microseconds: the precision that a catalog keeps.
#[must_use]
pub fn now() -> Timestamp {
    to_microseconds(Timestamp::now())
}

/// `time` cut to whole microseconds.
#[must_use]
pub fn to_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
