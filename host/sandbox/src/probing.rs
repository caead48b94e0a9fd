//! Phase two: a probe with the handles that it is granted, and what it told.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use portolan_contract::{Depth, Kind, Outcome, Step, StoredPlan};
use portolan_egress::Egress;
use portolan_egress::credentials::Lent;
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre, Linker, Resource};

use crate::binding::Unbound;
use crate::bindings::host::steps::Depth as GuestDepth;
use crate::bindings::provided::{database, kms, registry, sink, storage};
use crate::bindings::types::PlanEntry;
use crate::capabilities::keys::Marker;
use crate::capabilities::objects::{MarkerReader, MarkerWriter};
use crate::convert::to_guest_plan;
use crate::guest::Guest;
use crate::{Fault, Limits, ProviderError, component};

/// What is to be probed, and with what.
#[derive(Debug)]
pub struct ProbeRequest {
    /// The plan.
    pub plan: StoredPlan,
    /// How far the probe goes. At `read` the provider is given nothing that writes.
    pub depth: Depth,
    /// The store of a storage connection, at the connection's path; the probe sees the marker of it.
    pub store: Option<Arc<dyn ObjectStore>>,
    /// The way out to the endpoints of the plan, and with it its named secrets as opaque parts.
    /// Without it, or where the plan has no endpoint, a call of either interface ends the provider.
    pub egress: Option<Egress>,
    /// What the host lends its connections, for requests of a plan that asks for it.
    pub lent: Lent,
    /// The most wall time of the whole probe; without it the limit of the sandbox.
    pub timeout: Option<Duration>,
}

/// What a probe told.
#[derive(Debug, Clone)]
pub struct Probed {
    /// The steps, in order. What was told before the provider was stopped is here; a step that was
    /// open then failed for the same reason.
    pub steps: Vec<Step>,
    /// Whether the provider came to its end. An error says why it was stopped; a step that failed
    /// is no error here.
    pub result: Result<(), ProviderError>,
}

impl Probed {
    /// Why the connection does not work, if it does not: why the provider was stopped, or else the
    /// first step that failed.
    #[must_use]
    pub fn failure(&self) -> Option<ProviderError> {
        if let Err(stopped) = &self.result {
            return Some(stopped.clone());
        }
        self.steps.iter().find_map(|step| match &step.outcome {
            Outcome::Failed(failure) => Some(ProviderError::Refused(failure.clone())),
            _ => None,
        })
    }
}

/// A component that is ready to act: one set of exports for each kind of its manifest.
pub(crate) struct Actor {
    instances: InstancePre<Guest>,
    storage: Option<storage::GuestIndices>,
    kms: Option<kms::GuestIndices>,
    sink: Option<sink::GuestIndices>,
    registry: Option<registry::GuestIndices>,
    database: Option<database::GuestIndices>,
}

fn bound<T>(kind: Kind, loaded: wasmtime::Result<T>) -> Result<(), Unbound> {
    let interface = component::interface_of(kind).unwrap_or_default();
    loaded
        .map(drop)
        .map_err(|error| Unbound::Type(interface, error))
}

/// Why a component cannot act.
pub(crate) enum Unfit {
    Imports(wasmtime::Error),
    Exports(Kind, wasmtime::Error),
}

impl Actor {
    /// Links a component with the whole contract, which checks the types of all its imports, and
    /// finds the interface of each kind among its exports.
    pub(crate) fn new(
        linker: &Linker<Guest>,
        component: &Component,
        kinds: &[Kind],
    ) -> Result<Self, Unfit> {
        let instances = linker.instantiate_pre(component).map_err(Unfit::Imports)?;
        let mut actor = Self {
            storage: None,
            kms: None,
            sink: None,
            registry: None,
            database: None,
            instances,
        };
        for kind in kinds {
            actor
                .bind(*kind)
                .map_err(|error| Unfit::Exports(*kind, error))?;
        }
        Ok(actor)
    }

