//! From flags, environment and configuration to a host and a session.
//!
//! ```text
//! STORE/                 --store, PORTOLAN_STORE, else portolan below the user's data directory
//!   catalog.db           the catalog
//!   userfiles.db         the files of userfile://, made at first use
//!   master.key           the key of a key slot, 0600
//!   portolan.toml        the configuration
//!   plugins/             components that `provider add` approved
//!   cache/               compiled components
//!   extern/              the root of nodelocal://
//! ```

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use etcetera::BaseStrategy;
use portolan::{EgressOptions, Host, Principal, Session};
use portolan_catalog::sqlite::{KeySource, SqliteCatalog, SqliteOptions};
use portolan_catalog::{CatalogHandle, NewKeySlot, SqliteUserFiles};
use portolan_sandbox::Limits;
use portolan_secret::SecretText;

use crate::args::GlobalArguments;
use crate::config::Config;
use crate::report::{self, Failure};
use crate::service_slot::ServiceSlot;
use crate::unlock::Unlock;
use crate::way_out;

/// The environment variable with the key of a slot.
const MASTER_KEY: &str = "PORTOLAN_MASTER_KEY";

/// Where everything is, and who acts; nothing is opened yet.
#[derive(Debug)]
pub(crate) struct Store {
    /// The store's directory.
    pub(crate) directory: PathBuf,
    /// Who acts.
    pub(crate) user: String,
    /// The root of `nodelocal://`.
    pub(crate) external_io_dir: PathBuf,
    /// Whether the root was named, and has to be there.
    external_io_dir_given: bool,
    /// The configuration.
    pub(crate) config: Config,
    /// The configuration's file, whether it is there or not.
    pub(crate) config_path: PathBuf,
    egress: EgressOptions,
    /// How the store is opened, where that is not the usual way.
    unlock: Option<Unlock>,
    /// Whether the user was named by a flag or the environment.
    user_given: bool,
}

impl Store {
    /// Puts flags, environment and configuration together.
    pub(crate) fn locate(global: &GlobalArguments) -> Result<Self> {
        let directory = match &global.store {
            Some(directory) => directory.clone(),
            None => etcetera::choose_base_strategy()
                .map_err(|_| {
                    Failure::new("58P01", "there is no home directory")
                        .hint("name a store with --store DIR")
                })?
                .data_dir()
                .join("portolan"),
        };
        let path = global
            .config
            .clone()
            .unwrap_or_else(|| directory.join("portolan.toml"));
        let config = Config::load(&path, global.config.is_some())?;
        let user = global
            .user
            .clone()
            .or_else(|| config.user.clone())
            .unwrap_or_else(|| "root".to_owned());
        let given = global
            .external_io_dir
            .clone()
            .or_else(|| config.external_io_dir.clone());
        let external_io_dir_given = given.is_some();
        let external_io_dir = given.unwrap_or_else(|| directory.join("extern"));
        let egress = way_out::options(&config, global)?;
        let unlock = global.unlock.as_deref().map(Unlock::parse).transpose()?;
        Ok(Self {
            directory,
            user,
            external_io_dir,
            external_io_dir_given,
            config,
            config_path: path,
            egress,
            unlock,
            user_given: global.user.is_some(),
        })
    }

    /// The catalog's file.
    pub(crate) fn catalog_path(&self) -> PathBuf {
        self.directory.join("catalog.db")
    }

    /// Whether the store has been made.
    pub(crate) fn has_catalog(&self) -> bool {
        !is_empty(&self.catalog_path()) || !is_empty(&self.directory.join("catalog.db-wal"))
    }

    /// Users' files; nothing is opened yet.
    pub(crate) fn user_files(&self) -> SqliteUserFiles {
        SqliteUserFiles::new(self.user_files_path())
    }

    /// The file of users' files.
    pub(crate) fn user_files_path(&self) -> PathBuf {
        self.directory.join("userfiles.db")
    }

