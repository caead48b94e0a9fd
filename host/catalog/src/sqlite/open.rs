//! Opening a store: its files, its key, and making it when there is none.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use portolan_secret::{KeyError, KeyFile, KeySlot, SlotKey, SlotKind, StoreKey};
use rusqlite::{Connection, params};

use super::failure::failed;
use super::pool::{BUSY_TIMEOUT, connect};
use super::record::{self, Keys};
use super::schema::{self, Content};
use super::store::StoreRow;
use super::transaction::Transaction;
use super::{KeySource, SqliteOptions};
use crate::access::Writer as _;
use crate::error::CatalogError;
use crate::model::principal::{ADMIN, ROOT};
use crate::model::{self, CatalogId, Membership, PrincipalKind, PrincipalRow};

/// The number of the slot that a new store gets.
const FIRST_SLOT: u32 = 1;

pub(super) fn open(options: &SqliteOptions) -> Result<(Connection, Keys), CatalogError> {
    let path = &options.path;
    make_file(path)?;
    let connection = connect(path).map_err(|error| explain(path, failed(error)))?;
    let keys = prepare(&connection, &options.key).map_err(|error| explain(path, error))?;
    Ok((connection, keys))
}

fn prepare(connection: &Connection, key: &KeySource) -> Result<Keys, CatalogError> {
    // Asked before anything is written, so that a file that is not ours stays as it is.
    let content = schema::content(connection)?;
    use_log(connection)?;
    if content == Content::Empty {
        in_transaction(connection, || {
            // Another process may have been faster.
            match schema::content(connection)? {
                Content::Empty => make(connection, key),
                Content::Store => Ok(()),
            }
        })?;
    }
    if schema::is_older(connection)? {
        in_transaction(connection, || schema::migrate(connection))?;
    }
    unlock(connection, key)
}

/// Fills an empty file.
fn make(connection: &Connection, key: &KeySource) -> Result<(), CatalogError> {
    schema::begin(connection)?;
    schema::migrate(connection)?;
    let catalog = CatalogId::random();
    let kind = match key {
        KeySource::Text(_) => SlotKind::Text,
        KeySource::File(_) => SlotKind::KeyFile,
    };
    let fails = |source| CatalogError::Key {
        slots: slot_name(FIRST_SLOT, &kind),
        source,
    };
    // The key file exists before the first row that depends on it.
    let (slot_key, _) = match key {
        KeySource::File(path) => match KeyFile::new(path).create() {
            Ok(made) => Ok((made, String::new())),
            Err(KeyError::Exists { .. }) => given(key),
            Err(error) => Err(error),
        },
        KeySource::Text(_) => given(key),
    }
    .map_err(fails)?;
    let store = StoreKey::generate().map_err(fails)?;
    let slot = store
        .wrap(catalog.0.as_bytes(), FIRST_SLOT, kind.clone(), &slot_key)
        .map_err(fails)?;
    record::run(
        connection,
        "INSERT INTO key_slots (id, kind, wrapped) VALUES (?1, ?2, ?3)",
        params![slot.id, slot.kind.as_str(), slot.wrapped],
    )?;
    let keys = Keys { catalog, store };
    let mut transaction = Transaction::new(connection, &keys);
    let now = model::now();
    transaction.write_store(&StoreRow {
        catalog,
        created: now.as_microsecond(),
        revision: 1,
        audit_head: 0,
    })?;
    for (name, kind) in [(ROOT, PrincipalKind::User), (ADMIN, PrincipalKind::Role)] {
        transaction.insert_principal(&PrincipalRow {
            name: name.to_owned(),
            kind,
            created: now,
        })?;
    }
    transaction.put_membership(&Membership {
        role: ADMIN.to_owned(),
        member: ROOT.to_owned(),
        admin_option: true,
    })
}

