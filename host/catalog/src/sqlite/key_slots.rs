//! Key slots as rows, and the older generations of the store's key.

use std::sync::Arc;

use portolan_secret::{KeyError, KeyRing, KeySlot, RowCode, SlotHead, SlotKind, StoreKey};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::failure::failed;
use super::record::{self, Keys, Record};
use super::transaction::Transaction;
use crate::error::CatalogError;
use crate::model::{self, KeySlotRow, KeyState, NewKeySlot};

const COLUMNS: &str = "id, kind, label, created, parameters, recipient, proof, wrapped, code, (SELECT catalog FROM store) AS catalog";

impl Record for KeySlot {
    const TABLE: &'static str = "key_slots";
    const COLUMNS: &'static str = COLUMNS;
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            head: SlotHead {
                catalog: *record::uuid(row, "catalog")?.as_bytes(),
                id: row.get("id")?,
                kind: SlotKind::from_name(&row.get::<_, String>("kind")?),
                label: row.get("label")?,
                created: row.get("created")?,
                parameters: row.get("parameters")?,
            },
            recipient: row.get("recipient")?,
            proof: row.get("proof")?,
            wrapped: row.get("wrapped")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        let id: i64 = row.get("id").unwrap_or_default();
        format!("key slot {id} ({})", record::shown(row, "kind"))
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.integer(self.head.id.into())
            .text(self.head.kind.as_str())
            .text(&self.head.label)
            .integer(self.head.created)
            .text(&self.head.parameters)
            .bytes(&self.recipient)
            .bytes(&self.proof)
            .bytes(&self.wrapped)
    }
}

/// The row without what it holds.
fn readable(slot: &KeySlot) -> rusqlite::Result<KeySlotRow> {
    let created = jiff::Timestamp::from_microsecond(slot.head.created)
        .map_err(|_| record::unreadable(Type::Integer))?;
    Ok(KeySlotRow {
        id: slot.head.id,
        kind: slot.head.kind.clone(),
        label: slot.head.label.clone(),
        created,
        parameters: slot.head.parameters.clone(),
    })
}

/// An older generation of the store's key.
pub(super) struct OlderKey {
    generation: u32,
    sealed: Vec<u8>,
}

impl Record for OlderKey {
    const TABLE: &'static str = "store_keys";
    const COLUMNS: &'static str = "generation, sealed, code";
    const KEY: &'static [&'static str] = &["generation"];

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            generation: row.get("generation")?,
            sealed: row.get("sealed")?,
        })
    }

    fn name(row: &Row<'_>) -> String {
        let generation: i64 = row.get("generation").unwrap_or_default();
        format!("generation {generation} of the store's key")
    }

    fn code(&self, code: RowCode) -> RowCode {
        code.integer(self.generation.into()).bytes(&self.sealed)
    }
}

/// Every slot as it lies there. Nothing about it is checked: that takes the store's key.
pub(super) fn unchecked_slots(connection: &Connection) -> rusqlite::Result<Vec<KeySlot>> {
    let sql = format!("SELECT {COLUMNS} FROM key_slots ORDER BY id");
    let mut statement = connection.prepare_cached(&sql)?;
    let slots = statement.query_map([], KeySlot::read)?;
    slots.collect()
}

/// The oldest generation in use and the newest, as they lie there.
pub(super) fn unchecked_generations(connection: &Connection) -> rusqlite::Result<(u32, u32)> {
    let mut statement = connection.prepare_cached("SELECT oldest, generation FROM store")?;
    statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The ring around the newest key, with the older generations that are in use.
pub(super) fn ring(
    connection: &Connection,
    catalog: &[u8; 16],
    generation: u32,
    key: StoreKey,
) -> Result<KeyRing, CatalogError> {
    let mut ring = KeyRing::new(generation, key);
    let older: Vec<OlderKey> = {
        let mut statement = connection
            .prepare_cached("SELECT generation, sealed, code FROM store_keys")
            .map_err(failed)?;
        let rows = statement.query_map([], OlderKey::read).map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)?
    };
    for older in older {
        if !ring.add_older(catalog, older.generation, &older.sealed) {
            return Err(CatalogError::NotAuthentic {
                row: format!("generation {} of the store's key", older.generation),
            });
        }
    }
    Ok(ring)
}

/// An error that can only mean that the system gives no random bytes.
fn unwrappable(slots: &str) -> impl Fn(KeyError) -> CatalogError + '_ {
    move |source| CatalogError::Key {
        slots: slots.to_owned(),
        others: String::new(),
        source,
    }
}

