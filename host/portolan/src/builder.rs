//! How a host is put together.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use portolan_catalog::CatalogHandle;
use portolan_data::{Backends, Lent};
use portolan_egress::credentials::aws::{HostEnvironment, MachineKeys};
use portolan_egress::{Egress, EgressOptions, Policy};
use portolan_files::UserFiles;
use portolan_sandbox::{Allocation, Limits, MetricsRecorder, SandboxOptions};
use tokio::runtime::Handle;

use crate::host::Shared;
use crate::metrics::Metrics;
use crate::open::{Handles, Known};
use crate::providers::Registry;
use crate::{Error, Host, SqlState};

/// Puts a host together. Nothing is read from the environment or the disk but what is named here.
#[derive(Default)]
pub struct HostBuilder {
    catalog: Option<CatalogHandle>,
    egress: EgressOptions,
    sandbox: SandboxOptions,
    plugins_dir: Option<PathBuf>,
    /// With whether it is made where it is missing.
    external_io_dir: Option<(PathBuf, bool)>,
    lends_credentials: bool,
    exports_credentials: bool,
    user_files: Option<Arc<dyn UserFiles>>,
    runtime: Option<Handle>,
    components: Vec<Cow<'static, [u8]>>,
}

impl HostBuilder {
    /// The catalog. The one thing that a host cannot do without.
    ///
    /// The master key is the catalog's affair and not the host's: a
    /// [`SqliteCatalog`](portolan_catalog::SqliteCatalog) is opened with a
    /// [`KeySource`](portolan_catalog::KeySource), which is a file, a text, or, with
    /// [`MasterKeyService`](crate::MasterKeyService), a key management service.
    #[must_use]
    pub fn catalog(mut self, catalog: CatalogHandle) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// The operator's exceptions to the policy; without them only public addresses are dialled.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.egress.policy = policy;
        self
    }

    /// How endpoints are reached: the policy among the rest. Replaces what [`Self::policy`] set.
    #[must_use]
    pub fn egress(mut self, options: EgressOptions) -> Self {
        self.egress = options;
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
        self.external_io_dir = Some((directory.into(), false));
        self
    }

    /// The same at a place that nobody typed, such as one beside the catalog: a directory that is
    /// missing is made, for its owner alone, when it is first used.
    #[must_use]
    pub fn default_external_io_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.external_io_dir = Some((directory.into(), true));
        self
    }

    /// Lets connections that ask for it (`AUTH=implicit`) use the credentials of this host itself: of
    /// its environment's variables, of the files with a web identity or a key that they name, and of
    /// its cloud's metadata service. Without this nothing is lent and nothing of it is read; who may
    /// create such a connection is a matter of `EXTERNALIOIMPLICITACCESS`.
    #[must_use]
    pub fn lend_host_credentials(mut self) -> Self {
        self.lends_credentials = true;
        self
    }

    /// Lets a connection string of a database out, with its password, for those who may see it:
    /// [`Session::export_connection_string`](crate::Session::export_connection_string). Without this
    /// nobody gets one, whatever their privileges.
    #[must_use]
    pub fn allow_credential_export(mut self) -> Self {
        self.exports_credentials = true;
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
        let metrics = Metrics::new(self.sandbox.recorder.clone());
        let providers = Registry::new(self.sandbox, self.components, self.plugins_dir.clone())?;
        let mut options = self.egress;
        options.runtime.get_or_insert_with(|| runtime.clone());
        let egress = Egress::new(options);
        let backends = match self.external_io_dir {
            None => Backends::new(None),
            Some((directory, false)) => Backends::new(Some(directory)),
            Some((directory, true)) => Backends::new(Some(directory)).making_missing(),
        };
        let lent = lent(self.lends_credentials, &egress);
        let backends = backends.with_egress(egress.clone()).lending(lent.clone());
        let backends = match self.user_files {
            Some(files) => backends.with_user_files(files),
            None => backends,
        };
        Ok(Host {
            shared: Arc::new(Shared {
                catalog,
                egress,
                providers: Arc::new(providers),
                backends,
                lent,
                handles: Handles::new(metrics.clone()),
                known: Known::default(),
                metrics,
                runtime,
                exports_credentials: self.exports_credentials,
                plugins_dir: self.plugins_dir,
            }),
        })
    }
}

/// What connections get that ask for the host's own credentials.
pub(crate) fn lent(lends_credentials: bool, egress: &Egress) -> Lent {
    match (lends_credentials, egress.metadata()) {
        (true, Some(metadata)) => {
            let environment = HostEnvironment::process();
            let machine = MachineKeys::new(metadata.clone(), environment.clone());
            Lent::default()
                .with_environment(environment)
                .with_aws_machine(Arc::new(machine))
                .with_metadata(metadata.clone())
        }
        _ => Lent::default(),
    }
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostBuilder")
            .field("catalog", &self.catalog)
            .field("egress", &self.egress)
            .field("plugins_dir", &self.plugins_dir)
            .field("external_io_dir", &self.external_io_dir)
            .field("user_files", &self.user_files)
            .field("components", &self.components.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use portolan_catalog::{KeySource, SqliteCatalog, SqliteOptions};
    use tempfile::TempDir;

    use super::*;
    use crate::Principal;

    /// A catalog whose transactions run on the threads of `runtime`.
    fn catalog(runtime: &Handle) -> (CatalogHandle, TempDir) {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = SqliteCatalog::open(SqliteOptions {
            path: directory.path().join("catalog.sqlite"),
            key: KeySource::File(directory.path().join("master.key")),
        });
        let catalog = Arc::new(catalog.expect("a catalog"));
        (CatalogHandle::new(catalog, runtime.clone()), directory)
    }

    /// Builds a host outside of any runtime.
    fn built(builder: HostBuilder) -> Result<Host, Error> {
        builder.build().now_or_never().expect("nothing to wait for")
    }

    fn refused(builder: HostBuilder, message: &str, hint: &str) {
        let error = built(builder).expect_err("refused");
        assert_eq!(error.sqlstate(), SqlState::ObjectNotInPrerequisiteState);
        assert_eq!((error.message(), error.hint()), (message, Some(hint)));
    }

    #[test]
    fn a_host_needs_a_catalog() {
        refused(
            HostBuilder::default(),
            "the host has no catalog",
            "give HostBuilder::catalog a handle of one",
        );
    }

    #[test]
    fn outside_of_a_runtime_a_host_needs_to_be_given_one_and_serves_another() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let (catalog, _directory) = catalog(runtime.handle());
        refused(
            HostBuilder::default().catalog(catalog.clone()),
            "the host has no runtime",
            "call build within a Tokio runtime, or give HostBuilder::runtime one",
        );
        let builder = HostBuilder::default()
            .catalog(catalog)
            .runtime(runtime.handle().clone());
        let session = built(builder)
            .expect("a host")
            .session(Principal::new("root"));
        let another = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        for sql in [
            "EXPLAIN CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a' WITH VALIDATE = 'none'",
        ] {
            another.block_on(session.execute(sql, &[])).expect(sql);
        }
    }
}
