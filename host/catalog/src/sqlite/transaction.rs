//! One transaction: what it may run, and the traits that callers see.

use std::sync::Arc;

use rusqlite::Params;

use super::failure::failed;
use super::record::{self, Keys};
use crate::access::{Reader, Writer};
use crate::error::CatalogError;
use crate::model::{
    ApprovedProvider, AuditEntry, AuditFilter, AuditId, AuditRecord, AuthenticRows, Connection,
    ConnectionGrant, ConnectionId, ConnectionPrivilege, ConnectionSecrets, ConnectionTarget,
    KeySlotRow, KeyState, Membership, NewConnection, NewKeySlot, PrincipalRow, RotationPlace,
    RotationStep, SystemGrant, SystemPrivilege, UserFileSet,
};

type Outcome<T> = Result<T, CatalogError>;

/// A transaction that has begun. Whoever began it ends it.
#[derive(Debug)]
pub(super) struct Transaction<'a> {
    pub(super) connection: &'a rusqlite::Connection,
    /// Another one after the transaction made a newer store key.
    pub(super) keys: Arc<Keys>,
    changed: bool,
    leaves_sealed_bytes: bool,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(connection: &'a rusqlite::Connection, keys: Arc<Keys>) -> Self {
        Self {
            connection,
            keys,
            changed: false,
            leaves_sealed_bytes: false,
        }
    }

    /// Whether anything but the audit trail changed.
    pub(super) fn has_changed(&self) -> bool {
        self.changed
    }

    /// Whether sealed bytes were deleted or overwritten, of which the log still has a copy.
    pub(super) fn has_left_sealed_bytes(&self) -> bool {
        self.leaves_sealed_bytes
    }

    pub(super) fn leaves_sealed_bytes(&mut self) {
        self.leaves_sealed_bytes = true;
    }

    /// Changes rows, which makes a new revision if there were any. Says how many.
    pub(super) fn run(&mut self, sql: &str, params: impl Params) -> Outcome<usize> {
        let rows = self.run_unrevised(sql, params)?;
        self.changed |= rows > 0;
        Ok(rows)
    }

    /// Changes rows. Says how many.
    pub(super) fn run_unrevised(&mut self, sql: &str, params: impl Params) -> Outcome<usize> {
        // A full disk ends the transaction at once. What came after it, if the caller went on all
        // the same, would be durable on its own.
        if self.connection.is_autocommit() {
            return Err(CatalogError::Interrupted);
        }
        record::run(self.connection, sql, params)
    }

    pub(super) fn exists(&self, sql: &str, params: impl Params) -> Outcome<bool> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.exists(params))
            .map_err(failed)
    }
}

impl Reader for Transaction<'_> {
    fn connection(&self, name: &str) -> Outcome<Option<Connection>> {
        self.find_connection(name)
    }

    fn connection_by_id(&self, id: ConnectionId) -> Outcome<Option<Connection>> {
        self.find_connection_by_id(id)
    }

    fn connections_after(&self, after: Option<&str>, limit: usize) -> Outcome<Vec<Connection>> {
        self.page_of_connections(after, limit)
    }

    fn secrets_of(&self, connection: &Connection) -> Outcome<ConnectionSecrets> {
        self.open_secrets(connection)
    }

    fn principal(&self, name: &str) -> Outcome<Option<PrincipalRow>> {
        self.find_principal(name)
    }

    fn principals(&self) -> Outcome<Vec<PrincipalRow>> {
        self.all_principals()
    }

    fn memberships(&self) -> Outcome<Vec<Membership>> {
        self.all_memberships()
    }

    fn memberships_of(&self, member: &str) -> Outcome<Vec<Membership>> {
        self.roles_given_to(member)
    }

    fn system_grants(&self, grantee: Option<&str>) -> Outcome<Vec<SystemGrant>> {
        self.find_system_grants(grantee)
    }

    fn connection_grants(&self, connection: Option<ConnectionId>) -> Outcome<Vec<ConnectionGrant>> {
        self.find_connection_grants(connection)
    }

    fn providers(&self) -> Outcome<Vec<ApprovedProvider>> {
        self.all_providers()
    }

    fn provider(&self, name: &str) -> Outcome<Option<ApprovedProvider>> {
        self.find_provider(name)
    }

    fn user_file_set(&self, name: &str) -> Outcome<Option<UserFileSet>> {
        self.find_user_file_set(name)
    }

    fn audit_after(
        &self,
        filter: &AuditFilter,
        after: Option<AuditId>,
        limit: usize,
    ) -> Outcome<Vec<AuditEntry>> {
        self.page_of_audit(filter, after, limit)
    }

    fn key_slots(&self) -> Outcome<Vec<KeySlotRow>> {
        self.all_key_slots()
    }

    fn key_state(&self) -> Outcome<KeyState> {
        self.find_key_state()
    }

    fn authentic_rows(&self) -> Outcome<Vec<AuthenticRows>> {
        self.check_everything()
    }

    fn revision(&self) -> Outcome<u64> {
        Ok(self.store()?.revision)
    }
}

