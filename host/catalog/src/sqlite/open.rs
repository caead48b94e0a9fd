//! Opening a store: its files, its key, and making it when there is none.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portolan_secret::{KeyError, KeyFile, KeyRing, KeySlot, SlotHead, SlotKey, SlotKind, StoreKey};
use rusqlite::Connection;

use super::failure::failed;
use super::key_slots::unchecked_slots;
use super::pool::{BUSY_TIMEOUT, connect};
use super::record::{self, Keys};
use super::schema::{self, Content};
use super::store::StoreRow;
use super::transaction::Transaction;
use super::vault::{self, Vault};
use super::{KeyService, KeySource, SqliteOptions};
use crate::access::Writer as _;
use crate::error::CatalogError;
use crate::model::principal::{ADMIN, ROOT};
use crate::model::{self, CatalogId, Membership, NewKeySlot, PrincipalKind, PrincipalRow};

/// The number of the slot that a new store gets.
const FIRST_SLOT: u32 = 1;

pub(super) fn open(options: &SqliteOptions) -> Result<(Connection, Vault), CatalogError> {
    let path = &options.path;
    make_file(path)?;
    let connection = connect(path).map_err(|error| explain(path, failed(error)))?;
    let vault = prepare(&connection, &options.key).map_err(|error| explain(path, error))?;
    Ok((connection, vault))
}

fn prepare(connection: &Connection, key: &KeySource) -> Result<Vault, CatalogError> {
    // Asked before anything is written, so that a file that is not ours stays as it is.
    let content = schema::content(connection)?;
    use_log(connection)?;
    if content == Content::Empty {
        let mut first = match key {
            KeySource::Service { service, .. } => Some(First::of_service(&**service)?),
            _ => None,
        };
        in_transaction(connection, || {
            // Another process may have been faster.
            match schema::content(connection)? {
                Content::Empty => make(connection, key, first.take()),
                Content::Store => Ok(()),
            }
        })?;
    }
    if schema::is_older(connection)? {
        in_transaction(connection, || bring_up(connection, key))?;
    }
    Vault::open(connection, key)
}

/// What a new store is made with: the key of its first slot, and what the slot says of itself.
struct First {
    kind: SlotKind,
    label: String,
    parameters: String,
    key: SlotKey,
}

impl First {
    /// Has a service wrap a new key, which may take seconds; so it is done before anything is locked.
    fn of_service(service: &dyn KeyService) -> Result<Self, CatalogError> {
        let made = || -> Result<Self, KeyError> {
            let key = SlotKey::generate()?;
            Ok(Self {
                kind: SlotKind::Kms,
                label: service.label(),
                parameters: service.wrap(&key)?,
                key,
            })
        };
        made().map_err(|source| CatalogError::NotMade { source })
    }

    /// The key file exists before the first row that depends on it.
    fn of_source(source: &KeySource) -> Result<Self, CatalogError> {
        let (kind, label) = match source {
            KeySource::Text(_) => (SlotKind::Text, String::new()),
            KeySource::Recovery(_) => (SlotKind::Recovery, String::new()),
            KeySource::Passphrase(_) => (SlotKind::Passphrase, String::new()),
            KeySource::File(path) | KeySource::Service { file: path, .. } => {
                (SlotKind::KeyFile, path.display().to_string())
            }
        };
        let made = match source {
            KeySource::File(path) => match KeyFile::new(path).create() {
                Ok(made) => Ok(made),
                Err(KeyError::Exists { .. }) => vault::given(source).map(|(key, _)| key),
                Err(error) => Err(error),
            },
            // Only an existing store has slots that these open.
            KeySource::Recovery(_) | KeySource::Passphrase(_) | KeySource::Service { .. } => {
                Err(KeyError::OpensNothing {
                    place: format!("the {}", kind.as_str()),
                    slots: "is none, because the store is new".to_owned(),
                })
            }
            KeySource::Text(_) => vault::given(source).map(|(key, _)| key),
        };
        let key = made.map_err(|source| CatalogError::NotMade { source })?;
        Ok(Self {
            kind,
            label,
            parameters: String::new(),
            key,
        })
    }
}