impl Transaction<'_> {
    fn slots(&self) -> Result<Vec<KeySlot>, CatalogError> {
        let sql = format!("SELECT {COLUMNS} FROM key_slots ORDER BY id");
        record::all(self.connection, &self.keys, &sql, [])
    }

    pub(super) fn all_key_slots(&self) -> Result<Vec<KeySlotRow>, CatalogError> {
        let slots = self.slots()?;
        slots
            .iter()
            .map(|slot| readable(slot).map_err(failed))
            .collect()
    }

    pub(super) fn find_key_state(&self) -> Result<KeyState, CatalogError> {
        let store = self.store()?;
        // Each is checked, so that a change that stopped can be told from one that was made up.
        record::all::<OlderKey>(
            self.connection,
            &self.keys,
            "SELECT generation, sealed, code FROM store_keys",
            [],
        )?;
        Ok(KeyState {
            generation: store.generation,
            oldest: store.oldest,
            slot: self.keys.slot,
        })
    }

    pub(super) fn add_key_slot(&mut self, new: &NewKeySlot) -> Result<KeySlotRow, CatalogError> {
        if let Some(same) = self.slots()?.iter().find(|slot| slot.is_for(&new.key)) {
            return Err(CatalogError::KeySlotExists {
                slot: same.head.to_string(),
            });
        }
        let mut store = self.store()?;
        store.last_slot += 1;
        self.write_store(&store)?;
        let head = SlotHead {
            catalog: *self.keys.catalog_bytes(),
            id: store.last_slot,
            kind: new.kind.clone(),
            label: new.label.clone(),
            created: model::now().as_microsecond(),
            parameters: new.parameters.clone(),
        };
        let name = head.to_string();
        let ring = &self.keys.ring;
        let slot = KeySlot::new(head, &new.key, ring.key(), ring.generation())
            .map_err(unwrappable(&name))?;
        self.write_key_slot(&slot)?;
        readable(&slot).map_err(failed)
    }

    /// Writes a slot, over what was there.
    pub(super) fn write_key_slot(&mut self, slot: &KeySlot) -> Result<(), CatalogError> {
        let code = self.keys.code_of(slot);
        self.run(
            "INSERT OR REPLACE INTO key_slots \
             (id, kind, label, created, parameters, recipient, proof, wrapped, code) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                slot.head.id,
                slot.head.kind.as_str(),
                slot.head.label,
                slot.head.created,
                slot.head.parameters,
                slot.recipient,
                slot.proof,
                slot.wrapped,
                code,
            ],
        )?;
        Ok(())
    }

    /// Removes a slot, also one that is not authentic: that is the way out of it.
    pub(super) fn remove_key_slot(&mut self, id: u32) -> Result<bool, CatalogError> {
        if !self.exists("SELECT 1 FROM key_slots WHERE id = ?1", [id])? {
            return Ok(false);
        }
        if id == self.keys.slot {
            // It stays, so the others may be counted whatever they are.
            let others = self.exists("SELECT 1 FROM key_slots WHERE id <> ?1", [id])?;
            return Err(match others {
                true => CatalogError::KeySlotInUse { slot: id },
                false => CatalogError::LastKeySlot { slot: id },
            });
        }
        self.slot_is_there()?;
        self.run("DELETE FROM key_slots WHERE id = ?1", [id])?;
        self.leaves_sealed_bytes();
        Ok(true)
    }

    /// The slot that opened the store is still there and as it was. Somebody else may have removed it
    /// meanwhile, and would then have to rely on the one that is removed here.
    fn slot_is_there(&self) -> Result<(), CatalogError> {
        let id = self.keys.slot;
        let sql = format!("SELECT {COLUMNS} FROM key_slots WHERE id = ?1");
        let slot: Option<KeySlot> = record::one(self.connection, &self.keys, &sql, [id])?;
        match slot {
            Some(_) => Ok(()),
            None => Err(CatalogError::Key {
                slots: format!("key slot {id}"),
                others: String::new(),
                source: KeyError::Removed,
            }),
        }
    }

    /// Makes a newer store key, puts it into every slot, and seals the older ones under it.
    pub(super) fn begin_rotation(&mut self) -> Result<KeyState, CatalogError> {
        self.slot_is_there()?;
        let mut store = self.store()?;
        let slots = self.slots()?;
        let any = unwrappable("a key slot");
        let old = Arc::clone(&self.keys);
        let catalog = *old.catalog_bytes();
        let ring = old.ring.with_newer(StoreKey::generate().map_err(&any)?);
        let from = (old.ring.key(), old.ring.generation());
        let refilled = slots
            .iter()
            .map(|slot| {
                slot.refill(from, (ring.key(), ring.generation()))
                    .map_err(&any)?
                    .ok_or_else(|| CatalogError::NotAuthentic {
                        row: slot.head.to_string(),
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let older = ring.sealed_older(&catalog).map_err(&any)?;
        store.generation = ring.generation();
        self.keys = Arc::new(Keys {
            catalog: old.catalog,
            ring,
            slot: old.slot,
        });
        self.write_store(&store)?;
        for slot in &refilled {
            self.write_key_slot(slot)?;
        }
        for (generation, sealed) in older {
            let older = OlderKey { generation, sealed };
            let code = self.keys.code_of(&older);
            self.run(
                "INSERT OR REPLACE INTO store_keys (generation, sealed, code) VALUES (?1, ?2, ?3)",
                params![older.generation, older.sealed, code],
            )?;
        }
        self.leaves_sealed_bytes();
        self.find_key_state()
    }

    /// Forgets the older generations, unless anything still lies under one of them.
    pub(super) fn end_rotation(&mut self) -> Result<KeyState, CatalogError> {
        let mut store = self.store()?;
        if store.oldest == store.generation {
            return self.find_key_state();
        }
        if let Some(table) = self.table_in_need()? {
            return Err(CatalogError::KeyInUse {
                generation: store.oldest,
                table,
            });
        }
        store.oldest = store.generation;
        self.run("DELETE FROM store_keys", [])?;
        self.write_store(&store)?;
        self.leaves_sealed_bytes();
        self.find_key_state()
    }
}
