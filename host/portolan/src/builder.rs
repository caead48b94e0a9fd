//! How a host is put together.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use portolan_catalog::CatalogHandle;
use portolan_data::Backends;
use portolan_egress::Policy;
use portolan_files::UserFiles;
use portolan_sandbox::{Allocation, Limits, MetricsRecorder, SandboxOptions};
use tokio::runtime::Handle;

use crate::host::Shared;
use crate::metrics::Metrics;
use crate::open::Handles;
use crate::policy::CurrentPolicy;
use crate::providers::Registry;
use crate::{Error, Host, SqlState};

/// Puts a host together. Nothing is read from the environment or the disk but what is named here.
#[derive(Default)]
pub struct HostBuilder {
    catalog: Option<CatalogHandle>,
    policy: Policy,
    sandbox: SandboxOptions,
    plugins_dir: Option<PathBuf>,
    backends: Backends,
    user_files: Option<Arc<dyn UserFiles>>,
    runtime: Option<Handle>,
    components: Vec<Cow<'static, [u8]>>,
}

impl HostBuilder {
    /// The catalog. The one thing that a host cannot do without.
    #[must_use]
    pub fn catalog(mut self, catalog: CatalogHandle) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// The operator's exceptions to the policy; without them only public addresses are dialled.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What providers may use up.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.sandbox.limits = limits;
        self
    }

    /// How instances of providers get their memory.
    #[must_use]
    pub fn allocation(mut self, allocation: Allocation) -> Self {
        self.sandbox.allocation = allocation;
        self
    }

    /// Where compiled providers are kept; without it each process compiles what it uses.
    #[must_use]
    pub fn cache_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.sandbox.cache_dir = Some(directory.into());
        self
    }

    /// Where added providers lie; without it none can be added or loaded.
    #[must_use]
    pub fn plugins_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.plugins_dir = Some(directory.into());
        self
    }

    /// The root of `nodelocal://` storage, a directory that exists; without it there is none.
    #[must_use]
    pub fn external_io_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.backends = Backends::new(Some(directory.into()));
        self
    }

    /// The same at a place that nobody typed, such as one beside the catalog: a directory that is
    /// missing is made, for its owner alone, when it is first used.
    #[must_use]
    pub fn default_external_io_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.backends = Backends::new(Some(directory.into())).making_missing();
        self
    }

    /// Where users' files lie, `userfile://` storage; without it there is none. A
    /// [`SqliteUserFiles`](portolan_catalog::SqliteUserFiles) opens its file when it is first used.
    #[must_use]
    pub fn user_files(mut self, files: impl UserFiles + 'static) -> Self {
        self.user_files = Some(Arc::new(files));
        self
    }

    /// The runtime whose threads do what blocks; without it the one that [`Self::build`] runs in.
    #[must_use]
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// One more provider, which the embedding program carries and vouches for: a component with its
    /// manifest. `SHOW PROVIDERS` calls it `embedded`.
    #[must_use]
    pub fn component(mut self, component: impl Into<Cow<'static, [u8]>>) -> Self {
        self.components.push(component.into());
        self
    }

    /// Where this host's metrics go; without it to the process's recorder, if it has one.
    #[must_use]
    pub fn metrics_recorder(
        mut self,
        recorder: impl ::metrics::Recorder + Send + Sync + 'static,
    ) -> Self {
        self.sandbox.recorder = MetricsRecorder::new(recorder);
        self
    }

    /// The host. No provider is compiled yet: that happens when the first statement needs it.
    ///
    /// # Errors
    /// 55000 when there is no catalog or no runtime, 42710 when two of the providers claim one
    /// scheme, and what is wrong with a component.
    pub async fn build(self) -> Result<Host, Error> {
        let catalog = self.catalog.ok_or_else(|| {
            Error::new(
                SqlState::ObjectNotInPrerequisiteState,
                "the host has no catalog",
            )
            .with_hint("give HostBuilder::catalog a handle of one")
        })?;
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Handle::try_current().map_err(|_| {
                Error::new(
                    SqlState::ObjectNotInPrerequisiteState,
                    "the host has no runtime",
                )
                .with_hint("call build within a Tokio runtime, or give HostBuilder::runtime one")
            })?,
        };
        let backends = match self.user_files {
            Some(files) => self.backends.with_user_files(files),
            None => self.backends,
        };
        let metrics = Metrics::new(self.sandbox.recorder.clone());
        let providers = Registry::new(self.sandbox, self.components, self.plugins_dir.clone())?;
        Ok(Host {
            shared: Arc::new(Shared {
                catalog,
                policy: CurrentPolicy::new(self.policy),
                providers: Arc::new(providers),
                backends,
                handles: Handles::new(metrics.clone()),
                metrics,
                runtime,
                plugins_dir: self.plugins_dir,
            }),
        })
    }
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder")
            .field("catalog", &self.catalog)
            .field("policy", &self.policy)
            .field("plugins_dir", &self.plugins_dir)
            .field("backends", &self.backends)
            .field("user_files", &self.user_files)
            .field("components", &self.components.len())
            .finish_non_exhaustive()
    }
}
