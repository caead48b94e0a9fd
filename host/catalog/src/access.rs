//! A catalog and what its transactions give.
//!
//! A catalog is a trait so that the host does not know where rows lie. Both kinds of transaction
//! take a function, because a transaction must not outlive the call. Everything here blocks;
//! asynchronous callers use a [`CatalogHandle`](crate::CatalogHandle).

use std::fmt::Debug;

use crate::error::CatalogError;
use crate::model::{
    ApprovedProvider, AuditEntry, AuditFilter, AuditId, AuditRecord, AuthenticRows, CatalogId,
    Connection, ConnectionGrant, ConnectionId, ConnectionPrivilege, ConnectionSecrets,
    ConnectionTarget, KeySlotRow, KeyState, Membership, NewConnection, NewKeySlot, PrincipalRow,
    RotationPlace, RotationStep, SystemGrant, SystemPrivilege, UserFileSet,
};

/// What a read transaction runs.
pub type ReadFunction<'a> = dyn FnMut(&dyn Reader) -> Result<(), CatalogError> + 'a;

/// What a write transaction runs.
pub type WriteFunction<'a> = dyn FnMut(&mut dyn Writer) -> Result<(), CatalogError> + 'a;

/// A state of a catalog, as one open catalog tells it from the others that it has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateMark(u64);

impl StateMark {
    /// The mark with this number, which a catalog never gives again after another one.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }
}

/// Durable rows, several readers and one writer at a time.
pub trait Catalog: Debug + Send + Sync {
    /// Tells this catalog from every other.
    fn id(&self) -> CatalogId;

    /// Marks the state that a transaction would see if it began now. As long as the mark is the
    /// same, nothing was made durable by anybody, not in another process either; so what was read in
    /// a transaction that began after one mark was asked for holds while the next one equals it.
    ///
    /// This does not wait for a disk, a network or a writer. A catalog that would have to, or fails,
    /// gives nothing, and then nothing that was read before holds.
    fn mark(&self) -> Option<StateMark>;

    /// Runs `function` on one consistent state. Writers go on meanwhile.
    ///
    /// # Errors
    /// What `function` returns, or what kept the transaction from starting.
    fn read(&self, function: &mut ReadFunction<'_>) -> Result<(), CatalogError>;

    /// Runs `function` while nobody else writes, then makes its changes durable, all of them or,
    /// when it returns an error, none. Gives the revision after it.
    ///
    /// # Errors
    /// What `function` returns, or what kept the transaction from starting or from being durable;
    /// [`CatalogError::Locked`] when another writer did not end in time.
    fn write(&self, function: &mut WriteFunction<'_>) -> Result<u64, CatalogError>;
}

/// Reads rows of one consistent state.
///
/// Every method fails with [`CatalogError::NotAuthentic`] when a row was changed by somebody who
/// does not have the key, and with the errors of the storage below.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once for all methods, above"
)]
pub trait Reader {
    /// The connection of this name.
    fn connection(&self, name: &str) -> Result<Option<Connection>, CatalogError>;

    /// The connection with this id.
    fn connection_by_id(&self, id: ConnectionId) -> Result<Option<Connection>, CatalogError>;

