//! Users, roles and memberships.

use std::collections::BTreeSet;

use portolan_secret::RowCode;
use rusqlite::{Row, params};

use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::principal::{ADMIN, PUBLIC, ROOT};
use crate::model::{Membership, PrincipalKind, PrincipalRow};

impl Record for PrincipalRow {
    const TABLE: &'static str = "principals";
    const COLUMNS: &'static str = "name, kind, created, code";
    const KEY: &'static [&'static str] = &["name"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: row.get("name")?,
            kind: record::word(row, "kind", PrincipalKind::from_name)?,
            created: record::time(row, "created")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        format!("role or user {}", record::shown(row, "name"))
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.text(&self.name)
            .text(self.kind.as_str())
            .integer(self.created.as_microsecond())
    }
}

impl Record for Membership {
    const TABLE: &'static str = "memberships";
    const COLUMNS: &'static str = "role, member, admin_option, code";
    const KEY: &'static [&'static str] = &["role", "member"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            role: row.get("role")?,
            member: row.get("member")?,
            admin_option: record::flag(row, "admin_option")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        format!(
            "the membership of {} in {}",
            record::shown(row, "member"),
            record::shown(row, "role")
        )
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.text(&self.role)
            .text(&self.member)
            .integer(self.admin_option.into())
    }
}

impl Transaction<'_> {
    pub(super) fn find_principal(&self, name: &str) -> Result<Option<PrincipalRow>, CatalogError> {
        record::one(
            self.connection,
            &self.keys,
            "SELECT name, kind, created, code FROM principals WHERE name = ?1",
            [name],
        )
    }

    pub(super) fn all_principals(&self) -> Result<Vec<PrincipalRow>, CatalogError> {
        record::all(
            self.connection,
            &self.keys,
            "SELECT name, kind, created, code FROM principals ORDER BY name",
            [],
        )
    }

    pub(super) fn all_memberships(&self) -> Result<Vec<Membership>, CatalogError> {
        record::all(
            self.connection,
            &self.keys,
            "SELECT role, member, admin_option, code FROM memberships ORDER BY role, member",
            [],
        )
    }

    pub(super) fn roles_given_to(&self, member: &str) -> Result<Vec<Membership>, CatalogError> {
        record::all(
            self.connection,
            &self.keys,
            "SELECT role, member, admin_option, code FROM memberships \
             WHERE member = ?1 ORDER BY role",
            [member],
        )
    }

    pub(super) fn add_principal(&mut self, principal: &PrincipalRow) -> Result<(), CatalogError> {
        if principal.name == PUBLIC || principal.name == NONE {
            return Err(reserved(&principal.name));
        }
        if self.exists(
            "SELECT 1 FROM principals WHERE name = ?1",
            [&principal.name],
        )? {
            return Err(CatalogError::PrincipalExists {
                name: principal.name.clone(),
            });
        }
        let code = self.keys.code_of(principal);
        self.run(
            "INSERT INTO principals (name, kind, created, code) VALUES (?1, ?2, ?3, ?4)",
            params![
                principal.name,
                principal.kind.as_str(),
                principal.created.as_microsecond(),
                code
            ],
        )?;
        Ok(())
    }

    pub(super) fn remove_principal(&mut self, name: &str) -> Result<bool, CatalogError> {
        if [ROOT, ADMIN, PUBLIC].contains(&name) {
            return Err(reserved(name));
        }
        if !self.exists("SELECT 1 FROM principals WHERE name = ?1", [name])? {
            return Ok(false);
        }
        let owned = self
            .connection
            .prepare_cached("SELECT min(name) FROM connections WHERE owner = ?1")
            .and_then(|mut statement| statement.query_row([name], |row| row.get(0)))
            .map_err(super::failure::failed)?;
        if let Some(connection) = owned {
            return Err(CatalogError::OwnsConnections {
                name: name.to_owned(),
                connection,
            });
        }
        self.leave_user_file_sets(name)?;
        for sql in [
            "DELETE FROM memberships WHERE role = ?1 OR member = ?1",
            "DELETE FROM system_grants WHERE grantee = ?1",
            "DELETE FROM connection_grants WHERE grantee = ?1",
            "DELETE FROM principals WHERE name = ?1",
        ] {
            self.run(sql, [name])?;
        }
        Ok(true)
    }

    pub(super) fn add_membership(&mut self, membership: &Membership) -> Result<(), CatalogError> {
        let Membership {
            role,
            member,
            admin_option,
        } = membership;
        // Nothing is inherited by everybody but the privileges of `public` itself.
        if role == PUBLIC || member == PUBLIC {
            return Err(CatalogError::PublicMembership);
        }
        if self.find_principal(role)?.is_none() {
            return Err(CatalogError::PrincipalNotFound { name: role.clone() });
        }
        if self.inherits(role, member)? {
            return Err(CatalogError::RoleCycle {
                role: role.clone(),
                member: member.clone(),
            });
        }
        let code = self.keys.code_of(membership);
        self.run(
            "INSERT OR REPLACE INTO memberships (role, member, admin_option, code) \
             VALUES (?1, ?2, ?3, ?4)",
            params![role, member, admin_option, code],
        )?;
        Ok(())
    }

    pub(super) fn remove_membership(
        &mut self,
        role: &str,
        member: &str,
    ) -> Result<bool, CatalogError> {
        if role == ADMIN && member == ROOT {
            return Err(reserved(role));
        }
        let sql = "DELETE FROM memberships WHERE role = ?1 AND member = ?2";
        Ok(self.run(sql, [role, member])? > 0)
    }

    /// Whether `member` is `role` or has it, directly or through others.
    fn inherits(&self, member: &str, role: &str) -> Result<bool, CatalogError> {
        let mut seen = BTreeSet::new();
        let mut open = vec![member.to_owned()];
        while let Some(name) = open.pop() {
            if name == role {
                return Ok(true);
            }
            if seen.insert(name.clone()) {
                open.extend(self.roles_given_to(&name)?.into_iter().map(|it| it.role));
            }
        }
        Ok(false)
    }
}

/// What statements call the absence of a role. Never a principal.
const NONE: &str = "none";

fn reserved(name: &str) -> CatalogError {
    CatalogError::ReservedPrincipal {
        name: name.to_owned(),
    }
}
