//! The durable catalog: connections, users and roles, privileges, approved providers, audit trail.
//!
//! A catalog is read and written in transactions. What is secret lies sealed in it, and every row
//! carries a code over its readable columns, so that a row that was edited, swapped or moved
//! behind the host's back is refused.
//!
//! # Layout
//! * [`model`]: what the rows say
//! * [`access`]: [`Catalog`], and the [`Reader`] and [`Writer`] that its transactions give
//! * [`handle`]: the catalog for asynchronous callers, with its revision
//! * [`privilege`]: who somebody is, what that allows, and the arithmetic of GRANT and REVOKE
//! * [`sqlite`]: the catalog in one SQLite file
//! * [`userfiles`]: users' files in another
//! * [`conformance`]: what every catalog must do, as tests
//! * [`error`]: what can go wrong, with SQLSTATE and hint

pub mod access;
pub mod conformance;
pub mod error;
pub mod handle;
pub mod model;
pub mod privilege;
pub mod sqlite;
pub mod userfiles;

pub use access::{Catalog, Reader, StateMark, Writer};
pub use error::CatalogError;
pub use handle::CatalogHandle;
pub use model::{
    ApprovedProvider, AuditEntry, AuditFilter, AuditId, AuditObject, AuditOutcome, AuditRecord,
    AuthenticRows, CatalogId, Connection, ConnectionGrant, ConnectionId, ConnectionPrivilege,
    ConnectionSecrets, ConnectionTarget, KeySlotRow, KeyState, Membership, NewConnection,
    NewKeySlot, ObjectKind, PrincipalKind, PrincipalRow, Privilege, RotationPlace, RotationStep,
    SystemGrant, SystemPrivilege, UserFileSet,
};
pub use privilege::Identity;
pub use sqlite::{KeyService, KeySource, Salvaged, SqliteCatalog, SqliteOptions, salvage};
pub use userfiles::{SqliteUserFiles, UnfinishedUpload};
