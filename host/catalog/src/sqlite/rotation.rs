//! Bringing rows from an older generation of the store's key to the newest, so many at a time.
//!
//! Everything that is written is written under the newest key, by every process. So rows under an
//! older one only become fewer, and a walk over each table in the order of its key meets all of them.
//! A walk that was broken off is begun again from the start, where it finds nothing to do.

use portolan_secret::RowIdentity;
use rusqlite::types::{ToSqlOutput, Type, Value, ValueRef};
use rusqlite::{Row, ToSql, params_from_iter};

use super::failure::{failed, is_unreadable};
use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::key_slot::KeyColumn;
use crate::model::{
    ApprovedProvider, AuditEntry, Connection, ConnectionGrant, Membership, PrincipalRow,
    RotationPlace, RotationStep, SystemGrant, UserFileSet,
};

type Walk = fn(&mut Transaction<'_>, &[KeyColumn], usize) -> Result<Walked, CatalogError>;

/// A table whose rows lie under the store's key.
struct Table {
    name: &'static str,
    /// The column that says under which generation.
    marked: &'static str,
    walk: Walk,
}

const fn coded<R: Record>() -> Table {
    Table {
        name: R::TABLE,
        marked: "code",
        walk: |transaction, after, limit| transaction.code_again::<R>(after, limit),
    }
}

/// Every table of the schema but those that a change of the key writes whole: the store's own row, the
/// slots, and the older keys.
const TABLES: [Table; 9] = [
    coded::<Connection>(),
    Table {
        name: "sealed",
        marked: "row_key",
        walk: |transaction, after, limit| transaction.wrap_again(after, limit),
    },
    coded::<ConnectionGrant>(),
    coded::<SystemGrant>(),
    coded::<PrincipalRow>(),
    coded::<Membership>(),
    coded::<ApprovedProvider>(),
    coded::<UserFileSet>(),
    coded::<AuditEntry>(),
];

/// Where the mark of a row's generation is.
struct Marked {
    table: &'static str,
    /// The column that begins with it.
    column: &'static str,
    /// The columns of the primary key.
    key: &'static [&'static str],
}

/// What becomes of the marked column of a row.
struct Renewed {
    /// The key columns of the row.
    place: Vec<KeyColumn>,
    bytes: Vec<u8>,
}

/// What a walk over a stretch of a table did.
struct Walked {
    rows: u64,
    /// The key columns of the last row. None at the end of the table.
    last: Option<Vec<KeyColumn>>,
}

/// Rows that the generation whose mark is `?1` did not write. A code without a mark is shorter than
/// one with a mark, and what is sealed without one begins with another byte.
fn older(column: &str) -> String {
    format!("NOT (length({column}) <> 32 AND substr({column}, 1, 4) = ?1)")
}

