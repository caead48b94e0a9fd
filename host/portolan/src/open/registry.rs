//! The handle of a connection that is a schema registry.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use portolan_contract::{MAX_SUBJECTS, Operation, Schema};
use portolan_sandbox::ProviderError;

use super::OpenOptions;
use super::gate::{HandleGate, Worker};
use super::pinned::Pinned;
use super::service::{Service, Services};
use crate::Error;
use crate::access::Actor;
use crate::host::Shared;
use crate::metrics::{Metrics, sqlstate_of};

/// The most subjects that are listed: a registry that has more answers with the first of them.
const MOST_LISTED: u32 = 1_000_000;

/// An open connection to a schema registry.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on.
#[derive(Clone)]
pub struct Registry {
    gate: Arc<HandleGate>,
    shared: Arc<Parts>,
}

/// What clones of a handle have in common.
struct Parts {
    services: Services,
    metrics: Metrics,
}

impl Registry {
    pub(crate) async fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        operation: Operation,
        options: OpenOptions,
    ) -> Result<Self, Error> {
        let worker = Worker::Provider;
        let gate = HandleGate::new(host, actor, Arc::clone(&pinned), operation, worker, options);
        let services = Services::open(host, &pinned).await?;
        host.handles.add(&gate);
        let shared = Parts {
            services,
            metrics: host.metrics.clone(),
        };
        Ok(Self {
            gate,
            shared: Arc::new(shared),
        })
    }

    /// The names of all subjects, in the registry's order.
    ///
    /// # Errors
    /// Why the handle may not be used any more, and what the registry refuses: 28000 or 42501 as it
    /// says, 08001 where it does not answer, 08P01 where it is none.
    pub async fn subjects(&self) -> Result<Vec<String>, Error> {
        let turn = self.turn("subjects").await?;
        let mut names = Vec::new();
        loop {
            let Service { provider, grants } = &turn.service;
            let skip = u32::try_from(names.len()).unwrap_or(MOST_LISTED);
            let more = provider.subjects(grants, skip, MAX_SUBJECTS).await;
            let count = match &more {
                Ok(more) => more.len(),
                Err(_) => return turn.counted(more),
            };
            names.extend(more.unwrap_or_default());
            if count < MAX_SUBJECTS as usize || names.len() >= MOST_LISTED as usize {
                return turn.counted(Ok(names));
            }
        }
    }

    /// Registers a schema under a subject: its number. One that is registered already keeps its
    /// number.
    ///
    /// # Errors
    /// As [`subjects`](Self::subjects); 42501 for a schema that is not compatible with those before
    /// it, 0A000 for one that the registry cannot read.
    pub async fn register(&self, subject: &str, schema: &Schema) -> Result<u32, Error> {
        let turn = self.turn("register").await?;
        let Service { provider, grants } = &turn.service;
        turn.counted(provider.register(grants, subject, schema).await)
    }

    /// The schema with a number.
    ///
    /// # Errors
    /// As [`subjects`](Self::subjects); 42704 where there is none.
    pub async fn get(&self, id: u32) -> Result<Schema, Error> {
        let turn = self.turn("get").await?;
        let Service { provider, grants } = &turn.service;
        turn.counted(provider.schema(grants, id).await)
    }

    /// The name of the provider that talks to the registry.
    #[must_use]
    pub fn provider(&self) -> String {
        self.gate.pinned().connection.provider.clone()
    }

    /// The version of the connection that the handle uses.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.gate.version()
    }

    /// Whether the handle may be used and its version is the newest. A handle that follows takes
    /// the newest with this.
    pub async fn is_current(&self) -> bool {
        self.gate.is_current().await
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub async fn changed(&self) {
        self.gate.changed().await;
    }

    /// Lets an operation begin.
    async fn turn(&self, operation: &'static str) -> Result<Turn<'_>, Error> {
        let started = Instant::now();
        let pinned = self.gate.pass().await?;
        let Parts { services, metrics } = &*self.shared;
        let service = services.of(&pinned).await?;
        Ok(Turn {
            service,
            pinned,
            operation,
            started,
            metrics,
        })
    }
}

/// One operation of a registry.
struct Turn<'a> {
    service: Service,
    pinned: Arc<Pinned>,
    operation: &'static str,
    started: Instant,
    metrics: &'a Metrics,
}

impl Turn<'_> {
    fn counted<T>(&self, result: Result<T, ProviderError>) -> Result<T, Error> {
        let result = result.map_err(Error::from);
        let provider = &self.pinned.connection.provider;
        let took = self.started.elapsed();
        self.metrics
            .registry_operation(provider, self.operation, sqlstate_of(&result), took);
        result
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
