//! The keys of an open store: how they are come by, and how they stay the newest ones.
//!
//! A key that is at hand opens its slot when the store is opened. A key that a service has to unwrap
//! is asked for when a transaction first needs it, once, and outside of any transaction: a service
//! may take seconds, and nobody waits for a lock meanwhile. From then on the slot's key stays in
//! memory, so that a newer store key is found in the slot when another process has made one.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portolan_secret::{
    KeyError, KeyFile, KeyRing, KeySlot, SecretText, SlotKey, SlotKind, StoreKey, Stretching,
    Tried, phrase,
};
use rusqlite::Connection;

use super::failure::{failed, is_unreadable};
use super::key_slots::{ring, unchecked_generations, unchecked_slots};
use super::record::Keys;
use super::transaction::Transaction;
use super::{KeySource, open};
use crate::error::CatalogError;
use crate::model::CatalogId;

/// An opened slot, and the keys that were in it.
#[derive(Clone)]
pub(super) struct Opened {
    key: SlotKey,
    pub(super) keys: Arc<Keys>,
}

/// The keys of an open store.
pub(super) struct Vault {
    pub(super) catalog: CatalogId,
    source: KeySource,
    /// Held while a service is asked, so that it is asked once.
    opened: Mutex<Option<Opened>>,
}

impl Vault {
    /// Opens a slot at once, unless that takes a service.
    pub(super) fn open(connection: &Connection, source: &KeySource) -> Result<Self, CatalogError> {
        let (catalog, slots) = open::locked(connection)?;
        let waits = matches!(source, KeySource::Service { service, .. }
            if slots.iter().any(|slot| is_held(slot, &**service)));
        let opened = match waits {
            true => None,
            false => Some(Self::unlock(connection, source)?),
        };
        Ok(Self {
            catalog,
            source: source.clone(),
            opened: Mutex::new(opened),
        })
    }

    /// Opens a slot, if none was opened yet. `connect` gives a connection outside of a transaction.
    pub(super) fn opened<C: std::ops::Deref<Target = Connection>>(
        &self,
        connect: impl FnOnce() -> Result<C, CatalogError>,
    ) -> Result<Opened, CatalogError> {
        let mut opened = self.lock();
        if let Some(opened) = &*opened {
            return Ok(opened.clone());
        }
        let connection = connect()?;
        let made = Self::unlock(&connection, &self.source)?;
        *opened = Some(made.clone());
        Ok(made)
    }

    /// The keys for the state that a transaction sees, which may have a newer store key in its slot.
    pub(super) fn keys(
        &self,
        opened: Opened,
        connection: &Connection,
    ) -> Result<Arc<Keys>, CatalogError> {
        let generations = unchecked_generations(connection).map_err(failed)?;
        if spans(&opened.keys.ring) == generations {
            return Ok(opened.keys);
        }
        let id = opened.keys.slot;
        let slots = unchecked_slots(connection).map_err(failed)?;
        let Some(slot) = slots.into_iter().find(|slot| slot.head.id == id) else {
            return Err(CatalogError::Key {
                slots: format!("key slot {id}"),
                others: String::new(),
                source: KeyError::Removed,
            });
        };
        let store = match slot.open(&opened.key, generations.1) {
            Tried::Opened(store) => *store,
            Tried::NotItsKey | Tried::NotAuthentic => return Err(not_authentic(&slot)),
        };
        let keys = keys_of(connection, self.catalog, id, generations.1, store)?;
        let mut known = self.lock();
        // A reader that began long ago sees an older state than others do.
        if known
            .as_ref()
            .is_none_or(|known| spans(&known.keys.ring) < spans(&keys.ring))
        {
            *known = Some(Opened {
                key: opened.key,
                keys: Arc::clone(&keys),
            });
        }
        Ok(keys)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a slot with what was given. Never makes a key.
    fn unlock(connection: &Connection, source: &KeySource) -> Result<Opened, CatalogError> {
        // One state for all that is read: another process may be giving the store a newer key, and
        // slots of one generation do not open with the number of another.
        let _state = connection.unchecked_transaction().map_err(failed)?;
        let (catalog, slots) = open::locked(connection)?;
        let (_, generation) = unchecked_generations(connection).map_err(failed)?;
        let (id, key, store) = Unlocking {
            slots: &slots,
            generation,
        }
        .with(source)?;
        let keys = keys_of(connection, catalog, id, generation, store)?;
        Transaction::new(connection, Arc::clone(&keys)).store()?;
        Ok(Opened { key, keys })
    }
}

/// The oldest and the newest generation of a ring.
fn spans(ring: &KeyRing) -> (u32, u32) {
    (ring.oldest(), ring.generation())
}

fn keys_of(
    connection: &Connection,
    catalog: CatalogId,
    slot: u32,
    generation: u32,
    store: StoreKey,
) -> Result<Arc<Keys>, CatalogError> {
    let ring = ring(connection, catalog.0.as_bytes(), generation, store)?;
    Ok(Arc::new(Keys {
        catalog,
        ring,
        slot,
    }))
}

fn not_authentic(slot: &KeySlot) -> CatalogError {
    CatalogError::NotAuthentic {
        row: slot.head.to_string(),
    }
}

fn is_held(slot: &KeySlot, service: &dyn super::KeyService) -> bool {
    slot.head.kind == SlotKind::Kms && service.holds(&slot.head.parameters)
}

/// Slots, and the generation of the store's key that they hold.
struct Unlocking<'a> {
    slots: &'a [KeySlot],
    generation: u32,
}

