//! Connections, and what is sealed of them.

use portolan_secret::{RowCode, RowIdentity, RowKey, SealError};
use rusqlite::{Row, params};

use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::{
    self, Connection, ConnectionId, ConnectionSecrets, ConnectionTarget, NewConnection,
};

const COLUMNS: &str = "name, id, version, connection_type, provider, provider_version, \
     redacted_uri, implicit_access, owner, comment, created, updated, plan_format, code";

impl Record for Connection {
    const TABLE: &'static str = "connections";
    const COLUMNS: &'static str = COLUMNS;
    const KEY: &'static [&'static str] = &["name"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: ConnectionId(record::uuid(row, "id")?),
            name: row.get("name")?,
            version: record::count(row, "version")?,
            connection_type: row.get("connection_type")?,
            provider: row.get("provider")?,
            provider_version: row.get("provider_version")?,
            redacted_uri: row.get("redacted_uri")?,
            implicit_access: record::flag(row, "implicit_access")?,
            owner: row.get("owner")?,
            comment: row.get("comment")?,
            created: record::time(row, "created")?,
            updated: record::time(row, "updated")?,
            plan_format: row.get("plan_format")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        format!("external connection {}", record::shown(row, "name"))
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.bytes(self.id.0.as_bytes())
            .text(&self.name)
            .integer(record::stored(self.version))
            .text(&self.connection_type)
            .text(&self.provider)
            .text(&self.provider_version)
            .text(&self.redacted_uri)
            .integer(self.implicit_access.into())
            .text(&self.owner)
            .optional_text(self.comment.as_deref())
            .integer(self.created.as_microsecond())
            .integer(self.updated.as_microsecond())
            .integer(self.plan_format.into())
    }
}

