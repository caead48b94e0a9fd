//! The sandbox: one engine with its clock, its limits, and what it has loaded.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::acting::{Actor, Unfit};
use crate::cache::Cache;
use crate::component::{self, PLANNING};
use crate::guest::Guest;
use crate::planning::Planner;
use crate::provider::Prepared;
use crate::ticker::Ticker;
use crate::{
    Allocation, Component, Inspection, Limits, LoadError, MetricsRecorder, Provider, ProviderId,
    capabilities, engine, metrics,
};

/// How a sandbox is set up.
#[derive(Debug, Clone, Default)]
pub struct SandboxOptions {
    /// What an operation may use up.
    pub limits: Limits,
    /// How instances get their memory.
    pub allocation: Allocation,
    /// Where compiled components are kept; without one they are kept in memory only. The directory
    /// is made where there is none, for its owner alone.
    pub cache_dir: Option<PathBuf>,
    /// Where what is counted goes.
    pub recorder: MetricsRecorder,
}

/// Where providers run. Cheap to clone; its thread ends with the last clone and the last provider.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    allocation: Allocation,
    ticker: Ticker,
    recorder: MetricsRecorder,
    limits: Arc<Limits>,
    permits: Arc<Semaphore>,
    open_instances: Arc<Semaphore>,
    resting_instances: Arc<Semaphore>,
    linker: Linker<Guest>,
    cache: Option<Cache>,
    /// What is loaded at present, by digest.
    loaded: Mutex<HashMap<String, Weak<Prepared>>>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("limits", &self.shared.limits)
            .field("allocation", &self.shared.allocation)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Sets up an engine and starts its clock.
    ///
    /// # Errors
    ///
    /// [`LoadError::Sandbox`] where there is no address space or no thread to be had.
    pub fn new(options: SandboxOptions) -> Result<Self, LoadError> {
        let (engine, allocation) =
            engine::build(&options.limits, options.allocation).map_err(setup)?;
        let ticker = Ticker::start(engine.weak()).map_err(setup)?;
        let mut linker = Linker::new(&engine);
        capabilities::add_to_linker(&mut linker).map_err(setup)?;
        Ok(Self {
            shared: Arc::new(Shared {
                allocation,
                ticker,
                permits: permits(options.limits.operations),
                open_instances: permits(options.limits.open_instances),
                resting_instances: places(options.limits.resting_instances),
                limits: Arc::new(options.limits),
                recorder: options.recorder,
                linker,
                cache: options.cache_dir.map(|dir| Cache::new(dir, &engine)),
                loaded: Mutex::default(),
                engine,
            }),
        })
    }

    /// What every operation is held to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// How instances get their memory; never [`Allocation::Automatic`].
    #[must_use]
    pub fn allocation(&self) -> Allocation {
        self.shared.allocation
    }

    pub(crate) fn shared_limits(&self) -> Arc<Limits> {
        Arc::clone(&self.shared.limits)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.shared.engine
    }

    pub(crate) fn ticker(&self) -> &Ticker {
        &self.shared.ticker
    }

    pub(crate) fn recorder(&self) -> &MetricsRecorder {
        &self.shared.recorder
    }

    pub(crate) fn permits(&self) -> &Arc<Semaphore> {
        &self.shared.permits
    }

    /// Places for instances that live over many operations.
    pub(crate) fn open_instances(&self) -> &Arc<Semaphore> {
        &self.shared.open_instances
    }

    /// Places for instances that rest; nobody waits for one.
    pub(crate) fn resting_instances(&self) -> &Arc<Semaphore> {
        &self.shared.resting_instances
    }

    /// Makes a component ready to run: it is read and judged, taken from memory, from the cache or
    /// from the compiler, and the types of its imports are checked against the contract. None of its
    /// code runs; [`Provider::bind`] checks the types of its exports.
    ///
    /// # Errors
    ///
    /// [`LoadError`] says which check failed.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn load(&self, component: Component) -> Result<Provider, LoadError> {
        let started = Instant::now();
        let most = self.limits().compile_time;
        let sandbox = self.clone();
        let loading = tokio::task::spawn_blocking(move || {
            sandbox
                .recorder()
                .record(|| sandbox.load_blocking(&component))
        });
        let (prepared, from) = match tokio::time::timeout(most, loading).await {
            Ok(Ok(loaded)) => loaded?,
            Ok(Err(_)) => {
                return Err(LoadError::Compile {
                    why: "the compiler was interrupted".to_owned(),
                });
            }
            Err(_) => return Err(LoadError::CompileTime { most }),
        };
        self.recorder()
            .record(|| metrics::loaded(from, started.elapsed()));
        tracing::debug!(
            provider = %prepared.id.name,
            version = %prepared.id.version,
            from,
            "loaded a provider",
        );
        Ok(Provider {
            sandbox: self.clone(),
            prepared,
        })
    }

    /// Reads and judges a component without compiling or running it.
    ///
    /// # Errors
    ///
    /// [`LoadError`] for what is wrong with it. What it asks to see or to show is no error here, and
    /// neither is what only its type tells.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn inspect(&self, bytes: &[u8]) -> Result<Inspection, LoadError> {
        let limits = self.shared_limits();
        // Copying a component that is too large is the caller's memory twice.
        if bytes.len() > limits.component_size {
            return component::inspect(bytes, &limits);
        }
        let bytes = bytes.to_vec();
        let inspecting = tokio::task::spawn_blocking(move || component::inspect(&bytes, &limits));
        inspecting.await.unwrap_or_else(|_| {
            Err(LoadError::NotAComponent {
                why: "reading it was interrupted".to_owned(),
            })
        })
    }

    /// The component and where it came from.
    fn load_blocking(
        &self,
        component: &Component,
    ) -> Result<(Arc<Prepared>, &'static str), LoadError> {
        let shared = &self.shared;
        let expected = component.expected_digest.as_deref();
        let inspection = component::inspect_expected(&component.bytes, expected, &shared.limits)?;
        inspection.manifest.check_public(&component.allow_public)?;
        let reveal = &inspection.manifest.reveal;
        if !reveal.is_empty() && !component.allow_reveal {
            let places = reveal.planning.iter().chain(&reveal.acting);
            return Err(LoadError::Reveal {
                provider: inspection.manifest.name.clone(),
                places: places.cloned().collect(),
            });
        }
        let digest = inspection.digest.clone();
        let known = self.loaded().get(&digest).and_then(Weak::upgrade);
        if let Some(prepared) = known {
            return Ok((prepared, "memory"));
        }
        let cached = shared
            .cache
            .as_ref()
            .and_then(|cache| cache.read(&shared.engine, &digest));
        let (compiled, from) = match cached {
            Some(compiled) => (compiled, "disk"),
            None => (self.compile(&component.bytes, &digest)?, "compiler"),
        };
        let prepared = Arc::new(self.prepare(&compiled, inspection)?);
        let mut loaded = self.loaded();
        loaded.retain(|_, prepared| prepared.strong_count() > 0);
        loaded.insert(digest, Arc::downgrade(&prepared));
        Ok((prepared, from))
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, HashMap<String, Weak<Prepared>>> {
        self.shared
            .loaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn compile(
        &self,
        bytes: &[u8],
        digest: &str,
    ) -> Result<wasmtime::component::Component, LoadError> {
        let engine = &self.shared.engine;
        let compiled = wasmtime::component::Component::from_binary(engine, bytes)
            .map_err(|error| LoadError::Compile { why: why(&error) })?;
        if let Some(cache) = &self.shared.cache {
            cache.write(&compiled, digest);
        }
        Ok(compiled)
    }

    fn prepare(
        &self,
        compiled: &wasmtime::component::Component,
        inspection: Inspection,
    ) -> Result<Prepared, LoadError> {
        let manifest = inspection.manifest;
        let provider = manifest.name.clone();
        let actor = Actor::new(&self.shared.linker, compiled, &manifest.kinds);
        let actor = actor.map_err(|unfit| match unfit {
            Unfit::Imports(error) => LoadError::ImportType {
                provider: provider.clone(),
                why: why(&error),
            },
            Unfit::Exports(kind, error) => {
                let interface = component::interface_of(kind).unwrap_or_default();
                export_type(&provider, interface, &error)
            }
        })?;
        let planner = Planner::new(&self.shared.engine, compiled)
            .map_err(|error| export_type(&provider, PLANNING, &error))?;
        Ok(Prepared {
            id: ProviderId {
                name: manifest.name.clone(),
                version: manifest.version,
            },
            manifest: Arc::new(manifest),
            digest: inspection.digest,
            planner,
            actor,
            permits: permits(self.shared.limits.operations_per_provider),
        })
    }
}

/// At least one, or nothing could run.
fn permits(most: usize) -> Arc<Semaphore> {
    places(most.max(1))
}

fn places(most: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))
}

pub(crate) fn export_type(provider: &str, export: &str, error: &wasmtime::Error) -> LoadError {
    LoadError::ExportType {
        provider: provider.to_owned(),
        export: export.to_owned(),
        why: why(error),
    }
}

fn setup(error: impl Into<wasmtime::Error>) -> LoadError {
    LoadError::Sandbox {
        why: why(&error.into()),
    }
}

/// The chain of an error in one line.
fn why(error: &wasmtime::Error) -> String {
    let chain: Vec<_> = error.chain().map(ToString::to_string).collect();
    portolan_contract::strip_controls(&chain.join(": "), 400)
}