    /// At most `limit` connections whose names come after `after`, by name in byte order.
    fn connections_after(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Connection>, CatalogError>;

    /// Opens what is sealed of a connection; [`CatalogError::ConnectionChanged`] when it has
    /// another version by now or is gone.
    fn secrets_of(&self, connection: &Connection) -> Result<ConnectionSecrets, CatalogError>;

    /// The user or role of this name.
    fn principal(&self, name: &str) -> Result<Option<PrincipalRow>, CatalogError>;

    /// All users and roles, by name.
    fn principals(&self) -> Result<Vec<PrincipalRow>, CatalogError>;

    /// All memberships, by role and member.
    fn memberships(&self) -> Result<Vec<Membership>, CatalogError>;

    /// The roles that `member` was given directly.
    fn memberships_of(&self, member: &str) -> Result<Vec<Membership>, CatalogError>;

    /// Who holds which privileges on the system, or what `grantee` alone holds directly; by
    /// grantee and the privilege's word.
    fn system_grants(&self, grantee: Option<&str>) -> Result<Vec<SystemGrant>, CatalogError>;

    /// Who holds which privileges on `connection`, or on any; by connection, grantee and
    /// the privilege's word.
    fn connection_grants(
        &self,
        connection: Option<ConnectionId>,
    ) -> Result<Vec<ConnectionGrant>, CatalogError>;

    /// All approved providers, by name.
    fn providers(&self) -> Result<Vec<ApprovedProvider>, CatalogError>;

    /// The approved provider of this name.
    fn provider(&self, name: &str) -> Result<Option<ApprovedProvider>, CatalogError>;

    /// Whose this set of users' files is, where anybody has named it.
    fn user_file_set(&self, name: &str) -> Result<Option<UserFileSet>, CatalogError>;

    /// At most `limit` audit records that pass `filter`, from the oldest after `after` on.
    fn audit_after(
        &self,
        filter: &AuditFilter,
        after: Option<AuditId>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, CatalogError>;

    /// All key slots, by number.
    fn key_slots(&self) -> Result<Vec<KeySlotRow>, CatalogError>;

    /// Which generations of the store's key are in use, and which slot opened the store.
    fn key_state(&self) -> Result<KeyState, CatalogError>;

    /// Reads every row there is, and opens whatever is sealed, a row at a time; gives how many rows of
    /// each table there are. [`CatalogError::AuditIncomplete`] when a record is missing anywhere in the
    /// audit trail, [`CatalogError::ForeignObject`] when the storage holds what no catalog puts there.
    fn authentic_rows(&self) -> Result<Vec<AuthenticRows>, CatalogError>;

    /// Counts the transactions that changed anything but the audit trail.
    fn revision(&self) -> Result<u64, CatalogError>;
}

/// Changes rows. Nothing is durable, or seen by others, before the transaction ends.
///
/// The errors of [`Reader`] apply here as well.
#[expect(
    clippy::missing_errors_doc,
    reason = "said for each method in its own words"
)]
pub trait Writer: Reader {
    /// Makes a connection with version 1; [`CatalogError::ConnectionExists`] when the name is
    /// taken. Gives no privileges to anybody.
    fn insert_connection(&mut self, new: &NewConnection) -> Result<Connection, CatalogError>;

    /// Gives a connection a new target and the next version; [`CatalogError::ConnectionChanged`]
    /// when it is gone or its version is not `expected`.
    fn replace_connection(
        &mut self,
        id: ConnectionId,
        expected: u64,
        target: &ConnectionTarget,
    ) -> Result<Connection, CatalogError>;

    /// Gives a connection another name; [`CatalogError::ConnectionExists`] when it is taken,
    /// [`CatalogError::ConnectionChanged`] when the connection is gone.
    fn rename_connection(
        &mut self,
        id: ConnectionId,
        name: &str,
    ) -> Result<Connection, CatalogError>;

    /// Gives a connection another owner, who needs no row; [`CatalogError::ConnectionChanged`]
    /// when the connection is gone.
    fn set_owner(&mut self, id: ConnectionId, owner: &str) -> Result<Connection, CatalogError>;

    /// Changes or removes a comment; [`CatalogError::ConnectionChanged`] when the connection is
    /// gone.
    fn set_comment(
        &mut self,
        id: ConnectionId,
        comment: Option<&str>,
    ) -> Result<Connection, CatalogError>;

    /// Removes a connection with all privileges on it. Says whether it was there.
    fn delete_connection(&mut self, id: ConnectionId) -> Result<bool, CatalogError>;

    /// Removes the connection of this name, with all that belongs to it, without asking whether its
    /// row is authentic: the way out of [`CatalogError::NotAuthentic`]. Says whether it was there.
    fn delete_connection_unchecked(&mut self, name: &str) -> Result<bool, CatalogError>;

    /// Makes a user or role; [`CatalogError::PrincipalExists`] when the name is taken,
    /// [`CatalogError::ReservedPrincipal`] for `public` and `none`.
    fn insert_principal(&mut self, principal: &PrincipalRow) -> Result<(), CatalogError>;