impl Transaction<'_> {
    pub(super) fn find_connection(&self, name: &str) -> Result<Option<Connection>, CatalogError> {
        let sql = format!("SELECT {COLUMNS} FROM connections WHERE name = ?1");
        record::one(self.connection, &self.keys, &sql, [name])
    }

    pub(super) fn find_connection_by_id(
        &self,
        id: ConnectionId,
    ) -> Result<Option<Connection>, CatalogError> {
        let sql = format!("SELECT {COLUMNS} FROM connections WHERE id = ?1");
        record::one(self.connection, &self.keys, &sql, [id.0.as_bytes()])
    }

    pub(super) fn page_of_connections(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Connection>, CatalogError> {
        let limit = record::stored(limit as u64);
        // Two statements, so that each is one walk over the table from a known place.
        match after {
            Some(after) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM connections WHERE name > ?1 ORDER BY name LIMIT ?2"
                );
                record::all(self.connection, &self.keys, &sql, params![after, limit])
            }
            None => {
                let sql = format!("SELECT {COLUMNS} FROM connections ORDER BY name LIMIT ?1");
                record::all(self.connection, &self.keys, &sql, [limit])
            }
        }
    }

    pub(super) fn open_secrets(
        &self,
        connection: &Connection,
    ) -> Result<ConnectionSecrets, CatalogError> {
        let not_authentic = || CatalogError::NotAuthentic {
            row: format!("what is sealed of external connection {}", connection.name),
        };
        let current = self
            .find_connection_by_id(connection.id)?
            .filter(|current| current.version == connection.version);
        if current.is_none() {
            return Err(CatalogError::ConnectionChanged { id: connection.id });
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT row_key, uri, plan FROM sealed WHERE connection = ?1")
            .map_err(super::failure::failed)?;
        let sealed: (Vec<u8>, Vec<u8>, Vec<u8>) =
            match statement.query_row([connection.id.0.as_bytes()], |row| row.try_into()) {
                Ok(sealed) => sealed,
                Err(rusqlite::Error::QueryReturnedNoRows) => return Err(not_authentic()),
                Err(error) if super::failure::is_unreadable(&error) => return Err(not_authentic()),
                Err(error) => return Err(super::failure::failed(error)),
            };
        let (row_key, uri, plan) = sealed;
        let open = || -> Result<ConnectionSecrets, SealError> {
            let identity = self.identity(connection.id, connection.version);
            let key = self.keys.ring.open_row_key(identity, &row_key)?;
            let uri = key
                .open(URI, &uri)?
                .into_text()
                .map_err(|_| SealError::NotAuthentic)?;
            Ok(ConnectionSecrets {
                uri,
                plan: key.open(PLAN, &plan)?,
            })
        };
        open().map_err(|_| not_authentic())
    }

    pub(super) fn add_connection(
        &mut self,
        new: &NewConnection,
    ) -> Result<Connection, CatalogError> {
        self.name_is_free(&new.name)?;
        let now = model::now();
        let connection = with_target(
            Connection {
                id: ConnectionId::random(),
                name: new.name.clone(),
                version: 1,
                connection_type: String::new(),
                provider: String::new(),
                provider_version: String::new(),
                redacted_uri: String::new(),
                implicit_access: false,
                owner: new.owner.clone(),
                comment: new.comment.clone(),
                created: now,
                updated: now,
                plan_format: 0,
            },
            &new.target,
        );
        let sql = format!(
            "INSERT INTO connections ({COLUMNS}) \
             VALUES (?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        );
        self.write_connection(&sql, &connection)?;
        self.seal(&connection, &new.target.secrets)?;
        Ok(connection)
    }

    pub(super) fn retarget_connection(
        &mut self,
        id: ConnectionId,
        expected: u64,
        target: &ConnectionTarget,
    ) -> Result<Connection, CatalogError> {
        let changed = self.change_connection(id, |connection| {
            if connection.version != expected {
                return Err(CatalogError::ConnectionChanged { id });
            }
            Ok(with_target(
                Connection {
                    version: expected + 1,
                    ..connection
                },
                target,
            ))
        })?;
        self.seal(&changed, &target.secrets)?;
        self.leaves_sealed_bytes();
        Ok(changed)
    }

    pub(super) fn change_name(
        &mut self,
        id: ConnectionId,
        name: &str,
    ) -> Result<Connection, CatalogError> {
        let named = self.find_connection_by_id(id)?;
        if named.is_some_and(|connection| connection.name != name) {
            self.name_is_free(name)?;
        }
        self.change_connection(id, |connection| {
            Ok(Connection {
                name: name.to_owned(),
                ..connection
            })
        })
    }

    /// Reads the connection, changes it and writes it back with its new code.
    pub(super) fn change_connection(
        &mut self,
        id: ConnectionId,
        change: impl FnOnce(Connection) -> Result<Connection, CatalogError>,
    ) -> Result<Connection, CatalogError> {
        let connection = self
            .find_connection_by_id(id)?
            .ok_or(CatalogError::ConnectionChanged { id })?;
        let mut changed = change(connection)?;
        changed.updated = model::now();
        self.write_connection(
            "UPDATE connections SET name = ?2, version = ?3, connection_type = ?4, provider = ?5, \
             provider_version = ?6, redacted_uri = ?7, implicit_access = ?8, owner = ?9, \
             comment = ?10, created = ?11, updated = ?12, plan_format = ?13, code = ?14 \
             WHERE id = ?1",
            &changed,
        )?;
        Ok(changed)
    }

    pub(super) fn remove_connection(&mut self, id: ConnectionId) -> Result<bool, CatalogError> {
        let id = id.0.as_bytes();
        let removed = self.run("DELETE FROM connections WHERE id = ?1", [id])? > 0;
        if removed {
            self.run("DELETE FROM sealed WHERE connection = ?1", [id])?;
            self.run("DELETE FROM connection_grants WHERE connection = ?1", [id])?;
            self.leaves_sealed_bytes();
        }
        Ok(removed)
    }

    /// Removes by name without asking whether the row, or anything that belongs to it, is genuine.
    pub(super) fn remove_connection_unseen(&mut self, name: &str) -> Result<bool, CatalogError> {
        for table in ["sealed", "connection_grants"] {
            self.run(
                &format!(
                    "DELETE FROM {table} WHERE connection = \
                     (SELECT id FROM connections WHERE name = ?1)"
                ),
                [name],
            )?;
        }
        let removed = self.run("DELETE FROM connections WHERE name = ?1", [name])? > 0;
        if removed {
            self.leaves_sealed_bytes();
        }
        Ok(removed)
    }

    /// Asks for the name alone: a row that is not genuine takes its name all the same.
    fn name_is_free(&self, name: &str) -> Result<(), CatalogError> {
        if self.exists("SELECT 1 FROM connections WHERE name = ?1", [name])? {
            return Err(CatalogError::ConnectionExists {
                name: name.to_owned(),
            });
        }
        Ok(())
    }

    fn write_connection(&mut self, sql: &str, connection: &Connection) -> Result<(), CatalogError> {
        let code = self.keys.code_of(connection);
        self.run(
            sql,
            params![
                connection.id.0.as_bytes(),
                connection.name,
                record::stored(connection.version),
                connection.connection_type,
                connection.provider,
                connection.provider_version,
                connection.redacted_uri,
                connection.implicit_access,
                connection.owner,
                connection.comment,
                connection.created.as_microsecond(),
                connection.updated.as_microsecond(),
                connection.plan_format,
                code,
            ],
        )?;
        Ok(())
    }

    /// Seals under a new key, which belongs to this version alone.
    fn seal(
        &mut self,
        connection: &Connection,
        secrets: &ConnectionSecrets,
    ) -> Result<(), CatalogError> {
        let (key, wrapped) = self
            .keys
            .ring
            .new_row_key(self.identity(connection.id, connection.version))
            .map_err(unsealable)?;
        let seal = |key: &RowKey, column, value: &[u8]| key.seal(column, value).map_err(unsealable);
        let uri = seal(&key, URI, secrets.uri.expose().as_bytes())?;
        let plan = seal(&key, PLAN, secrets.plan.expose())?;
        self.run(
            "INSERT OR REPLACE INTO sealed (connection, row_key, uri, plan) VALUES (?1, ?2, ?3, ?4)",
            params![connection.id.0.as_bytes(), wrapped, uri, plan],
        )?;
        Ok(())
    }

    fn identity(&self, id: ConnectionId, version: u64) -> RowIdentity {
        RowIdentity {
            catalog: *self.keys.catalog_bytes(),
            row: *id.0.as_bytes(),
            version,
        }
    }
}

const URI: &str = "uri";
const PLAN: &str = "plan";

fn with_target(connection: Connection, target: &ConnectionTarget) -> Connection {
    Connection {
        connection_type: target.connection_type.clone(),
        provider: target.provider.clone(),
        provider_version: target.provider_version.clone(),
        redacted_uri: target.redacted_uri.clone(),
        implicit_access: target.implicit_access,
        plan_format: target.plan_format,
        ..connection
    }
}

fn unsealable(error: SealError) -> CatalogError {
    CatalogError::Storage {
        reason: error.to_string(),
    }
}