type Unlocked = (u32, SlotKey, StoreKey);

/// The slots that a person opens.
const WORDS: &[SlotKind] = &[SlotKind::Recovery, SlotKind::Passphrase];

impl Unlocking<'_> {
    fn with(&self, source: &KeySource) -> Result<Unlocked, CatalogError> {
        match source {
            KeySource::Text(_) | KeySource::File(_) => self.with_key(source),
            KeySource::Recovery(phrase) => self.with_phrase(phrase),
            KeySource::Passphrase(passphrase) => self.with_passphrase(passphrase),
            KeySource::Service { service, file } => self.with_service(&**service, file),
        }
    }

    /// How errors call the slots of some kinds.
    fn names(&self, kinds: &[SlotKind]) -> String {
        let named = |wanted: &dyn Fn(&SlotKind) -> bool| {
            let slots = self.slots.iter().filter(|slot| wanted(&slot.head.kind));
            let names: Vec<String> = slots.map(|slot| slot.head.to_string()).collect();
            names.join(" or ")
        };
        let of_kind = named(&|kind| kinds.contains(kind));
        match of_kind.is_empty() {
            true => named(&|_| true),
            false => of_kind,
        }
    }

    /// Whether there is a slot of one of these kinds.
    fn has(&self, kinds: &[SlotKind]) -> bool {
        self.slots
            .iter()
            .any(|slot| kinds.contains(&slot.head.kind))
    }

    /// The slots of none of these kinds.
    fn others(&self, kinds: &[SlotKind]) -> String {
        let others = self
            .slots
            .iter()
            .filter(|slot| !kinds.contains(&slot.head.kind));
        let names: Vec<String> = others.map(|slot| slot.head.to_string()).collect();
        match self.has(kinds) {
            true => names.join(" or "),
            // Then these are the ones that were tried.
            false => String::new(),
        }
    }

    fn fails(&self, kinds: &[SlotKind]) -> impl Fn(KeyError) -> CatalogError {
        let slots = self.names(kinds);
        let others = self.others(kinds);
        move |source| CatalogError::Key {
            slots: slots.clone(),
            others: others.clone(),
            source,
        }
    }

    /// Tries a key on every slot that is `wanted`.
    fn try_on(
        &self,
        key: &SlotKey,
        wanted: impl Fn(&KeySlot) -> bool,
    ) -> Result<Option<Unlocked>, CatalogError> {
        let mut changed = None;
        for slot in self.slots.iter().filter(|slot| wanted(slot)) {
            match slot.open(key, self.generation) {
                Tried::Opened(store) => return Ok(Some((slot.head.id, key.clone(), *store))),
                Tried::NotAuthentic => changed = Some(not_authentic(slot)),
                Tried::NotItsKey => {}
            }
        }
        changed.map_or(Ok(None), Err)
    }

    fn with_key(&self, source: &KeySource) -> Result<Unlocked, CatalogError> {
        let kinds = [SlotKind::KeyFile, SlotKind::Text];
        let fails = self.fails(&kinds);
        let (key, place) = match given(source) {
            // There never was such a file.
            Err(KeyError::Missing { .. }) if self.has(&[SlotKind::Kms]) && !self.has(&kinds) => {
                return Err(self.fails(&[SlotKind::Kms])(KeyError::NoService));
            }
            Err(KeyError::Missing { .. })
                if self.has(&[SlotKind::Text]) && !self.has(&[SlotKind::KeyFile]) =>
            {
                return Err(self.fails(&[SlotKind::Text])(KeyError::NoText));
            }
            Err(KeyError::Missing { .. }) if !self.has(&kinds) && self.has(WORDS) => {
                return Err(self.fails(WORDS)(KeyError::NoWords));
            }
            given => given.map_err(&fails)?,
        };
        self.try_on(&key, |_| true)?.ok_or_else(|| {
            fails(KeyError::OtherKey {
                place,
                slots: self.names(&kinds),
            })
        })
    }

    fn with_phrase(&self, text: &SecretText) -> Result<Unlocked, CatalogError> {
        let kinds = [SlotKind::Recovery];
        let fails = self.fails(&kinds);
        let place = "what was given as recovery phrase";
        let key = phrase::read(text, place).map_err(&fails)?;
        self.try_on(&key, |_| true)?
            .ok_or_else(|| fails(self.nothing_opens("the recovery phrase", &kinds)))
    }

    fn with_passphrase(&self, passphrase: &SecretText) -> Result<Unlocked, CatalogError> {
        let kinds = [SlotKind::Passphrase];
        let asked = self
            .slots
            .iter()
            .filter(|slot| kinds.contains(&slot.head.kind));
        for slot in asked {
            let key = stretched(slot, passphrase)?;
            let id = slot.head.id;
            if let Some(opened) = self.try_on(&key, |slot| slot.head.id == id)? {
                return Ok(opened);
            }
        }
        Err(self.fails(&kinds)(
            self.nothing_opens("the passphrase", &kinds),
        ))
    }

    fn nothing_opens(&self, place: &str, kinds: &[SlotKind]) -> KeyError {
        KeyError::OpensNothing {
            place: place.to_owned(),
            slots: match self.has(kinds) {
                true => format!("would be {}", self.names(kinds)),
                false => "is none".to_owned(),
            },
        }
    }

    fn with_service(
        &self,
        service: &dyn super::KeyService,
        file: &std::path::Path,
    ) -> Result<Unlocked, CatalogError> {
        let mut first = None;
        for slot in self.slots.iter().filter(|slot| is_held(slot, service)) {
            let unwrapped =
                service
                    .unwrap(&slot.head.parameters)
                    .map_err(|source| CatalogError::Key {
                        slots: slot.head.to_string(),
                        others: self.others(&[SlotKind::Kms]),
                        source,
                    });
            let id = slot.head.id;
            let tried = unwrapped.and_then(|key| {
                let opened = self.try_on(&key, |slot| slot.head.id == id)?;
                // The slot itself is as it was: what is not authentic is told by the attempt.
                opened.ok_or_else(|| CatalogError::Key {
                    slots: slot.head.to_string(),
                    others: self.others(&[SlotKind::Kms]),
                    source: another_key(),
                })
            });
            match tried {
                Ok(opened) => return Ok(opened),
                // It would be the same for every other slot, and take as long again.
                Err(error) if is_unreachable(&error) => return Err(error),
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
        match first {
            Some(error) => Err(error),
            // A service that was configured just now, before it has a slot.
            None => self.with_key(&KeySource::File(file.to_owned())),
        }
    }
}

/// A service that answers with a key, and not with the slot's.
fn another_key() -> KeyError {
    KeyError::Service {
        sqlstate: "08P01",
        message: "the key management service gave back another key than the one that it was given"
            .to_owned(),
        hint: Some(
            "Check that [master_key] kms leads to the service that the slot was made with."
                .to_owned(),
        ),
    }
}

/// Whether a service gave no answer at all.
fn is_unreachable(error: &CatalogError) -> bool {
    let CatalogError::Key {
        source: KeyError::Service { sqlstate, .. },
        ..
    } = error
    else {
        return false;
    };
    // An answer that is none is one of a service that was reached.
    *sqlstate == "57014" || sqlstate.starts_with("08") && *sqlstate != "08P01"
}

/// The key that a passphrase stands for in a slot.
fn stretched(slot: &KeySlot, passphrase: &SecretText) -> Result<SlotKey, CatalogError> {
    let how: Stretching =
        serde_json::from_str(&slot.head.parameters).map_err(|_| not_authentic(slot))?;
    how.stretch(passphrase).map_err(|source| CatalogError::Key {
        slots: slot.head.to_string(),
        others: String::new(),
        source,
    })
}

/// The key that was given, and how errors call the place it came from.
pub(super) fn given(source: &KeySource) -> Result<(SlotKey, String), KeyError> {
    match source {
        KeySource::Text(text) => {
            let place = "the master key given as text (PORTOLAN_MASTER_KEY)";
            Ok((SlotKey::from_text(text, place)?, place.to_owned()))
        }
        KeySource::File(path) | KeySource::Service { file: path, .. } => {
            let file = KeyFile::new(path);
            Ok((file.load()?, file.place()))
        }
        KeySource::Recovery(text) => {
            let place = "what was given as recovery phrase";
            Ok((phrase::read(text, place)?, place.to_owned()))
        }
        // What it stands for depends on the slot.
        KeySource::Passphrase(_) => Err(KeyError::OpensNothing {
            place: "the passphrase".to_owned(),
            slots: "is none".to_owned(),
        }),
    }
}

/// The catalog and the slots of a store of the first format, whose slot is opened by what was given.
pub(super) fn open_first_format(
    connection: &Connection,
    source: &KeySource,
) -> Result<(u32, SlotKind, SlotKey, StoreKey), CatalogError> {
    let read = || {
        let catalog = connection.query_row("SELECT catalog FROM store", [], |row| {
            super::record::uuid(row, "catalog")
        })?;
        let mut statement =
            connection.prepare("SELECT id, kind, wrapped FROM key_slots ORDER BY id")?;
        let slots = statement
            .query_map([], |row| {
                let kind: String = row.get("kind")?;
                Ok((row.get("id")?, kind, row.get("wrapped")?))
            })?
            .collect::<rusqlite::Result<Vec<(u32, String, Vec<u8>)>>>()?;
        Ok((catalog, slots))
    };
    let (catalog, slots) = match read() {
        Ok((_, slots)) if slots.is_empty() => return Err(CatalogError::Damaged),
        Ok(found) => found,
        Err(rusqlite::Error::QueryReturnedNoRows) => return Err(CatalogError::Damaged),
        Err(error) if is_unreadable(&error) => return Err(CatalogError::Damaged),
        Err(error) => return Err(failed(error)),
    };
    let names: Vec<String> = slots
        .iter()
        .map(|(id, kind, _)| format!("key slot {id} ({kind})"))
        .collect();
    let names = names.join(" or ");
    let fails = |source| CatalogError::Key {
        slots: names.clone(),
        others: String::new(),
        source,
    };
    let (key, place) = given(source).map_err(fails)?;
    for (id, kind, wrapped) in slots {
        let kind = SlotKind::from_name(&kind);
        let opened = portolan_secret::slots::open_first_format(
            catalog.as_bytes(),
            id,
            &kind,
            &wrapped,
            &key,
        );
        if let Some(store) = opened {
            return Ok((id, kind, key, store));
        }
    }
    Err(fails(KeyError::OtherKey {
        place,
        slots: names.clone(),
    }))
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Vault")
            .field("catalog", &self.catalog)
            .finish_non_exhaustive()
    }
}
