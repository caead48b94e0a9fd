//! Privileges on the system and on connections.

use portolan_secret::RowCode;
use rusqlite::{Row, params};

use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::{
    ConnectionGrant, ConnectionId, ConnectionPrivilege, Privilege, SystemGrant, SystemPrivilege,
};

impl Record for SystemGrant {
    const TABLE: &'static str = "system_grants";
    const COLUMNS: &'static str = "grantee, privilege, grantable, code";
    const KEY: &'static [&'static str] = &["grantee", "privilege"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            grantee: row.get("grantee")?,
            privilege: record::word(row, "privilege", SystemPrivilege::from_name)?,
            grantable: record::flag(row, "grantable")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        format!(
            "the system privilege {} of {}",
            record::shown(row, "privilege"),
            record::shown(row, "grantee")
        )
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.text(&self.grantee)
            .text(self.privilege.as_str())
            .integer(self.grantable.into())
    }
}

impl Record for ConnectionGrant {
    const TABLE: &'static str = "connection_grants";
    const COLUMNS: &'static str = "connection, grantee, privilege, grantable, code";
    const KEY: &'static [&'static str] = &["connection", "grantee", "privilege"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            connection: ConnectionId(record::uuid(row, "connection")?),
            grantee: row.get("grantee")?,
            privilege: record::word(row, "privilege", ConnectionPrivilege::from_name)?,
            grantable: record::flag(row, "grantable")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        let connection =
            record::uuid(row, "connection").map_or_else(|_| "?".to_owned(), |id| id.to_string());
        format!(
            "the privilege {} of {} on external connection {connection}",
            record::shown(row, "privilege"),
            record::shown(row, "grantee"),
        )
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.bytes(self.connection.0.as_bytes())
            .text(&self.grantee)
            .text(self.privilege.as_str())
            .integer(self.grantable.into())
    }
}

impl Transaction<'_> {
    pub(super) fn find_system_grants(
        &self,
        grantee: Option<&str>,
    ) -> Result<Vec<SystemGrant>, CatalogError> {
        const COLUMNS: &str = "SELECT grantee, privilege, grantable, code FROM system_grants";
        match grantee {
            Some(grantee) => {
                let sql = format!("{COLUMNS} WHERE grantee = ?1 ORDER BY privilege");
                record::all(self.connection, &self.keys, &sql, [grantee])
            }
            None => {
                let sql = format!("{COLUMNS} ORDER BY grantee, privilege");
                record::all(self.connection, &self.keys, &sql, [])
            }
        }
    }

    pub(super) fn find_connection_grants(
        &self,
        connection: Option<ConnectionId>,
    ) -> Result<Vec<ConnectionGrant>, CatalogError> {
        const COLUMNS: &str =
            "SELECT connection, grantee, privilege, grantable, code FROM connection_grants";
        match connection {
            Some(id) => {
                let sql = format!("{COLUMNS} WHERE connection = ?1 ORDER BY grantee, privilege");
                record::all(self.connection, &self.keys, &sql, [id.0.as_bytes()])
            }
            None => {
                let sql = format!("{COLUMNS} ORDER BY connection, grantee, privilege");
                record::all(self.connection, &self.keys, &sql, [])
            }
        }
    }

    pub(super) fn write_system_grant(&mut self, grant: &SystemGrant) -> Result<(), CatalogError> {
        let code = self.keys.code_of(grant);
        self.run(
            "INSERT OR REPLACE INTO system_grants (grantee, privilege, grantable, code) \
             VALUES (?1, ?2, ?3, ?4)",
            params![
                grant.grantee,
                grant.privilege.as_str(),
                grant.grantable,
                code
            ],
        )?;
        Ok(())
    }

    pub(super) fn remove_system_grant(
        &mut self,
        grantee: &str,
        privilege: SystemPrivilege,
    ) -> Result<bool, CatalogError> {
        let sql = "DELETE FROM system_grants WHERE grantee = ?1 AND privilege = ?2";
        Ok(self.run(sql, [grantee, privilege.as_str()])? > 0)
    }

    pub(super) fn write_connection_grant(
        &mut self,
        grant: &ConnectionGrant,
    ) -> Result<(), CatalogError> {
        let id = grant.connection.0.as_bytes();
        if !self.exists("SELECT 1 FROM connections WHERE id = ?1", [id])? {
            return Err(CatalogError::ConnectionChanged {
                id: grant.connection,
            });
        }
        let code = self.keys.code_of(grant);
        self.run(
            "INSERT OR REPLACE INTO connection_grants \
             (connection, grantee, privilege, grantable, code) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                id,
                grant.grantee,
                grant.privilege.as_str(),
                grant.grantable,
                code
            ],
        )?;
        Ok(())
    }

    pub(super) fn remove_connection_grant(
        &mut self,
        connection: ConnectionId,
        grantee: &str,
        privilege: ConnectionPrivilege,
    ) -> Result<bool, CatalogError> {
        let removed = self.run(
            "DELETE FROM connection_grants \
             WHERE connection = ?1 AND grantee = ?2 AND privilege = ?3",
            params![connection.0.as_bytes(), grantee, privilege.as_str()],
        )?;
        Ok(removed > 0)
    }
}
