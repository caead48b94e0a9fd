//! Phase two: a probe with the handles that it is granted, and what it told.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use portolan_contract::{Depth, Kind, Outcome, Step, StoredPlan};
use portolan_data::MarkerStore;
use portolan_egress::Egress;
use portolan_egress::credentials::Lent;
use tracing::Instrument;
use wasmtime::component::Resource;

use crate::acting::{Acting, Grants, with};
use crate::bindings::host::steps::Depth as GuestDepth;
use crate::bindings::types::PlanEntry;
use crate::capabilities::StepRecorder;
use crate::capabilities::keys::Marker;
use crate::capabilities::objects::{MarkerReader, MarkerWriter};
use crate::metrics::Phase;
use crate::operation::Operation;
use crate::{AnswerProblem, Fault, Provider, ProviderError};

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

impl Provider {
    /// Probes a connection in a fresh instance with the handles that the request grants.
    ///
    /// Dropping the future ends the instance; what it wrote stays.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn probe(&self, request: ProbeRequest) -> Probed {
        let limits = self.sandbox.limits();
        let wall = request.timeout.unwrap_or(limits.probe_wall_time);
        let (operation, budget) = Operation::new(self, Phase::Acting, wall);
        let span = operation.span();
        async {
            let steps = StepRecorder::new(limits.step_wall_time);
            let mut grants = Grants::new(Arc::new(request.plan));
            if let Some(egress) = request.egress {
                grants = grants.with_network(egress, request.lent);
            }
            let markers = request.store.map(MarkerStore::new);
            let guest = with(budget, self.lent(&grants, steps.clone(), markers));
            let plan = &grants.plan;
            let probing = async {
                let mut acting = Acting::start(&operation, guest).await?;
                let kind = plan.plan.kinds().next();
                let entries = self.acting_plan(&grants);
                acting.probe(self, kind, &entries, request.depth).await
            };
            let result = operation.within(probing).await;
            let steps = steps.finish(result.as_ref().err());
            let result = match result {
                Ok(()) if steps.is_empty() => Err(ProviderError::Answer {
                    provider: self.id().clone(),
                    problem: AnswerProblem::NoStep,
                }),
                result => result.map_err(|fault| self.stopped(fault)),
            };
            operation.count(result.as_ref().err());
            Probed { steps, result }
        }
        .instrument(span)
        .await
    }
}

impl Acting {
    /// Probes by one kind of the plan.
    async fn probe(
        &mut self,
        provider: &Provider,
        kind: Option<Kind>,
        plan: &[PlanEntry],
        depth: Depth,
    ) -> Result<(), Fault> {
        let guest_depth = match depth {
            Depth::Read => GuestDepth::Read,
            Depth::Full => GuestDepth::Full,
        };
        let probed = self.call_probe(provider, kind, plan, &guest_depth).await;
        probed.map_err(|error| self.stopped(&error))
    }

    async fn call_probe(
        &mut self,
        provider: &Provider,
        kind: Option<Kind>,
        plan: &[PlanEntry],
        depth: &GuestDepth,
    ) -> wasmtime::Result<()> {
        let (store, instance) = (&mut self.store, &self.instance);
        let actor = &provider.prepared.actor;
        match kind {
            Some(Kind::Storage) if let Some(storage) = &actor.storage => {
                let reader = Resource::<MarkerReader>::new_own(0);
                let writer =
                    matches!(depth, GuestDepth::Full).then(|| Resource::<MarkerWriter>::new_own(0));
                let storage = storage.load(&mut *store, instance)?;
                storage.call_probe(store, plan, reader, writer, depth).await
            }
            Some(Kind::Kms) if let Some(kms) = &actor.kms => {
                let marker =
                    matches!(depth, GuestDepth::Full).then(|| Resource::<Marker>::new_own(0));
                let kms = kms.load(&mut *store, instance)?;
                kms.call_probe(store, plan, marker, depth).await
            }
            Some(Kind::Sink) if let Some(sink) = &actor.sink => {
                let sink = sink.load(&mut *store, instance)?;
                sink.call_probe(store, plan, &[], depth).await
            }
            Some(Kind::Registry) if let Some(registry) = &actor.registry => {
                let registry = registry.load(&mut *store, instance)?;
                registry.call_probe(store, plan, depth).await
            }
            Some(Kind::Database) if let Some(database) = &actor.database => {
                let database = database.load(&mut *store, instance)?;
                database.call_probe(store, plan, depth).await
            }
            _ => Err(Fault::unlisted(kind).into()),
        }
    }
}