    fn bind(&mut self, kind: Kind) -> wasmtime::Result<()> {
        let instances = &self.instances;
        match kind {
            Kind::Storage => self.storage = Some(storage::GuestIndices::new(instances)?),
            Kind::Kms => self.kms = Some(kms::GuestIndices::new(instances)?),
            Kind::Sink => self.sink = Some(sink::GuestIndices::new(instances)?),
            Kind::Registry => self.registry = Some(registry::GuestIndices::new(instances)?),
            Kind::Database => self.database = Some(database::GuestIndices::new(instances)?),
            _ => {}
        }
        Ok(())
    }

    /// Makes an instance in the fresh store given and binds the interface of each kind.
    pub(crate) async fn start(
        &self,
        store: &mut Store<Guest>,
        limits: &Limits,
    ) -> Result<(), Unbound> {
        store.data().budget.clock().start();
        let instance = self.instances.instantiate_async(&mut *store).await;
        let instance = instance.map_err(|error| Unbound::start(&error, limits))?;
        if let Some(storage) = &self.storage {
            bound(Kind::Storage, storage.load(&mut *store, &instance))?;
        }
        if let Some(kms) = &self.kms {
            bound(Kind::Kms, kms.load(&mut *store, &instance))?;
        }
        if let Some(sink) = &self.sink {
            bound(Kind::Sink, sink.load(&mut *store, &instance))?;
        }
        if let Some(registry) = &self.registry {
            bound(Kind::Registry, registry.load(&mut *store, &instance))?;
        }
        if let Some(database) = &self.database {
            bound(Kind::Database, database.load(&mut *store, &instance))?;
        }
        Ok(())
    }

    /// Probes in the fresh store given, by the first kind of the plan.
    pub(crate) async fn probe(
        &self,
        store: &mut Store<Guest>,
        plan: &StoredPlan,
        acting: &[String],
        depth: Depth,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let called = |error: wasmtime::Error| Fault::of_acting(&error, limits);
        let entries = to_guest_plan(plan, acting);
        let guest_depth = match depth {
            Depth::Read => GuestDepth::Read,
            Depth::Full => GuestDepth::Full,
        };
        store.data().budget.clock().start();
        let instance = self
            .instances
            .instantiate_async(&mut *store)
            .await
            .map_err(|error| Fault::of_start(&error, limits))?;
        let kind = plan.plan.kinds().next();
        self.call(store, &instance, kind, &entries, &guest_depth)
            .await
            .map_err(called)
    }

    async fn call(
        &self,
        store: &mut Store<Guest>,
        instance: &Instance,
        kind: Option<Kind>,
        plan: &[PlanEntry],
        depth: &GuestDepth,
    ) -> wasmtime::Result<()> {
        match kind {
            Some(Kind::Storage) if let Some(storage) = &self.storage => {
                let reader = Resource::<MarkerReader>::new_own(0);
                let writer =
                    matches!(depth, GuestDepth::Full).then(|| Resource::<MarkerWriter>::new_own(0));
                let storage = storage.load(&mut *store, instance)?;
                storage.call_probe(store, plan, reader, writer, depth).await
            }
            Some(Kind::Kms) if let Some(kms) = &self.kms => {
                let marker =
                    matches!(depth, GuestDepth::Full).then(|| Resource::<Marker>::new_own(0));
                let kms = kms.load(&mut *store, instance)?;
                kms.call_probe(store, plan, marker, depth).await
            }
            Some(Kind::Sink) if let Some(sink) = &self.sink => {
                let sink = sink.load(&mut *store, instance)?;
                sink.call_probe(store, plan, &[], depth).await
            }
            Some(Kind::Registry) if let Some(registry) = &self.registry => {
                let registry = registry.load(&mut *store, instance)?;
                registry.call_probe(store, plan, depth).await
            }
            Some(Kind::Database) if let Some(database) = &self.database => {
                let database = database.load(&mut *store, instance)?;
                database.call_probe(store, plan, depth).await
            }
            _ => {
                let kind = kind.map_or("none", Kind::as_str);
                Err(Fault::Host(format!("its manifest does not list the kind {kind}")).into())
            }
        }
    }
}
