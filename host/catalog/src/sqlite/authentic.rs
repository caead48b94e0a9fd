//! Whether everything in the file is what a catalog wrote: every row of every table, everything that is
//! sealed, the whole audit trail, and no trigger, view or table besides.
//!
//! Rows are looked at one by one, in the order of their table, so the memory that it takes does not
//! depend on how many there are.

use portolan_secret::KeySlot;

use super::key_slots::OlderKey;
use super::record::{self, Record};
use super::schema;
use super::store::StoreRow;
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::{
    ApprovedProvider, AuditEntry, AuthenticRows, Connection, ConnectionGrant, Membership,
    PrincipalRow, SystemGrant, UserFileSet,
};

/// A table whose rows have codes, and the walk over it, which gives their number.
struct Table {
    name: &'static str,
    check: fn(&Transaction<'_>) -> Result<u64, CatalogError>,
}

const fn coded<R: Record>() -> Table {
    Table {
        name: R::TABLE,
        check: |transaction| transaction.check_rows(|_: R| Ok(())),
    }
}

/// Every table with codes. What is sealed has none, and is opened with the connection that it is of.
const TABLES: [Table; 11] = [
    coded::<StoreRow>(),
    coded::<KeySlot>(),
    coded::<OlderKey>(),
    coded::<PrincipalRow>(),
    coded::<Membership>(),
    coded::<SystemGrant>(),
    Table {
        name: Connection::TABLE,
        check: |transaction| {
            transaction.check_rows(|connection: Connection| {
                transaction.open_secrets(&connection).map(drop)
            })
        },
    },
    coded::<ConnectionGrant>(),
    coded::<ApprovedProvider>(),
    coded::<UserFileSet>(),
    Table {
        name: AuditEntry::TABLE,
        check: |transaction| transaction.check_trail(),
    },
];

impl Transaction<'_> {
    /// How many rows of each table there are, when all of them are authentic.
    pub(super) fn check_everything(&self) -> Result<Vec<AuthenticRows>, CatalogError> {
        // First, because whatever else is in the file may say which rows there are.
        schema::check_objects(self.connection)?;
        TABLES
            .iter()
            .map(|table| {
                Ok(AuthenticRows {
                    table: table.name,
                    rows: (table.check)(self)?,
                })
            })
            .collect()
    }

    /// Gives every row of a table to `function`, in the order of its key. Gives their number.
    pub(super) fn check_rows<R: Record>(
        &self,
        mut function: impl FnMut(R) -> Result<(), CatalogError>,
    ) -> Result<u64, CatalogError> {
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {}",
            R::COLUMNS,
            R::TABLE,
            R::KEY.join(", ")
        );
        let mut rows = 0;
        record::each(self.connection, &self.keys, &sql, [], |row| {
            rows += 1;
            function(row)
        })?;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_that_has_a_code_is_looked_at() {
        let looked_at = TABLES.iter().map(|table| table.name.to_owned());
        assert_eq!(schema::tables_with("code"), looked_at.collect());
    }
}