/// Opens a slot with the key that was given. Never makes a key.
fn unlock(connection: &Connection, key: &KeySource) -> Result<Keys, CatalogError> {
    let (catalog, slots) = locked(connection)?;
    let fails = |source| CatalogError::Key {
        slots: slots
            .iter()
            .map(|slot| slot_name(slot.id, &slot.kind))
            .collect::<Vec<_>>()
            .join(" or "),
        source,
    };
    let (slot_key, place) = given(key).map_err(fails)?;
    let store =
        KeySlot::open_any(&slots, catalog.0.as_bytes(), &slot_key, &place).map_err(fails)?;
    let keys = Keys { catalog, store };
    Transaction::new(connection, &keys).store()?;
    Ok(keys)
}

/// What can be read of a store without its key.
fn locked(connection: &Connection) -> Result<(CatalogId, Vec<KeySlot>), CatalogError> {
    let read = || {
        let catalog = connection.query_row("SELECT catalog FROM store", [], |row| {
            record::uuid(row, "catalog")
        })?;
        let mut statement =
            connection.prepare("SELECT id, kind, wrapped FROM key_slots ORDER BY id")?;
        let slots = statement
            .query_map([], |row| {
                Ok(KeySlot {
                    id: row.get("id")?,
                    kind: SlotKind::from_name(&row.get::<_, String>("kind")?),
                    wrapped: row.get("wrapped")?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok((CatalogId(catalog), slots))
    };
    match read() {
        Ok((_, slots)) if slots.is_empty() => Err(CatalogError::Damaged),
        Ok(found) => Ok(found),
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(CatalogError::Damaged),
        Err(error) if super::failure::is_unreadable(&error) => Err(CatalogError::Damaged),
        Err(error) => Err(failed(error)),
    }
}

/// The key that was given, and how errors call the place it came from.
fn given(key: &KeySource) -> Result<(SlotKey, String), KeyError> {
    match key {
        KeySource::Text(text) => {
            let place = "the master key given as text (PORTOLAN_MASTER_KEY)";
            Ok((SlotKey::from_text(text, place)?, place.to_owned()))
        }
        KeySource::File(path) => {
            let file = KeyFile::new(path);
            Ok((file.load()?, file.place()))
        }
    }
}

fn slot_name(id: u32, kind: &SlotKind) -> String {
    let slot = KeySlot {
        id,
        kind: kind.clone(),
        wrapped: Vec::new(),
    };
    slot.to_string()
}

/// Switches the file to a write-ahead log. Two processes that do so at once are told that it is
/// busy without being made to wait, hence the loop.
pub(crate) fn use_log(connection: &Connection) -> Result<(), CatalogError> {
    let start = Instant::now();
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        match mode.map_err(failed) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(CatalogError::ReadOnly),
            Err(CatalogError::Locked) if start.elapsed() < BUSY_TIMEOUT => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error),
        }
    }
}

pub(crate) fn in_transaction(
    connection: &Connection,
    work: impl FnOnce() -> Result<(), CatalogError>,
) -> Result<(), CatalogError> {
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(failed)?;
    let result = work().and_then(|()| connection.execute_batch("COMMIT").map_err(failed));
    if !connection.is_autocommit() {
        // The connection is closed after an error anyway.
        let _ = connection.execute_batch("ROLLBACK");
    }
    result
}

/// Makes the file and its directory, for their owner alone. SQLite gives its other files the mode
/// of this one.
pub(crate) fn make_file(path: &Path) -> Result<(), CatalogError> {
    make_private_file(path).map_err(|source| match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem => CatalogError::ReadOnly,
        io::ErrorKind::StorageFull => CatalogError::DiskFull,
        _ => unreachable_at(path, source),
    })
}

fn make_private_file(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if fs::metadata(path).is_ok() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    builder.create(directory)?;
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        other => other?,
    };
    if cfg!(unix) {
        // The name of the file is as durable as what will be in it.
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// The library says only that it cannot open a file. The system says why.
pub(crate) fn explain(path: &Path, error: CatalogError) -> CatalogError {
    if !matches!(error, CatalogError::Storage { .. }) {
        return error;
    }
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(source) if source.kind() == io::ErrorKind::ReadOnlyFilesystem => CatalogError::ReadOnly,
        Err(source) => unreachable_at(path, source),
        Ok(_) => error,
    }
}

fn unreachable_at(path: &Path, source: io::Error) -> CatalogError {
    CatalogError::Unreachable {
        path: path.to_owned(),
        source,
    }
}