    /// Removes a user or role with its memberships and privileges; its sets of files are left to the
    /// role `admin`, so that no later user of its name gets them. Says whether it was there;
    /// [`CatalogError::OwnsConnections`] while it owns any, [`CatalogError::ReservedPrincipal`]
    /// for `root`, `admin` and `public`.
    fn delete_principal(&mut self, name: &str) -> Result<bool, CatalogError>;

    /// Gives a role to a member, or changes the admin option; [`CatalogError::PrincipalNotFound`]
    /// when the role has no row, [`CatalogError::RoleCycle`] when the role would inherit itself,
    /// [`CatalogError::PublicMembership`] for `public`. The member needs no row.
    fn put_membership(&mut self, membership: &Membership) -> Result<(), CatalogError>;

    /// Takes a role from a member. Says whether it had it; [`CatalogError::ReservedPrincipal`]
    /// when `admin` would be taken from `root`.
    fn delete_membership(&mut self, role: &str, member: &str) -> Result<bool, CatalogError>;

    /// Writes one privilege on the system as it is given, over what was there.
    fn put_system_grant(&mut self, grant: &SystemGrant) -> Result<(), CatalogError>;

    /// Removes one privilege on the system. Says whether it was there.
    fn delete_system_grant(
        &mut self,
        grantee: &str,
        privilege: SystemPrivilege,
    ) -> Result<bool, CatalogError>;

    /// Writes one privilege on a connection as it is given, over what was there;
    /// [`CatalogError::ConnectionChanged`] when the connection is gone.
    fn put_connection_grant(&mut self, grant: &ConnectionGrant) -> Result<(), CatalogError>;

    /// Removes one privilege on a connection. Says whether it was there.
    fn delete_connection_grant(
        &mut self,
        connection: ConnectionId,
        grantee: &str,
        privilege: ConnectionPrivilege,
    ) -> Result<bool, CatalogError>;

    /// Approves a provider; [`CatalogError::ProviderExists`] when the name is taken.
    fn insert_provider(&mut self, provider: &ApprovedProvider) -> Result<(), CatalogError>;

    /// Takes back an approval. Says whether it was there.
    fn delete_provider(&mut self, name: &str) -> Result<bool, CatalogError>;

    /// Writes whose a set of users' files is, over what was there.
    fn put_user_file_set(&mut self, set: &UserFileSet) -> Result<(), CatalogError>;

    /// Puts the store's key into one more slot; [`CatalogError::KeySlotExists`] when its key opens
    /// one already.
    fn insert_key_slot(&mut self, new: &NewKeySlot) -> Result<KeySlotRow, CatalogError>;

    /// Removes a key slot, also one that is not authentic. Says whether it was there;
    /// [`CatalogError::LastKeySlot`] for the last one, [`CatalogError::KeySlotInUse`] for the one
    /// that opened the store for this process.
    fn delete_key_slot(&mut self, id: u32) -> Result<bool, CatalogError>;

    /// Makes a newer store key and puts it into every slot. What is written from here on lies under
    /// it; what was written before stays as it is, and can be read, until it is brought under the
    /// newer one or written anew.
    fn begin_key_rotation(&mut self) -> Result<KeyState, CatalogError>;

    /// Brings rows under the newest generation of the store's key: from the start, or from where an
    /// earlier step says, and about `limit` of them at most. A row that is not authentic ends it.
    fn rotate_rows(
        &mut self,
        after: Option<&RotationPlace>,
        limit: usize,
    ) -> Result<RotationStep, CatalogError>;

    /// Forgets the older generations of the store's key; [`CatalogError::KeyInUse`] while anything
    /// lies under one of them. Does nothing when there are none.
    fn finish_key_rotation(&mut self) -> Result<KeyState, CatalogError>;

    /// Adds to the audit trail. This alone makes no new revision.
    fn append_audit(&mut self, record: &AuditRecord) -> Result<AuditId, CatalogError>;
}
