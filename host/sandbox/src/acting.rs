//! Phase two: what every acting call needs, whatever it calls.
//!
//! [`Grants`] say what is lent; an [`Actor`] is the component that is ready; [`Acting`] is one fresh
//! instance of it, which ends with its operation. The calls themselves stand in one file for each
//! kind of connection, `kms` and its neighbours; `probing` has the probes of all of them.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use portolan_contract::{Failure, Kind, StoredPlan};
use portolan_data::MarkerStore;
use portolan_egress::Egress;
use portolan_egress::credentials::Lent as LentCredentials;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Linker};

use crate::binding::Unbound;
use crate::bindings::provided::{database, kms, registry, sink, storage};
use crate::bindings::types;
use crate::budget::Budget;
use crate::capabilities::{KeyMarker, LogBudget, Network, StepRecorder, Way};
use crate::convert::{as_given, cleaned, to_guest_plan};
use crate::guest::{self, Guest, Lent};
use crate::kms::KeyCalls;
use crate::metrics::Phase;
use crate::operation::{Lease, Operation};
use crate::own_words::OwnWords;
use crate::resting::Resting;
use crate::words::Words;
use crate::{Fault, Limits, Provider, component};

/// What acting calls of one connection are granted: its plan, the way to the endpoints of it, and
/// its named secrets as opaque parts.
///
/// Cheap to clone. Clones share the way: connections that are open, tokens and keys that were got
/// and TLS sessions serve the next call as well, and of a key its instance.
#[derive(Debug, Clone)]
pub struct Grants {
    pub(crate) plan: Arc<StoredPlan>,
    /// What finds the plan's secrets in what is answered: making its automaton takes as long as a call.
    pub(crate) words: Arc<Words>,
    /// The plan for a guest to which no secret is revealed.
    entries: Arc<OnceLock<Vec<types::PlanEntry>>>,
    pub(crate) way: Option<Way>,
    pub(crate) wall: Option<Duration>,
    pub(crate) resting: Resting,
}

impl Grants {
    /// The plan and nothing else: a call to anything outside ends the provider.
    #[must_use]
    pub fn new(plan: Arc<StoredPlan>) -> Self {
        Self {
            words: Arc::new(Words::acting(&plan)),
            entries: Arc::default(),
            plan,
            way: None,
            wall: None,
            resting: Resting::default(),
        }
    }

    /// The same, with the way to the endpoints of the plan; `lent` is what the host lends its
    /// connections, for a plan that asks for it. Nothing is dialled yet.
    #[must_use]
    pub fn with_network(mut self, egress: Egress, lent: LentCredentials) -> Self {
        self.way = Some(Way::new(egress, lent));
        self
    }

    /// The same, with at most so much wall time for a call, instead of the limit of the sandbox.
    #[must_use]
    pub fn within(mut self, wall: Duration) -> Self {
        self.wall = Some(wall);
        self
    }
}

/// A component that is ready to act: one set of exports for each kind of its manifest.
pub(crate) struct Actor {
    instances: InstancePre<Guest>,
    pub(crate) storage: Option<storage::GuestIndices>,
    pub(crate) kms: Option<kms::GuestIndices>,
    pub(crate) key_calls: Option<KeyCalls>,
    pub(crate) sink: Option<sink::GuestIndices>,
    /// The sink's `emit`, which is given borrowed messages.
    pub(crate) emit: Option<ComponentExportIndex>,
    pub(crate) registry: Option<registry::GuestIndices>,
    pub(crate) database: Option<database::GuestIndices>,
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
            key_calls: None,
            sink: None,
            emit: None,
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
            Kind::Kms => {
                self.kms = Some(kms::GuestIndices::new(instances)?);
                self.key_calls = KeyCalls::of(instances.component());
            }
            Kind::Sink => {
                self.sink = Some(sink::GuestIndices::new(instances)?);
                self.emit = component::function_of(instances.component(), kind, "emit");
            }
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
        let instance = self.instantiate(store, limits).await;
        let instance = instance.map_err(Unbound::Start)?;
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

    /// Makes an instance in the fresh store given. The guest's clock runs from here on.
    async fn instantiate(
        &self,
        store: &mut Store<Guest>,
        limits: &Limits,
    ) -> Result<Instance, Fault> {
        store.data().budget.clock().start();
        let instance = self.instances.instantiate_async(&mut *store).await;
        instance.map_err(|error| Fault::of_start(&error, limits))
    }
}

/// One instance that acts: for one operation, or for several in a row, with a rest between two.
pub(crate) struct Acting {
    pub(crate) store: Store<Guest>,
    pub(crate) instance: Instance,
    // After the store, so that it is dropped after it.
    lease: Option<Lease>,
}

