//! What can be read of a store whose key is lost: everything that is not sealed.
//!
//! Without the key no code can be checked, so all of it is only what the file says. Whoever could
//! write the file could have changed it.

use std::path::Path;

use rusqlite::Connection as Database;

use super::failure::failed;
use super::open::explain;
use super::pool::connect;
use super::record::{self, Record};
use super::schema::{self, Content};
use crate::error::CatalogError;
use crate::model::{
    ApprovedProvider, Connection, ConnectionGrant, Membership, PrincipalRow, SystemGrant,
    UserFileSet,
};

/// The readable rows of a store, none of them checked.
#[derive(Debug, Clone, Default)]
pub struct Salvaged {
    /// Users and roles.
    pub principals: Vec<PrincipalRow>,
    /// Who is a member of what.
    pub memberships: Vec<Membership>,
    /// Privileges on the system.
    pub system_grants: Vec<SystemGrant>,
    /// Connections, without what is sealed of them.
    pub connections: Vec<Connection>,
    /// Privileges on connections.
    pub connection_grants: Vec<ConnectionGrant>,
    /// Approved providers.
    pub providers: Vec<ApprovedProvider>,
    /// Whose the sets of users' files are.
    pub user_file_sets: Vec<UserFileSet>,
    /// What to call rows that could not be read.
    pub unreadable: Vec<String>,
}

/// Reads what is readable of the store in this file, which needs no key. Changes nothing. Blocks.
///
/// # Errors
/// [`CatalogError::NewerSchema`], [`CatalogError::Damaged`], [`CatalogError::Unreachable`].
pub fn salvage(path: &Path) -> Result<Salvaged, CatalogError> {
    let open = || -> Result<Database, CatalogError> {
        let database = connect(path).map_err(failed)?;
        database
            .pragma_update(None, "query_only", "ON")
            .map_err(failed)?;
        if schema::content(&database)? == Content::Empty {
            return Err(CatalogError::Damaged);
        }
        schema::check(&database)?;
        Ok(database)
    };
    let database = open().map_err(|error| explain(path, error))?;
    database.execute_batch("BEGIN").map_err(failed)?;
    let mut salvaged = Salvaged::default();
    let lost = &mut salvaged.unreadable;
    salvaged.principals = rows(&database, lost)?;
    salvaged.memberships = rows(&database, lost)?;
    salvaged.system_grants = rows(&database, lost)?;
    salvaged.connections = rows(&database, lost)?;
    salvaged.connection_grants = rows(&database, lost)?;
    salvaged.providers = rows(&database, lost)?;
    // Stores of the first version have no such table.
    if schema::version(&database)? > 1 {
        salvaged.user_file_sets = rows(&database, lost)?;
    }
    Ok(salvaged)
}

fn rows<R: Record>(database: &Database, lost: &mut Vec<String>) -> Result<Vec<R>, CatalogError> {
    let mut found = Vec::new();
    for row in record::unchecked::<R>(database)? {
        match row {
            Ok(row) => found.push(row),
            Err(name) => lost.push(name),
        }
    }
    Ok(found)
}
