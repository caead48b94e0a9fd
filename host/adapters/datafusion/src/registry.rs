//! The registry of one session.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use datafusion_common::{Result, exec_err};
use datafusion_execution::cache::cache_manager::CacheManagerConfig;
use datafusion_execution::object_store::ObjectStoreRegistry;
use datafusion_execution::runtime_env::RuntimeEnvBuilder;
use object_store_0_13::ObjectStore;
use portolan::Session;
use portolan_object_store_0_13::Adapted;
use url::{Position, Url};

use crate::lazy::Lazy;
use crate::registered::Registered;

const SCHEME: &str = "external";

/// The object stores of one Portolan session, as DataFusion looks them up: by URL.
///
/// A registry is as much its user's as the session is. Programs make one, and one runtime, for each
/// session, and share neither among users.
pub struct Connections {
    session: Session,
    /// What is in use now. A store that nobody holds any more is gone, and its handle with it.
    stores: Mutex<HashMap<String, Weak<Adapted>>>,
    others: Arc<dyn ObjectStoreRegistry>,
}

impl Connections {
    /// The connections that `session` may use.
    ///
    /// ```no_run
    /// # fn example(host: portolan::Host) {
    /// use portolan::Principal;
    /// use portolan_datafusion::Connections;
    ///
    /// let connections = Connections::new(host.session(Principal::new("carl")));
    /// # }
    /// ```
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self {
            session,
            stores: Mutex::default(),
            others: Arc::new(Registered::new()),
        }
    }

    /// The same, with `others` for all URLs of other schemes. What it can reach, every user of the
    /// session can: DataFusion's default registry opens any local file.
    ///
    /// ```no_run
    /// # fn example(session: portolan::Session) {
    /// use std::sync::Arc;
    ///
    /// use datafusion::execution::object_store::DefaultObjectStoreRegistry;
    /// use portolan_datafusion::Connections;
    ///
    /// // For a tool that one person runs on their own machine.
    /// let local = Arc::new(DefaultObjectStoreRegistry::new());
    /// let connections = Connections::new(session).beside(local);
    /// # }
    /// ```
    #[must_use]
    pub fn beside(mut self, others: Arc<dyn ObjectStoreRegistry>) -> Self {
        self.others = others;
        self
    }

    /// A runtime for DataFusion that finds its stores here, and remembers nothing of what it read
    /// there once a query is over.
    ///
    /// ```no_run
    /// # fn example(session: portolan::Session) -> datafusion::error::Result<()> {
    /// use portolan_datafusion::Connections;
    ///
    /// let runtime = Connections::new(session).runtime().build_arc()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn runtime(self) -> RuntimeEnvBuilder {
        let no_caches = CacheManagerConfig::default()
            .with_file_statistics_cache_limit(0)
            .with_list_files_cache_limit(0)
            .with_metadata_cache_limit(0);
        RuntimeEnvBuilder::new()
            .with_cache_manager(no_caches)
            .with_object_store_registry(Arc::new(self))
    }

    /// The store of a connection: the one that is in use, or a new one.
    fn connection(&self, url: &Url) -> Arc<Adapted> {
        // What may stand there is judged when it is opened, in one place for all programs.
        let root = &url[..Position::BeforePath];
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(root).and_then(Weak::upgrade) {
            return store;
        }
        stores.retain(|_, store| store.strong_count() > 0);
        let lazy = Lazy::new(self.session.clone(), root.to_owned());
        let store = Arc::new(Adapted::new(Arc::new(lazy)));
        stores.insert(root.to_owned(), Arc::downgrade(&store));
        store
    }
}

// What is in use is left out: a URL may be one that was mistyped, with a password in it.
impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").finish_non_exhaustive()
    }
}

impl ObjectStoreRegistry for Connections {
    /// Registers a store for another scheme. Nothing takes the place of a connection: for `external`
    /// this does nothing.
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        if url.scheme() == SCHEME {
            return None;
        }
        self.others.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() == SCHEME {
            return exec_err!("an external connection is not registered; DROP ends it");
        }
        self.others.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() == SCHEME {
            return Ok(self.connection(url));
        }
        self.others.get_store(url)
    }
}
