//! The tables, and how an older store gets them.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::failure::failed;
use super::record;
use crate::error::CatalogError;
use crate::model;

/// "Port" in ASCII: marks the file as ours (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x506f_7274;

/// One step from each version to the next.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
];

/// The first version whose slots and store say which generation of the store's key they hold. What
/// older ones say of them has to be written anew, which takes the key.
pub(super) const SLOTS: u32 = 3;

/// The version that this program writes.
fn supported() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// What a file is before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing was ever written to it.
    Empty,
    /// A store of ours.
    Store,
}

/// What the file holds. Changes nothing.
pub(super) fn content(connection: &Connection) -> Result<Content, CatalogError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let marked = number("PRAGMA application_id").map_err(failed)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(failed)?;
    match (marked, tables) {
        (0, 0) => Ok(Content::Empty),
        (APPLICATION_ID, 1..) => Ok(Content::Store),
        _ => Err(CatalogError::Damaged),
    }
}

/// Refuses a store of a newer program. Asked at the start of every transaction, because another
/// process may bring a store to a newer version while this one has it open.
pub(super) fn check(connection: &Connection) -> Result<(), CatalogError> {
    version(connection).map(|_| ())
}

pub(super) fn version(connection: &Connection) -> Result<u32, CatalogError> {
    let found: u32 = connection
        .prepare_cached("SELECT max(version) FROM migrations")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(failed)?;
    if found > supported() {
        return Err(CatalogError::NewerSchema {
            found,
            supported: supported(),
        });
    }
    Ok(found)
}

/// Whether a store of an older program has steps to make.
pub(super) fn is_older(connection: &Connection) -> Result<bool, CatalogError> {
    Ok(version(connection)? < supported())
}

/// Makes the first table, which tells the version for all time, and marks the file. Inside a
/// transaction.
pub(super) fn begin(connection: &Connection) -> Result<(), CatalogError> {
    connection
        .execute_batch(
            "CREATE TABLE migrations (
                 version INTEGER NOT NULL PRIMARY KEY,
                 applied INTEGER NOT NULL,
                 program TEXT    NOT NULL
             ) STRICT;
             INSERT INTO migrations VALUES (0, 0, '');",
        )
        .and_then(|()| connection.pragma_update(None, "application_id", APPLICATION_ID))
        .map_err(failed)
}

/// Makes the steps that are missing. Inside a transaction.
pub(super) fn migrate(connection: &Connection) -> Result<(), CatalogError> {
    let found = version(connection)?;
    for (version, step) in (1..=supported()).zip(MIGRATIONS) {
        if version > found {
            connection.execute_batch(step).map_err(failed)?;
            record::run(
                connection,
                "INSERT INTO migrations (version, applied, program) VALUES (?1, ?2, ?3)",
                (
                    version,
                    model::now().as_microsecond(),
                    concat!("portolan-catalog ", env!("CARGO_PKG_VERSION")),
                ),
            )?;
        }
    }
    Ok(())
}

/// A database in memory with everything that the steps make, and no rows.
pub(super) fn fresh() -> Result<Connection, CatalogError> {
    let connection = Connection::open_in_memory().map_err(failed)?;
    begin(&connection)?;
    migrate(&connection)?;
    Ok(connection)
}

/// The tables that have a column of this name.
#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
pub(super) fn tables_with(column: &str) -> BTreeSet<String> {
    let connection = fresh().expect("is made");
    let mut statement = connection
        .prepare(
            "SELECT DISTINCT t.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
             WHERE t.schema = 'main' AND c.name = ?1",
        )
        .expect("prepares");
    statement
        .query_map([column], |row| row.get(0))
        .expect("queries")
        .collect::<rusqlite::Result<_>>()
        .expect("reads")
}

/// A table, an index, a view or a trigger: its kind, its name, the table that it is of, and the
/// statement that made it, safe to print.
type Object = [String; 4];

fn objects(connection: &Connection) -> Result<BTreeSet<Object>, CatalogError> {
    let mut statement = connection
        .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")
        .map_err(failed)?;
    let objects = statement
        .query_map([], |row| {
            Ok(["type", "name", "tbl_name", "sql"].map(|column| record::shown(row, column)))
        })
        .map_err(failed)?;
    objects.collect::<rusqlite::Result<_>>().map_err(failed)
}

/// Refuses a file with objects that the steps do not make, or make otherwise: a trigger or a view
/// could say which rows there are, whatever their codes.
pub(super) fn check_objects(connection: &Connection) -> Result<(), CatalogError> {
    let (there, ours) = (objects(connection)?, objects(&fresh()?)?);
    if let Some([kind, name, table, _]) = there.difference(&ours).next() {
        let object = match name == table {
            true => format!("{kind} {name}"),
            false => format!("{kind} {name} on {table}"),
        };
        return Err(CatalogError::ForeignObject { object });
    }
    match ours.is_subset(&there) {
        true => Ok(()),
        // A table or an index is gone.
        false => Err(CatalogError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_an_older_version_makes_the_steps_that_are_missing_once() {
        let connection = Connection::open_in_memory().expect("opens");
        assert_eq!(content(&connection).expect("asks"), Content::Empty);
        begin(&connection).expect("begins");
        assert_eq!(content(&connection).expect("asks"), Content::Store);
        assert_eq!(version(&connection).expect("asks"), 0);
        assert!(is_older(&connection).expect("asks"));
        for _ in 0..2 {
            migrate(&connection).expect("migrates");
            assert_eq!(version(&connection).expect("asks"), supported());
            assert!(!is_older(&connection).expect("asks"));
        }
        let steps: u32 = connection
            .query_row(
                "SELECT count(*) FROM migrations WHERE applied > 0",
                [],
                |row| row.get(0),
            )
            .expect("counts");
        assert_eq!(steps, supported());
    }

    #[test]
    fn every_table_checks_the_types_of_its_columns() {
        let connection = fresh().expect("is made");
        let lax: u32 = connection
            .query_row(
                "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                 AND name NOT LIKE 'sqlite_%' AND strict = 0",
                [],
                |row| row.get(0),
            )
            .expect("counts");
        assert_eq!(lax, 0);
    }
}