    /// The directory of compiled components.
    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.directory.join("cache")
    }

    /// The directory of approved components.
    pub(crate) fn plugins_dir(&self) -> PathBuf {
        self.directory.join("plugins")
    }

    /// The key file: the configuration's, or the store's own.
    pub(crate) fn key_file(&self) -> PathBuf {
        let configured = self.config.master_key.file.clone();
        configured.unwrap_or_else(|| self.directory.join("master.key"))
    }

    /// What opens the store: what `--unlock` says, the environment's key, the service of the
    /// configuration, the key file.
    async fn key_source(&self) -> Result<KeySource> {
        if let Some(unlock) = &self.unlock {
            return match unlock.source().await? {
                Some(source) => Ok(source),
                None => Ok(self.service()?.key_source(self.key_file())),
            };
        }
        match std::env::var_os(MASTER_KEY) {
            // What is not UTF-8 gets a character that is in no key, and is refused as any other text
            // that is none: to go on without it would open or make a store with another key.
            Some(text) if !text.is_empty() => Ok(KeySource::Text(SecretText::new(
                text.to_string_lossy().into_owned(),
            ))),
            _ if self.config.master_key.kms.is_some() => {
                Ok(self.service()?.key_source(self.key_file()))
            }
            _ => Ok(KeySource::File(self.key_file())),
        }
    }

    /// The key management service of the configuration. Nothing is asked of it yet.
    fn service(&self) -> Result<ServiceSlot> {
        ServiceSlot::new(
            self.config.master_key.kms.as_ref(),
            self.egress.clone(),
            self.limits(),
            self.cache_dir(),
        )
    }

    /// A slot whose key the service of the configuration wraps.
    pub(crate) async fn new_service_slot(&self, label: Option<String>) -> Result<NewKeySlot> {
        self.service()?.new_slot(label).await
    }

    /// Makes the store's directory where there is none.
    pub(crate) fn make_directory(&self) -> Result<()> {
        private_directory(&self.directory)
    }

    /// Opens the catalog, and makes the store first where there is none.
    async fn host(&self, key: KeySource) -> Result<Host> {
        self.make_directory()?;
        let path = self.catalog_path();
        // An empty file is what is left of a catalog whose making was cut off, or of one that was lost.
        let is_new = !self.has_catalog();
        if is_new && let Some(trace) = self.trace_of_use() {
            return Err(Failure::new(
                "XX001",
                format!(
                    "the catalog of the store {} is gone: {} is missing or empty, and the store \
                     was in use, as its {trace} says",
                    self.directory.display(),
                    path.display()
                ),
            )
            .hint(
                "restore catalog.db and the key from a backup; to begin anew, name another store with \
                 --store, or move this one away",
            )
            .into());
        }
        let had_a_key = is_new && self.key_file().exists();
        let options = SqliteOptions { path, key };
        let runtime = tokio::runtime::Handle::current();
        let catalog = tokio::task::spawn_blocking(move || SqliteCatalog::open(options))
            .await?
            .map_err(portolan::Error::from)?;
        if had_a_key {
            report::line(
                "NOTICE: the store had a key and no catalog, so a new one was made; if it had one, \
                 restore both from a backup before anything is written",
            );
        }
        if is_new {
            report::line(
                "NOTICE: the key of the new store lies in one slot; add a second one with portolan key \
                 add --recovery",
            );
        }
        let mut builder = Host::builder()
            .catalog(CatalogHandle::new(Arc::new(catalog), runtime.clone()))
            .egress(self.egress.clone())
            .lend_host_credentials()
            .limits(self.limits())
            .cache_dir(self.cache_dir())
            .plugins_dir(self.plugins_dir())
            .user_files(self.user_files())
            .runtime(runtime);
        builder = if self.external_io_dir_given {
            builder.external_io_dir(&self.external_io_dir)
        } else {
            builder.default_external_io_dir(&self.external_io_dir)
        };
        Ok(builder.build().await?)
    }

    /// What only a store that was made before has. A service that makes the first key leaves its compiled
    /// provider behind also where the making was cut off.
    fn trace_of_use(&self) -> Option<&'static str> {
        let makes_with_a_provider = self.config.master_key.kms.is_some();
        let traces = ["userfiles.db", "plugins", "history", "cache"];
        traces
            .into_iter()
            .filter(|trace| *trace != "cache" || !makes_with_a_provider)
            .find(|trace| self.directory.join(trace).exists())
    }

    /// The usual limits, with the configuration's times for a probe.
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.probe_wall_time = self.config.probe.timeout.unwrap_or(limits.probe_wall_time);
        limits.step_wall_time = self
            .config
            .probe
            .step_timeout
            .unwrap_or(limits.step_wall_time);
        limits
    }

    /// A session of the user; one that the catalog does not know is refused.
    pub(crate) async fn session(&self) -> Result<Session> {
        self.session_with(self.key_source().await?).await
    }

    /// The same with the store opened in a certain way.
    pub(crate) async fn session_with(&self, key: KeySource) -> Result<Session> {
        let host = self.host(key).await?;
        let session = host.session(Principal::new(self.user.clone()));
        session.require_known_user().await?;
        if self.user_given && std::io::stderr().is_terminal() {
            report::line("NOTICE: --user is no authentication: whoever can read the store is root");
        }
        Ok(session)
    }
}

/// Whether there is no such file, or nothing in it.
fn is_empty(file: &Path) -> bool {
    std::fs::metadata(file).map_or(true, |about| about.len() == 0)
}

/// Makes `directory` with access for its owner only.
fn private_directory(directory: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if directory.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make the store {}", directory.display()))?;
    report::line(&format!(
        "NOTICE: made a new store in {}",
        directory.display()
    ));
    Ok(())
}