impl Transaction<'_> {
    pub(super) fn rotate_some(
        &mut self,
        after: Option<&RotationPlace>,
        limit: usize,
    ) -> Result<RotationStep, CatalogError> {
        if !self.find_key_state()?.is_rotating() {
            return Ok(RotationStep {
                rows: 0,
                next: None,
            });
        }
        let (mut table, mut from) = match after {
            Some(place) => (place.table, place.after.as_slice()),
            None => (0, &[][..]),
        };
        while let Some(found) = TABLES.get(table) {
            let walked = (found.walk)(self, from, limit)?;
            if walked.rows > 0 || walked.last.is_some() {
                let next = match walked.last {
                    Some(after) => RotationPlace { table, after },
                    None => RotationPlace {
                        table: table + 1,
                        after: Vec::new(),
                    },
                };
                return Ok(RotationStep {
                    rows: walked.rows,
                    next: Some(next),
                });
            }
            table += 1;
            from = &[];
        }
        Ok(RotationStep {
            rows: 0,
            next: None,
        })
    }

    /// A table in which a row lies under an older key, if there is one.
    pub(super) fn table_in_need(&self) -> Result<Option<&'static str>, CatalogError> {
        let mark = self.keys.ring.mark();
        for table in &TABLES {
            let sql = format!("SELECT 1 FROM {} WHERE {}", table.name, older(table.marked));
            if self.exists(&sql, [&mark])? {
                return Ok(Some(table.name));
            }
        }
        Ok(None)
    }

    /// Gives rows of a table their code under the newest key. A row whose code is not right under the
    /// older one is left, and ends the walk: a new code would make it right.
    fn code_again<R: Record>(
        &mut self,
        after: &[KeyColumn],
        limit: usize,
    ) -> Result<Walked, CatalogError> {
        let marked = Marked {
            table: R::TABLE,
            column: "code",
            key: R::KEY,
        };
        let found = self.stretch(&marked, R::COLUMNS, after, limit, |keys, row| {
            record::check::<R>(keys, row).map(|record| keys.code_of(&record))
        })?;
        self.write_stretch(&marked, found, limit)
    }

    /// Wraps the keys of rows under the newest key. What they seal stays as it is.
    fn wrap_again(&mut self, after: &[KeyColumn], limit: usize) -> Result<Walked, CatalogError> {
        const COLUMNS: &str = "connection, row_key, \
             (SELECT version FROM connections WHERE id = connection) AS version, \
             (SELECT name FROM connections WHERE id = connection) AS name";
        let marked = Marked {
            table: "sealed",
            column: "row_key",
            key: &["connection"],
        };
        let found = self.stretch(&marked, COLUMNS, after, limit, |keys, row| {
            let again = || {
                let identity = RowIdentity {
                    catalog: *keys.catalog_bytes(),
                    row: *record::uuid(row, "connection")?.as_bytes(),
                    version: record::count(row, "version")?,
                };
                let wrapped: Vec<u8> = row.get("row_key")?;
                keys.ring
                    .wrap_again(identity, &wrapped)
                    .map_err(|_| record::unreadable(Type::Blob))
            };
            again().map_err(|error| match is_unreadable(&error) {
                true => CatalogError::NotAuthentic {
                    row: format!(
                        "what is sealed of external connection {}",
                        record::shown(row, "name")
                    ),
                },
                false => failed(error),
            })
        })?;
        self.write_stretch(&marked, found, limit)
    }

    /// The next rows under an older key, and what `again` makes of each.
    fn stretch(
        &self,
        marked: &Marked,
        columns: &str,
        after: &[KeyColumn],
        limit: usize,
        mut again: impl FnMut(&record::Keys, &Row<'_>) -> Result<Vec<u8>, CatalogError>,
    ) -> Result<Vec<Renewed>, CatalogError> {
        let Marked { table, column, key } = marked;
        let names = key.join(", ");
        let mut values = vec![KeyColumn::Bytes(self.keys.ring.mark())];
        let mut from = String::new();
        if !after.is_empty() {
            from = format!("({names}) > ({}) AND ", places(key));
            values.extend_from_slice(after);
        }
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE {from}{} ORDER BY {names} LIMIT {limit}",
            older(column)
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let bytes = again(&self.keys, row)?;
            let place = key.iter().map(|name| KeyColumn::read(row, name));
            let place = place.collect::<rusqlite::Result<_>>().map_err(failed)?;
            found.push(Renewed { place, bytes });
        }
        Ok(found)
    }

    fn write_stretch(
        &mut self,
        marked: &Marked,
        found: Vec<Renewed>,
        limit: usize,
    ) -> Result<Walked, CatalogError> {
        let Marked { table, column, key } = marked;
        let sql = format!(
            "UPDATE {table} SET {column} = ?1 WHERE ({}) = ({})",
            key.join(", "),
            places(key)
        );
        let rows = found.len();
        let mut last = None;
        for Renewed { place, bytes } in found {
            let mut values = vec![KeyColumn::Bytes(bytes)];
            values.extend_from_slice(&place);
            self.run_unrevised(&sql, params_from_iter(values))?;
            last = Some(place);
        }
        Ok(Walked {
            rows: rows as u64,
            last: last.filter(|_| rows == limit),
        })
    }
}

/// The parameters for key columns, from the second on.
fn places(key: &[&str]) -> String {
    let places: Vec<String> = (2..key.len() + 2).map(|it| format!("?{it}")).collect();
    places.join(", ")
}

impl KeyColumn {
    fn read(row: &Row<'_>, name: &str) -> rusqlite::Result<Self> {
        match row.get::<_, Value>(name)? {
            Value::Integer(number) => Ok(Self::Integer(number)),
            Value::Text(text) => Ok(Self::Text(text)),
            Value::Blob(bytes) => Ok(Self::Bytes(bytes)),
            _ => Err(record::unreadable(Type::Null)),
        }
    }
}

impl ToSql for KeyColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sqlite::schema;

    #[test]
    fn the_walk_meets_every_table_that_has_a_code_or_a_key() {
        let coded = schema::tables_with("code");
        let there: BTreeSet<_> = &coded | &schema::tables_with("row_key");
        let walked = TABLES.iter().map(|table| table.name);
        let whole = ["store", "key_slots", "store_keys"];
        let known: BTreeSet<String> = walked.chain(whole).map(str::to_owned).collect();
        assert_eq!(there, known);
    }
}
