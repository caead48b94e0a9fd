//! The audit trail.
//!
//! Records are numbered without gaps, and the row of the store says how far. So a record that was
//! taken out is missed, in the middle as well as at the end.

use portolan_secret::RowCode;
use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::failure::failed;
use super::record::{self, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::{
    AuditEntry, AuditFilter, AuditId, AuditObject, AuditOutcome, AuditRecord, ObjectKind,
};

const COLUMNS: &str = "id, time, principal, on_behalf_of, client_address, request_id, action, \
     object_kind, object_name, statement, outcome, sqlstate, detail, code";

impl Record for AuditEntry {
    const TABLE: &'static str = "audit";
    const COLUMNS: &'static str = COLUMNS;
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let object = match row.get::<_, Option<String>>("object_kind")? {
            Some(_) => Some(AuditObject {
                kind: record::word(row, "object_kind", ObjectKind::from_name)?,
                name: row.get("object_name")?,
            }),
            None => None,
        };
        let outcome: String = row.get("outcome")?;
        Ok(Self {
            id: AuditId(record::count(row, "id")?),
            record: AuditRecord {
                time: record::time(row, "time")?,
                principal: row.get("principal")?,
                on_behalf_of: row.get("on_behalf_of")?,
                client_address: row.get("client_address")?,
                request_id: row.get("request_id")?,
                action: row.get("action")?,
                object,
                statement: row.get("statement")?,
                outcome: AuditOutcome::from_parts(&outcome, row.get("sqlstate")?)
                    .ok_or_else(|| record::unreadable(Type::Text))?,
                detail: row.get("detail")?,
            },
        })
    }

    fn name(row: &Row<'_>) -> String {
        called(row.get("id").unwrap_or_default())
    }

    fn code(&self, code: RowCode) -> RowCode {
        let record = &self.record;
        let object = record.object.as_ref();
        code.integer(record::stored(self.id.0))
            .integer(record.time.as_microsecond())
            .text(&record.principal)
            .optional_text(record.on_behalf_of.as_deref())
            .optional_text(record.client_address.as_deref())
            .optional_text(record.request_id.as_deref())
            .text(&record.action)
            .optional_text(object.map(|object| object.kind.as_str()))
            .optional_text(object.map(|object| object.name.as_str()))
            .optional_text(record.statement.as_deref())
            .text(record.outcome.as_str())
            .optional_text(record.outcome.sqlstate())
            .optional_text(record.detail.as_deref())
    }
}

fn called(id: i64) -> String {
    format!("audit record {id}")
}

fn not_authentic(id: i64) -> CatalogError {
    CatalogError::NotAuthentic { row: called(id) }
}

impl Transaction<'_> {
    pub(super) fn page_of_audit(
        &self,
        filter: &AuditFilter,
        after: Option<AuditId>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, CatalogError> {
        let after = after.map_or(0, |id| id.0);
        let since = filter.since.map_or(i64::MIN, |time| time.as_microsecond());
        let from = record::stored(after);
        let most = record::stored(limit as u64);
        let entries: Vec<AuditEntry> = match &filter.object {
            Some(object) => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM audit WHERE object_kind = ?1 AND object_name = ?2 \
                     AND id > ?3 AND time >= ?4 ORDER BY id LIMIT ?5"
                );
                let values = params![object.kind.as_str(), object.name, from, since, most];
                record::all(self.connection, &self.keys, &sql, values)?
            }
            None => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM audit \
                     WHERE id > ?1 AND time >= ?2 ORDER BY id LIMIT ?3"
                );
                record::all(
                    self.connection,
                    &self.keys,
                    &sql,
                    params![from, since, most],
                )?
            }
        };
        let head = self.store()?.audit_head;
        let seen = match entries.last() {
            Some(last) if entries.len() >= limit => last.id.0,
            _ if limit == 0 => after,
            _ => head,
        };
        self.nothing_is_missing(after, seen, head)?;
        Ok(entries)
    }

    /// Whether there is a record for every number in `(after, seen]` and none past `head`.
    fn nothing_is_missing(&self, after: u64, seen: u64, head: u64) -> Result<(), CatalogError> {
        let there: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM audit WHERE id > ?1 AND id <= ?2")
            .and_then(|mut statement| {
                statement.query_row([record::stored(after), record::stored(seen)], |row| {
                    row.get(0)
                })
            })
            .map_err(failed)?;
        if there != record::stored(seen.saturating_sub(after)) || seen > head {
            return Err(CatalogError::AuditIncomplete { after, seen });
        }
        Ok(())
    }

    /// Reads the whole trail, from the first record to the one that the row of the store calls the
    /// last. Gives their number.
    pub(super) fn check_trail(&self) -> Result<u64, CatalogError> {
        let head = self.store()?.audit_head;
        let mut last = 0;
        self.check_rows(|entry: AuditEntry| {
            let AuditId(seen) = entry.id;
            if seen > head {
                return Err(not_authentic(record::stored(seen)));
            }
            if seen != last + 1 {
                return Err(CatalogError::AuditIncomplete { after: last, seen });
            }
            last = seen;
            Ok(())
        })?;
        if last != head {
            return Err(CatalogError::AuditIncomplete {
                after: last,
                seen: head,
            });
        }
        Ok(last)
    }

    /// Whether the numbers from `next` on are free. A record that stands there was given its number by
    /// somebody else, or the row of the store, which says how far the trail goes, was put back.
    fn nothing_stands_from(&self, next: AuditId) -> Result<(), CatalogError> {
        let first: Option<i64> = self
            .connection
            .prepare_cached("SELECT min(id) FROM audit WHERE id >= ?1")
            .and_then(|mut statement| {
                statement.query_row([record::stored(next.0)], |row| row.get(0))
            })
            .map_err(failed)?;
        match first {
            Some(id) => Err(not_authentic(id)),
            None => Ok(()),
        }
    }

    pub(super) fn add_audit(&mut self, record: &AuditRecord) -> Result<AuditId, CatalogError> {
        let entry = AuditEntry {
            id: AuditId(self.next_audit_id()?),
            record: record.clone(),
        };
        self.nothing_stands_from(entry.id)?;
        let code = self.keys.code_of(&entry);
        let object = record.object.as_ref();
        let sql = format!(
            "INSERT INTO audit ({COLUMNS}) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        );
        self.run_unrevised(
            &sql,
            params![
                record::stored(entry.id.0),
                record.time.as_microsecond(),
                record.principal,
                record.on_behalf_of,
                record.client_address,
                record.request_id,
                record.action,
                object.map(|object| object.kind.as_str()),
                object.map(|object| object.name.as_str()),
                record.statement,
                record.outcome.as_str(),
                record.outcome.sqlstate(),
                record.detail,
                code,
            ],
        )?;
        Ok(entry.id)
    }
}
