//! The one row about the store itself: which catalog it is, and how far its counters have come.

use portolan_secret::RowCode;
use rusqlite::{Row, params};

use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::CatalogId;

/// What the store says about itself.
#[derive(Debug, Clone)]
pub(super) struct StoreRow {
    pub(super) catalog: CatalogId,
    /// When it was made, in microseconds since 1970.
    pub(super) created: i64,
    pub(super) revision: u64,
    /// The number of the last audit record.
    pub(super) audit_head: u64,
}

impl Record for StoreRow {
    const TABLE: &'static str = "store";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            catalog: CatalogId(record::uuid(row, "catalog")?),
            created: row.get("created")?,
            revision: record::count(row, "revision")?,
            audit_head: record::count(row, "audit_head")?,
        })
    }

    fn name(_: &Row<'_>) -> String {
        "the store itself".to_owned()
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.bytes(self.catalog.0.as_bytes())
            .integer(self.created)
            .integer(record::stored(self.revision))
            .integer(record::stored(self.audit_head))
    }
}

impl Transaction<'_> {
    /// The row as this transaction sees it.
    pub(super) fn store(&self) -> Result<StoreRow, CatalogError> {
        record::one(
            self.connection,
            self.keys,
            "SELECT catalog, created, revision, audit_head, code FROM store",
            [],
        )?
        .ok_or(CatalogError::Damaged)
    }

    /// Takes the next number of the audit trail.
    pub(super) fn next_audit_id(&mut self) -> Result<u64, CatalogError> {
        let mut store = self.store()?;
        store.audit_head += 1;
        self.write_store(&store)?;
        Ok(store.audit_head)
    }

    /// Counts one more revision. Gives it.
    pub(super) fn next_revision(&mut self) -> Result<u64, CatalogError> {
        let mut store = self.store()?;
        store.revision += 1;
        self.write_store(&store)?;
        Ok(store.revision)
    }

    pub(super) fn write_store(&mut self, store: &StoreRow) -> Result<(), CatalogError> {
        let code = self.keys.code_of(store);
        self.run_unrevised(
            "INSERT OR REPLACE INTO store (one, catalog, created, revision, audit_head, code) \
             VALUES (1, ?1, ?2, ?3, ?4, ?5)",
            params![
                store.catalog.0.as_bytes(),
                store.created,
                record::stored(store.revision),
                record::stored(store.audit_head),
                code,
            ],
        )?;
        Ok(())
    }
}
