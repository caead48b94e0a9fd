//! The catalog in one SQLite file.
//!
//! Several processes may use one file at a time: readers never wait, writers wait for each other
//! for up to five seconds. A change is on the disk before it is reported.
//!
//! What the codes of rows find: any changed column, any row that was put together from others or
//! moved from another table or store, sealed columns that were swapped between rows, versions or
//! columns, and audit records that were taken out. What they do not find: a grant, membership or
//! connection whose row was deleted, which takes away and gives nothing, and a row put back as it
//! once was, which whoever can write the file could do with the whole file as well.
//!
//! # Layout
//! * `open`: files, making a store, bringing up an older one
//! * `vault`: the keys of an open store
//! * `key_slots`, `rotation`: the slots that hold the store's key, and a newer key in the place of an older
//! * `schema`: its tables, and how an older store gets them
//! * `pool`: connections to the file
//! * `watch`: whether anybody has changed the file
//! * `transaction`: what runs in one transaction
//! * `record`: rows with their codes
//! * `authentic`: reading every row, and what else is in the file
//! * `connections`, `principals`, `grants`, `providers`, `user_files`, `audit`, `store`: one module per kind of row
//! * [`salvage`](fn@salvage): what can be read of a store whose key is lost
//! * `failure`: what the storage library reports, in the catalog's terms

mod audit;
mod authentic;
mod connections;
pub(crate) mod failure;
mod grants;
mod key_slots;
pub(crate) mod open;
pub(crate) mod pool;
mod principals;
mod providers;
mod record;
mod rotation;
mod salvage;
mod schema;
mod store;
mod transaction;
mod user_files;
mod vault;
mod watch;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use portolan_secret::{KeyError, SecretText, SlotKey};

use crate::access::{Catalog, ReadFunction, StateMark, WriteFunction};
use crate::error::CatalogError;
use crate::model::CatalogId;
use failure::failed;
use pool::Pool;
pub use salvage::{Salvaged, salvage};
use transaction::Transaction;
use vault::{Opened, Vault};
use watch::Watch;

/// Where the key that opens the store comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The key itself, as 64 hexadecimal digits or base64 of 32 bytes.
    Text(SecretText),
    /// A file that only its owner may read. Made with a new random key when the store is made, if
    /// it is not there yet, and never afterwards.
    File(PathBuf),
    /// A recovery phrase, as it was printed once.
    Recovery(SecretText),
    /// A passphrase.
    Passphrase(SecretText),
    /// A service that unwraps the key of its slot, when a row is first read or written. A new store
    /// gets such a slot; one that has none yet is opened with the file.
    Service {
        /// The service.
        service: Arc<dyn KeyService>,
        /// The key file, for a store that has no slot of the service.
        file: PathBuf,
    },
}

/// A key management service that wraps the keys of slots, and unwraps them again. Blocks; never called
/// while anything of the store is locked.
pub trait KeyService: Debug + Send + Sync {
    /// Whether the key of the slot with these parameters is one that this service wrapped, as far as
    /// can be told without asking it.
    fn holds(&self, parameters: &str) -> bool;

    /// Unwraps the key of a slot.
    ///
    /// # Errors
    /// [`KeyError::Service`].
    fn unwrap(&self, parameters: &str) -> Result<SlotKey, KeyError>;

    /// Wraps a new key. Gives the parameters of the slot that it is for, which hold no secret.
    ///
    /// # Errors
    /// [`KeyError::Service`].
    fn wrap(&self, key: &SlotKey) -> Result<String, KeyError>;

    /// What people call a slot of this service, for want of a better name.
    fn label(&self) -> String;
}

/// Where a store lies and what opens it.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file. SQLite keeps two more next to it, with `-wal` and `-shm` added to its name.
    pub path: PathBuf,
    /// The key.
    pub key: KeySource,
}

/// A catalog in a SQLite file.
#[derive(Debug)]
pub struct SqliteCatalog {
    vault: Vault,
    pool: Pool,
    watch: Watch,
}

impl SqliteCatalog {
    /// Opens the store, or makes it when there is none: with the user `root`, the role `admin` and
    /// `root` in `admin`. Blocks.
    ///
    /// # Errors
    /// [`CatalogError::Key`] when the key is missing, exposed, malformed or another one;
    /// [`CatalogError::NewerSchema`], [`CatalogError::Damaged`] when the file is something else,
    /// [`CatalogError::Unreachable`], [`CatalogError::ReadOnly`], [`CatalogError::Locked`],
    /// [`CatalogError::DiskFull`].
    pub fn open(options: SqliteOptions) -> Result<Self, CatalogError> {
        let (connection, vault) = open::open(&options)?;
        Ok(Self {
            vault,
            watch: Watch::new(&options.path).map_err(failed)?,
            pool: Pool::new(options.path, pool::connect, connection),
        })
    }
}

impl SqliteCatalog {
    /// The slot that is open, which it is from the first transaction on at the latest.
    fn opened(&self) -> Result<Opened, CatalogError> {
        self.vault.opened(|| {
            pool::connect(self.pool.path())
                .map(Box::new)
                .map_err(failed)
        })
    }
}

impl Catalog for SqliteCatalog {
    fn id(&self) -> CatalogId {
        self.vault.catalog
    }

    fn mark(&self) -> Option<StateMark> {
        self.watch.mark()
    }

    fn read(&self, function: &mut ReadFunction<'_>) -> Result<(), CatalogError> {
        let opened = self.opened()?;
        let lease = self.pool.reader().map_err(failed)?;
        schema::check(&lease)?;
        let keys = self.vault.keys(opened, &lease)?;
        function(&Transaction::new(&lease, keys))
    }

    fn write(&self, function: &mut WriteFunction<'_>) -> Result<u64, CatalogError> {
        let opened = self.opened()?;
        let lease = self.pool.writer().map_err(failed)?;
        schema::check(&lease)?;
        let keys = self.vault.keys(opened, &lease)?;
        let mut transaction = Transaction::new(&lease, keys);
        function(&mut transaction)?;
        let revision = if transaction.has_changed() {
            transaction.next_revision()?
        } else {
            transaction.store()?.revision
        };
        lease.commit().map_err(failed)?;
        if transaction.has_left_sealed_bytes()
            && let Err(error) = lease.empty_log()
        {
            // The change is durable; the old bytes, still sealed, leave with a later checkpoint.
            tracing::debug!(%error, "the write-ahead log was not emptied");
        }
        Ok(revision)
    }
}
