//! The stores that a program registers itself.

use std::sync::Arc;

use datafusion_common::{Result, exec_err};
use datafusion_execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use object_store_0_13::ObjectStore;
use url::Url;

/// DataFusion's own registry without local files, and without URLs in its errors: those of clouds
/// may hold credentials.
#[derive(Debug)]
pub(crate) struct Registered(DefaultObjectStoreRegistry);

impl Registered {
    pub(crate) fn new() -> Self {
        let stores = DefaultObjectStoreRegistry::new();
        if let Ok(files) = Url::parse("file:///") {
            // Where there is none, there is nothing to take away.
            let _ = stores.deregister_store(&files);
        }
        Self(stores)
    }
}

impl ObjectStoreRegistry for Registered {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.0.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.0.deregister_store(url).or_else(|_| none(url))
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.0.get_store(url).or_else(|_| none(url))
    }
}

fn none(url: &Url) -> Result<Arc<dyn ObjectStore>> {
    let scheme = url.scheme();
    exec_err!(
        "no object store is registered for this {scheme} URL; name a connection: external://NAME/PATH"
    )
}