fn first_name(kind: &SlotKind) -> String {
    format!("key slot {FIRST_SLOT} ({})", kind.as_str())
}

/// Fills an empty file.
fn make(
    connection: &Connection,
    source: &KeySource,
    first: Option<First>,
) -> Result<(), CatalogError> {
    schema::begin(connection)?;
    schema::migrate(connection)?;
    let first = match first {
        Some(first) => first,
        None => First::of_source(source)?,
    };
    let fails = |source| CatalogError::Key {
        slots: first_name(&first.kind),
        others: String::new(),
        source,
    };
    let catalog = CatalogId::random();
    let now = model::now();
    let keys = Arc::new(Keys {
        catalog,
        ring: KeyRing::new(1, StoreKey::generate().map_err(fails)?),
        slot: FIRST_SLOT,
    });
    let mut transaction = Transaction::new(connection, keys);
    transaction.write_store(&StoreRow {
        catalog,
        created: now.as_microsecond(),
        revision: 1,
        audit_head: 0,
        generation: 1,
        oldest: 1,
        last_slot: 0,
    })?;
    transaction.add_key_slot(&NewKeySlot {
        kind: first.kind,
        label: first.label,
        parameters: first.parameters,
        key: first.key,
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

/// Brings a store of an older program to this program's version. Where that takes the store's key and
/// the one that was given does not open it, the store stays as it is.
fn bring_up(connection: &Connection, source: &KeySource) -> Result<(), CatalogError> {
    let found = schema::version(connection)?;
    if found >= schema::SLOTS {
        return schema::migrate(connection);
    }
    let (id, kind, key, store) = vault::open_first_format(connection, source)?;
    schema::migrate(connection)?;
    let catalog = connection
        .query_row("SELECT catalog FROM store", [], |row| {
            record::uuid(row, "catalog")
        })
        .map_err(failed)?;
    let keys = Arc::new(Keys {
        catalog: CatalogId(catalog),
        ring: KeyRing::new(1, store),
        slot: id,
    });
    let mut transaction = Transaction::new(connection, Arc::clone(&keys));
    let row = transaction.earlier_store()?;
    transaction.write_store(&StoreRow {
        generation: 1,
        oldest: 1,
        last_slot: id,
        ..row.clone()
    })?;
    let label = match source {
        KeySource::File(path) | KeySource::Service { file: path, .. } => path.display().to_string(),
        _ => String::new(),
    };
    let head = SlotHead {
        catalog: *keys.catalog_bytes(),
        id,
        label: match kind {
            SlotKind::KeyFile => label,
            _ => String::new(),
        },
        kind,
        created: row.created,
        parameters: String::new(),
    };
    let name = head.to_string();
    let slot =
        KeySlot::new(head, &key, keys.ring.key(), 1).map_err(|source| CatalogError::Key {
            slots: name,
            others: String::new(),
            source,
        })?;
    transaction.write_key_slot(&slot)
}

/// What can be read of a store without its key.
pub(super) fn locked(connection: &Connection) -> Result<(CatalogId, Vec<KeySlot>), CatalogError> {
    let read = || {
        let catalog = connection.query_row("SELECT catalog FROM store", [], |row| {
            record::uuid(row, "catalog")
        })?;
        Ok((CatalogId(catalog), unchecked_slots(connection)?))
    };
    match read() {
        Ok((_, slots)) if slots.is_empty() => Err(CatalogError::Damaged),
        Ok(found) => Ok(found),
        Err(rusqlite::Error::QueryReturnedNoRows) => Err(CatalogError::Damaged),
        Err(error) if super::failure::is_unreadable(&error) => Err(CatalogError::Damaged),
        Err(error) => Err(failed(error)),
    }
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

/// Makes the file and its directory, for their owner alone; a file that is there and empty is made
/// so before anything is in it. SQLite gives its other files the mode of this one.
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
    if let Ok(there) = fs::metadata(path) {
        return match there.is_file() && there.len() == 0 {
            true => take_from_others(path, &there.permissions()),
            false => Ok(()),
        };
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

/// Takes the rights of group and others to a file away, where they have any.
fn take_from_others(path: &Path, permissions: &fs::Permissions) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = permissions.mode() & 0o7777;
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))?;
        }
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
