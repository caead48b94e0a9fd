//! The one row about the store itself: which catalog it is, and how far its counters have come.

use portolan_secret::RowCode;
use rusqlite::{Row, params};

use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::CatalogId;

const COLUMNS: &str = "catalog, created, revision, audit_head, generation, oldest, last_slot, code";

/// What the store says about itself.
#[derive(Debug, Clone)]
pub(super) struct StoreRow {
    pub(super) catalog: CatalogId,
    /// When it was made, in microseconds since 1970.
    pub(super) created: i64,
    pub(super) revision: u64,
    /// The number of the last audit record.
    pub(super) audit_head: u64,
    /// The generation of the store's key that everything is written under, from 1.
    pub(super) generation: u32,
    /// The oldest generation that anything may still lie under.
    pub(super) oldest: u32,
    /// The highest number that a key slot ever had.
    pub(super) last_slot: u32,
}

impl Record for StoreRow {
    const TABLE: &'static str = "store";
    const COLUMNS: &'static str = COLUMNS;
    const KEY: &'static [&'static str] = &["one"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            catalog: CatalogId(record::uuid(row, "catalog")?),
            created: row.get("created")?,
            revision: record::count(row, "revision")?,
            audit_head: record::count(row, "audit_head")?,
            generation: row.get("generation")?,
            oldest: row.get("oldest")?,
            last_slot: row.get("last_slot")?,
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
            .integer(self.generation.into())
            .integer(self.oldest.into())
            .integer(self.last_slot.into())
    }
}

/// The row as stores of the second version have it, and before: without what came with the third.
#[derive(Debug)]
pub(super) struct EarlierStoreRow(pub(super) StoreRow);

impl Record for EarlierStoreRow {
    const TABLE: &'static str = "store";
    const COLUMNS: &'static str = COLUMNS;
    const KEY: &'static [&'static str] = &["one"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        StoreRow::read(row).map(Self)
    }

    fn name(row: &Row<'_>) -> String {
        StoreRow::name(row)
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.bytes(self.0.catalog.0.as_bytes())
            .integer(self.0.created)
            .integer(record::stored(self.0.revision))
            .integer(record::stored(self.0.audit_head))
    }
}

impl Transaction<'_> {
    /// The row as this transaction sees it.
    pub(super) fn store(&self) -> Result<StoreRow, CatalogError> {
        record::one(
            self.connection,
            &self.keys,
            &format!("SELECT {COLUMNS} FROM store"),
            [],
        )?
        .ok_or(CatalogError::Damaged)
    }

    /// The row of a store that was just brought to the third version, read as it was before.
    pub(super) fn earlier_store(&self) -> Result<StoreRow, CatalogError> {
        let sql = format!("SELECT {COLUMNS} FROM store");
        let row: Option<EarlierStoreRow> = record::one(self.connection, &self.keys, &sql, [])?;
        row.map(|row| row.0).ok_or(CatalogError::Damaged)
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
            "INSERT OR REPLACE INTO store \
             (one, catalog, created, revision, audit_head, generation, oldest, last_slot, code) \
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                store.catalog.0.as_bytes(),
                store.created,
                record::stored(store.revision),
                record::stored(store.audit_head),
                store.generation,
                store.oldest,
                store.last_slot,
                code,
            ],
        )?;
        Ok(())
    }
}
