//! A provider that works for a handle, with what it is granted.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use portolan_contract::Operation;
use portolan_egress::Egress;
use portolan_egress::credentials::Lent;
use portolan_sandbox::{Grants, Provider, ProviderError};

use super::OpenOptions;
use super::gate::{HandleGate, Worker};
use super::made::Made;
use super::pinned::Pinned;
use crate::Error;
use crate::access::Actor;
use crate::host::Shared;
use crate::metrics::{Asked, Metrics, sqlstate_of};
use crate::providers::Registry;

/// A provider, and what it is granted for one version of a connection. Its connections and tokens are
/// kept for as long as the grants are.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) provider: Provider,
    pub(super) grants: Grants,
}

/// The services of one handle, one for each version that it uses.
pub(super) struct Services {
    made: Made<Service>,
    maker: Maker,
}

/// What services are made with.
struct Maker {
    egress: Egress,
    lent: Lent,
    providers: Arc<Registry>,
}

impl Services {
    /// Makes the first one. Nothing is dialled.
    pub(super) async fn open(host: &Shared, pinned: &Arc<Pinned>) -> Result<Self, Error> {
        let maker = Maker {
            egress: host.egress.clone(),
            lent: host.lent.clone(),
            providers: Arc::clone(&host.providers),
        };
        let first = maker.make(pinned).await?;
        Ok(Self {
            made: Made::new(Arc::clone(pinned), first),
            maker,
        })
    }

    /// The one of this version.
    pub(super) async fn of(&self, pinned: &Arc<Pinned>) -> Result<Service, Error> {
        self.made.of(pinned, self.maker.make(pinned)).await
    }
}

impl Maker {
    async fn make(&self, pinned: &Pinned) -> Result<Service, Error> {
        let provider = pinned.provider.load(&self.providers).await?.clone();
        let grants = Grants::new(Arc::clone(&pinned.stored));
        Ok(Service {
            provider,
            grants: grants.with_network(self.egress.clone(), self.lent.clone()),
        })
    }
}

/// What a handle consists of that asks its provider for one thing at a time.
pub(super) struct Asking {
    pub(super) gate: Arc<HandleGate>,
    services: Services,
    what: Asked,
    metrics: Metrics,
}

impl Asking {
    pub(super) async fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        operation: Operation,
        options: OpenOptions,
        what: Asked,
    ) -> Result<Self, Error> {
        let worker = Worker::Provider;
        let gate = HandleGate::new(host, actor, Arc::clone(&pinned), operation, worker, options);
        let services = Services::open(host, &pinned).await?;
        host.handles.add(&gate);
        Ok(Self {
            gate,
            services,
            what,
            metrics: host.metrics.clone(),
        })
    }

    /// The name of the provider.
    pub(super) fn provider(&self) -> String {
        self.gate.pinned().connection.provider.clone()
    }

    /// Lets an operation begin.
    pub(super) async fn turn(&self, operation: &'static str) -> Result<Turn<'_>, Error> {
        let started = Instant::now();
        let pinned = self.gate.pass().await?;
        Ok(Turn {
            service: self.services.of(&pinned).await?,
            pinned,
            operation,
            started,
            asking: self,
        })
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

/// One operation of a handle.
pub(super) struct Turn<'a> {
    pub(super) service: Service,
    pub(super) pinned: Arc<Pinned>,
    operation: &'static str,
    started: Instant,
    asking: &'a Asking,
}

impl Turn<'_> {
    /// Counts what came of it.
    pub(super) fn counted<T>(&self, result: Result<T, ProviderError>) -> Result<T, Error> {
        let result = result.map_err(Error::from);
        let Asking { what, metrics, .. } = self.asking;
        let provider = &self.pinned.connection.provider;
        let (state, took) = (sqlstate_of(&result), self.started.elapsed());
        metrics.asked(*what, provider, self.operation, state, took);
        result
    }
}
