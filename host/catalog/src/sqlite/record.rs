//! Rows with their codes: reading, checking, and what a row is called when it is not authentic.

use jiff::Timestamp;
use portolan_secret::{KeyRing, RowCode};
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Params, Row};
use uuid::Uuid;

use super::failure::{failed, is_unreadable};
use crate::error::CatalogError;
use crate::model::CatalogId;

/// The keys of an open store, which store it is of, and which slot they were in.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) catalog: CatalogId,
    pub(super) ring: KeyRing,
    pub(super) slot: u32,
}

impl Keys {
    pub(super) fn catalog_bytes(&self) -> &[u8; 16] {
        self.catalog.0.as_bytes()
    }

    /// The code that belongs to `record`.
    pub(super) fn code_of<R: Record>(&self, record: &R) -> Vec<u8> {
        let fields = |code| record.code(code);
        self.ring.code(self.catalog_bytes(), R::TABLE, fields)
    }

    fn verify<R: Record>(&self, record: &R, code: &[u8]) -> bool {
        let fields = |start| record.code(start);
        self.ring
            .verify(self.catalog_bytes(), R::TABLE, code, fields)
    }
}

/// One row of a table, whose last selected column is its code.
pub(super) trait Record: Sized {
    /// The table. Part of the code, so that no row passes in another table.
    const TABLE: &'static str;

    /// What is selected of a row.
    const COLUMNS: &'static str;

    /// The columns of the table's primary key.
    const KEY: &'static [&'static str];

    /// Reads the columns.
    fn read(row: &Row<'_>) -> rusqlite::Result<Self>;

    /// What to call a row that cannot be trusted, from its key columns as they are.
    fn name(row: &Row<'_>) -> String;

    /// Adds every column but the code, in a fixed order.
    fn code(&self, code: RowCode) -> RowCode;
}

/// The row that `row` holds, if its code is right.
pub(super) fn check<R: Record>(keys: &Keys, row: &Row<'_>) -> Result<R, CatalogError> {
    let not_authentic = || CatalogError::NotAuthentic { row: R::name(row) };
    let read = R::read(row).and_then(|record| {
        let code: Vec<u8> = row.get("code")?;
        Ok((record, code))
    });
    match read {
        Ok((record, code)) if keys.verify(&record, &code) => Ok(record),
        Ok(_) => Err(not_authentic()),
        Err(error) if is_unreadable(&error) => Err(not_authentic()),
        Err(error) => Err(failed(error)),
    }
}

/// All rows that `sql` finds.
pub(super) fn all<R: Record>(
    connection: &rusqlite::Connection,
    keys: &Keys,
    sql: &str,
    params: impl Params,
) -> Result<Vec<R>, CatalogError> {
    let mut found = Vec::new();
    each(connection, keys, sql, params, |row| {
        found.push(row);
        Ok(())
    })?;
    Ok(found)
}

/// Gives all rows that `sql` finds to `function`, one at a time.
pub(super) fn each<R: Record>(
    connection: &rusqlite::Connection,
    keys: &Keys,
    sql: &str,
    params: impl Params,
    mut function: impl FnMut(R) -> Result<(), CatalogError>,
) -> Result<(), CatalogError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(params).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        function(check(keys, row)?)?;
    }
    Ok(())
}

/// All rows of a table, with no word about whether they are genuine; what cannot even be read is only
/// named.
pub(super) fn unchecked<R: Record>(
    connection: &rusqlite::Connection,
) -> Result<Vec<Result<R, String>>, CatalogError> {
    let sql = format!(
        "SELECT {} FROM {} ORDER BY {}",
        R::COLUMNS,
        R::TABLE,
        R::KEY.join(", ")
    );
    let mut statement = connection.prepare(&sql).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(match R::read(row) {
            Ok(record) => Ok(record),
            Err(error) if is_unreadable(&error) => Err(R::name(row)),
            Err(error) => return Err(failed(error)),
        });
    }
    Ok(found)
}

/// The only row that `sql` finds.
pub(super) fn one<R: Record>(
    connection: &rusqlite::Connection,
    keys: &Keys,
    sql: &str,
    params: impl Params,
) -> Result<Option<R>, CatalogError> {
    Ok(all(connection, keys, sql, params)?.pop())
}

/// Runs a statement that gives no rows. Says how many rows it changed.
pub(super) fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, CatalogError> {
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(params))
        .map_err(failed)
}

/// A column of a row that may hold anything, safe to print.
pub(super) fn shown(row: &Row<'_>, column: &str) -> String {
    match row.get_ref(column) {
        Ok(value) => match value.as_bytes_or_null() {
            Ok(Some(bytes)) => String::from_utf8_lossy(bytes).escape_debug().to_string(),
            _ => "?".to_owned(),
        },
        Err(_) => "?".to_owned(),
    }
}

/// An id as it lies in a row.
pub(super) fn uuid(row: &Row<'_>, column: &str) -> rusqlite::Result<Uuid> {
    let bytes: Vec<u8> = row.get(column)?;
    Uuid::from_slice(&bytes).map_err(|_| unreadable(Type::Blob))
}

/// A time as it lies in a row.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(row.get(column)?).map_err(|_| unreadable(Type::Integer))
}

/// A count, which is never negative.
pub(super) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| unreadable(Type::Integer))
}

/// A word that `from_name` knows.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: &str,
    from_name: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    from_name(&word).ok_or_else(|| unreadable(Type::Text))
}

/// The error for a column that holds something else than it should.
pub(super) fn unreadable(kind: Type) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(FromSqlError::InvalidType))
}

/// A number as a column keeps it.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A yes or no, kept as 1 or 0.
pub(super) fn flag(row: &Row<'_>, column: &str) -> rusqlite::Result<bool> {
    match row.get::<_, i64>(column)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(unreadable(Type::Integer)),
    }
}