impl Acting {
    /// Waits for the operation's turn and starts an instance.
    pub(crate) async fn start(operation: &Operation<'_>, guest: Guest) -> Result<Self, Fault> {
        let lease = operation.lease().await;
        let Provider { sandbox, prepared } = operation.provider();
        let mut store = guest::store(sandbox.engine(), guest);
        let actor = &prepared.actor;
        let instance = actor.instantiate(&mut store, sandbox.limits()).await?;
        Ok(Self {
            store,
            instance,
            lease: Some(lease),
        })
    }

    /// The operation has ended, and another one may follow: others have their turn meanwhile.
    pub(crate) fn rest(&mut self) {
        self.store.data().budget.clock().stop();
        self.lease = None;
    }

    /// Waits for the turn of the next operation. The guest's clock runs from here on.
    pub(crate) async fn resume(&mut self, operation: &Operation<'_>) {
        self.lease = Some(operation.lease().await);
        // Epochs have passed meanwhile.
        self.store.set_epoch_deadline(1);
        self.store.data().budget.clock().start();
    }

    /// The way to the endpoints of the plan, with the handles that the guest holds of it. An opaque
    /// part that a call is given or answers is one of them.
    pub(crate) fn network(&mut self) -> Result<&mut Network, Fault> {
        let lent = self.store.data_mut().lent.as_mut();
        let network = lent.and_then(|lent| lent.network.as_mut());
        network.ok_or_else(|| Fault::Contract("planned no endpoint to act on".to_owned()))
    }

    /// Why a call into the guest ended with an error.
    pub(crate) fn stopped(&self, error: &wasmtime::Error) -> Fault {
        Fault::of_acting(error, self.store.data().budget.limits())
    }

    /// A failure that the guest answered with, its words cleaned. One that the host made and the
    /// guest passed on unchanged stays as it is.
    pub(crate) fn failure(&self, failure: types::Failure) -> Failure {
        match &self.store.data().lent {
            Some(lent) => lent.failure(failure),
            None => cleaned(as_given(failure), &Words::blind()),
        }
    }
}

impl Lent {
    /// A failure of the guest, its words cleaned, unless they are the host's own.
    pub(crate) fn failure(&self, failure: types::Failure) -> Failure {
        let failure = as_given(failure);
        match self.own_words.hold(&failure) {
            true => failure,
            false => cleaned(failure, &self.words),
        }
    }
}

impl Provider {
    /// An acting operation that is about to begin, and its guest.
    pub(crate) fn acting(&self, grants: &Grants) -> (Operation<'_>, Guest) {
        let limits = self.sandbox.limits();
        let wall = grants.wall.unwrap_or(limits.call_wall_time);
        let (operation, budget) = Operation::new(self, Phase::Acting, wall);
        let steps = StepRecorder::new(limits.step_wall_time);
        let lent = self.lent(grants, steps, None);
        (operation, with(budget, lent))
    }

    /// One call more into an instance, with a budget as for the first.
    pub(crate) fn next_call(&self, grants: &Grants, acting: &mut Acting) -> Operation<'_> {
        let wall = grants.wall.unwrap_or(self.sandbox.limits().call_wall_time);
        let budget = &mut acting.store.data_mut().budget;
        budget.renew();
        Operation::again(self, wall, budget)
    }

    /// What a guest of phase two is lent. What it tells goes to `steps`.
    pub(crate) fn lent(
        &self,
        grants: &Grants,
        steps: StepRecorder,
        markers: Option<MarkerStore>,
    ) -> Lent {
        let limits = self.sandbox.limits();
        let (plan, manifest) = (&grants.plan, &self.prepared.manifest);
        let way = grants.way.clone();
        Lent {
            markers,
            key_marker: KeyMarker::default(),
            steps,
            log: LogBudget::new(
                self.prepared.id.clone(),
                self.sandbox.recorder().clone(),
                limits.log_bytes,
            ),
            words: Arc::clone(&grants.words),
            own_words: OwnWords::default(),
            network: way.and_then(|way| Network::new(way, plan, manifest)),
        }
    }

    /// The plan as a guest of phase two gets it. It is made once, unless it reveals a secret, which
    /// is not kept in the clear.
    pub(crate) fn acting_plan<'a>(&self, grants: &'a Grants) -> Cow<'a, [types::PlanEntry]> {
        match &self.prepared.manifest.reveal.acting[..] {
            [] => {
                let entries = &grants.entries;
                Cow::Borrowed(entries.get_or_init(|| to_guest_plan(&grants.plan, &[])))
            }
            revealed => Cow::Owned(to_guest_plan(&grants.plan, revealed)),
        }
    }
}

/// A guest that is lent something.
pub(crate) fn with(budget: Budget, lent: Lent) -> Guest {
    Guest {
        budget,
        lent: Some(lent),
    }
}
