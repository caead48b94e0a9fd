//! The host: everything that sessions share.

use std::path::PathBuf;
use std::sync::Arc;

use portolan_catalog::CatalogHandle;
use portolan_data::Backends;
use portolan_egress::credentials::Lent;
use portolan_egress::{Egress, Policy};
use portolan_sandbox::Inspection;
use tokio::runtime::Handle;

use crate::metrics::Metrics;
use crate::open::{Handles, Known, OpenHandle};
use crate::providers::Registry;
use crate::{Error, HostBuilder, Principal, RequestContext, Session};

/// A catalog, a policy and a sandbox, ready for sessions. Clones share one host.
///
/// Nothing of it is global: two hosts in one process know nothing of each other, and the last
/// clone takes its engine and the engine's clock with it.
#[derive(Debug, Clone)]
pub struct Host {
    pub(crate) shared: Arc<Shared>,
}

/// What the parts of a host have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) catalog: CatalogHandle,
    pub(crate) egress: Egress,
    pub(crate) providers: Arc<Registry>,
    pub(crate) backends: Backends,
    /// What connections get that ask for the host's own credentials.
    pub(crate) lent: Lent,
    pub(crate) handles: Handles,
    pub(crate) known: Known,
    pub(crate) metrics: Metrics,
    pub(crate) runtime: Handle,
    /// Whether connection strings of databases come out.
    pub(crate) exports_credentials: bool,
    /// Where added providers lie.
    pub(crate) plugins_dir: Option<PathBuf>,
}

impl Host {
    /// Starts with nothing: no catalog, no exception to the policy, no directory.
    #[must_use]
    pub fn builder() -> HostBuilder {
        HostBuilder::default()
    }

    /// A session of a principal. The embedding program vouches for the name and the roles: nothing
    /// is authenticated here.
    #[must_use]
    pub fn session(&self, principal: Principal) -> Session {
        Session::new(self.clone(), principal, RequestContext::default())
    }

    /// Replaces the operator's policy. Handles that the new one does not allow fail at their next
    /// operation.
    pub fn set_policy(&self, policy: Policy) {
        self.shared.egress.policy().set(policy);
    }

    /// The handles that are open now, the oldest first.
    #[must_use]
    pub fn open_handles(&self) -> Vec<OpenHandle> {
        self.shared.handles.list()
    }

    /// Reads and checks a component without running it: what `provider inspect` shows of a file.
    ///
    /// # Errors
    /// Why it is no provider that this host could load.
    pub async fn inspect_component(&self, component: &[u8]) -> Result<Inspection, Error> {
        let sandbox = self.shared.providers.sandbox().await?;
        Ok(sandbox.inspect(component).await?)
    }
}