impl Writer for Transaction<'_> {
    fn insert_connection(&mut self, new: &NewConnection) -> Outcome<Connection> {
        self.add_connection(new)
    }

    fn replace_connection(
        &mut self,
        id: ConnectionId,
        expected: u64,
        target: &ConnectionTarget,
    ) -> Outcome<Connection> {
        self.retarget_connection(id, expected, target)
    }

    fn rename_connection(&mut self, id: ConnectionId, name: &str) -> Outcome<Connection> {
        self.change_name(id, name)
    }

    fn set_owner(&mut self, id: ConnectionId, owner: &str) -> Outcome<Connection> {
        self.change_connection(id, |connection| {
            Ok(Connection {
                owner: owner.to_owned(),
                ..connection
            })
        })
    }

    fn set_comment(&mut self, id: ConnectionId, comment: Option<&str>) -> Outcome<Connection> {
        self.change_connection(id, |connection| {
            Ok(Connection {
                comment: comment.map(str::to_owned),
                ..connection
            })
        })
    }

    fn delete_connection(&mut self, id: ConnectionId) -> Outcome<bool> {
        self.remove_connection(id)
    }

    fn delete_connection_unchecked(&mut self, name: &str) -> Outcome<bool> {
        self.remove_connection_unseen(name)
    }

    fn insert_principal(&mut self, principal: &PrincipalRow) -> Outcome<()> {
        self.add_principal(principal)
    }

    fn delete_principal(&mut self, name: &str) -> Outcome<bool> {
        self.remove_principal(name)
    }

    fn put_membership(&mut self, membership: &Membership) -> Outcome<()> {
        self.add_membership(membership)
    }

    fn delete_membership(&mut self, role: &str, member: &str) -> Outcome<bool> {
        self.remove_membership(role, member)
    }

    fn put_system_grant(&mut self, grant: &SystemGrant) -> Outcome<()> {
        self.write_system_grant(grant)
    }

    fn delete_system_grant(&mut self, grantee: &str, privilege: SystemPrivilege) -> Outcome<bool> {
        self.remove_system_grant(grantee, privilege)
    }

    fn put_connection_grant(&mut self, grant: &ConnectionGrant) -> Outcome<()> {
        self.write_connection_grant(grant)
    }

    fn delete_connection_grant(
        &mut self,
        connection: ConnectionId,
        grantee: &str,
        privilege: ConnectionPrivilege,
    ) -> Outcome<bool> {
        self.remove_connection_grant(connection, grantee, privilege)
    }

    fn insert_provider(&mut self, provider: &ApprovedProvider) -> Outcome<()> {
        self.add_provider(provider)
    }

    fn delete_provider(&mut self, name: &str) -> Outcome<bool> {
        self.remove_provider(name)
    }

    fn put_user_file_set(&mut self, set: &UserFileSet) -> Outcome<()> {
        self.write_user_file_set(set)
    }

    fn insert_key_slot(&mut self, new: &NewKeySlot) -> Outcome<KeySlotRow> {
        self.add_key_slot(new)
    }

    fn delete_key_slot(&mut self, id: u32) -> Outcome<bool> {
        self.remove_key_slot(id)
    }

    fn begin_key_rotation(&mut self) -> Outcome<KeyState> {
        self.begin_rotation()
    }

    fn rotate_rows(
        &mut self,
        after: Option<&RotationPlace>,
        limit: usize,
    ) -> Outcome<RotationStep> {
        self.rotate_some(after, limit)
    }

    fn finish_key_rotation(&mut self) -> Outcome<KeyState> {
        self.end_rotation()
    }

    fn append_audit(&mut self, record: &AuditRecord) -> Outcome<AuditId> {
        self.add_audit(record)
    }
}
