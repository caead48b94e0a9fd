//! A loaded provider: plan and probe, each in an instance of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use portolan_contract::{Manifest, SplitUri};
use portolan_data::MarkerStore;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use crate::binding::Unbound;
use crate::budget::Budget;
use crate::capabilities::{KeyMarker, LogBudget, Network, StepRecorder};
use crate::guest::{self, Guest, Lent};
use crate::metrics::{self, Phase};
use crate::own_words::OwnWords;
use crate::planning::{Planner, Refusal};
use crate::probing::Actor;
use crate::sandbox::export_type;
use crate::ticker::Running;
use crate::words::Words;
use crate::{
    AnswerProblem, BindError, Fault, Planned, ProbeRequest, Probed, ProviderError, ProviderId,
    Sandbox,
};

/// A component that is compiled, checked and linked; cheap to clone.
#[derive(Clone)]
pub struct Provider {
    pub(crate) sandbox: Sandbox,
    pub(crate) prepared: Arc<Prepared>,
}

/// What is made of a component once, however often it is loaded.
pub(crate) struct Prepared {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) id: ProviderId,
    pub(crate) digest: String,
    pub(crate) planner: Planner,
    pub(crate) actor: Actor,
    pub(crate) permits: Arc<Semaphore>,
}

/// What an operation holds while it runs. It is made before the store and dropped after it.
struct Lease {
    _of_provider: OwnedSemaphorePermit,
    _of_host: OwnedSemaphorePermit,
    _ticks: Running,
}

/// What an operation waits for before it runs.
#[derive(Default)]
struct Turn(AtomicU8);

impl Turn {
    const OF_PROVIDER: u8 = 0;
    const OF_HOST: u8 = 1;
    const HAS_COME: u8 = 2;
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider")
            .field("id", &self.prepared.id)
            .field("digest", &self.prepared.digest)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// What the provider says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.prepared.manifest
    }

    /// SHA-256 of its component, in lower-case hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.prepared.digest
    }

    /// Name and version.
    #[must_use]
    pub fn id(&self) -> &ProviderId {
        &self.prepared.id
    }

    /// Plans and redacts a URI that was split by this provider's manifest, in one fresh instance
    /// from which no byte can leave, and checks both answers: what is planned is in the manifest,
    /// each secret exists and is named once, and the redacted URI keeps secrets and redacts to
    /// itself.
    ///
    /// Dropping the future ends the instance.
    ///
    /// # Errors
    ///
    /// The provider refuses the URI, was stopped, or gave an answer that breaks a rule.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn plan(&self, uri: &SplitUri) -> Result<Planned, ProviderError> {
        let span = self.span(Phase::Planning);
        async {
            let limits = self.sandbox.limits();
            let budget = Budget::new(self.sandbox.shared_limits());
            let clock = Arc::clone(budget.clock());
            let wall = limits.planning_wall_time;
            let turn = Turn::default();
            let planned = async {
                let lease = self.lease(&turn).await;
                let guest = Guest { budget, lent: None };
                let mut store = guest::store(self.sandbox.engine(), guest);
                let planned = self
                    .prepared
                    .planner
                    .run(&mut store, self.manifest(), uri, limits)
                    .await;
                drop(store);
                drop(lease);
                planned
            };
            let result = match tokio::time::timeout(wall, planned).await {
                Ok(planned) => planned.map_err(|refusal| self.refused(refusal)),
                Err(_) => Err(self.stopped(self.out_of_time(&turn, wall))),
            };
            self.count(Phase::Planning, result.as_ref().err(), clock.stop());
            result
        }
        .instrument(span)
        .await
    }

    /// Probes a connection in a fresh instance with the handles that the request grants.
    ///
    /// Dropping the future ends the instance; what it wrote stays.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn probe(&self, request: ProbeRequest) -> Probed {
        let span = self.span(Phase::Acting);
        async {
            let limits = self.sandbox.limits();
            let budget = Budget::new(self.sandbox.shared_limits());
            let clock = Arc::clone(budget.clock());
            let acting = self.manifest().reveal.acting.as_slice();
            let wall = request.timeout.unwrap_or(limits.probe_wall_time);
            let steps = StepRecorder::new(limits.step_wall_time);
            let plan = Arc::new(request.plan);
            let network = request.egress.and_then(|egress| {
                Network::new(egress, request.lent, &plan, &self.prepared.manifest)
            });
            let lent = Lent {
                markers: request.store.clone().map(MarkerStore::new),
                key_marker: KeyMarker::default(),
                steps: steps.clone(),
                log: LogBudget::new(
                    self.prepared.id.clone(),
                    self.sandbox.recorder().clone(),
                    limits.log_bytes,
                ),
                words: Words::acting(&plan),
                own_words: OwnWords::default(),
                network,
            };
            let turn = Turn::default();
            let probed = async {
                let lease = self.lease(&turn).await;
                let guest = Guest {
                    budget,
                    lent: Some(lent),
                };
                let mut store = guest::store(self.sandbox.engine(), guest);
                let probed = self
                    .prepared
                    .actor
                    .probe(&mut store, &plan, acting, request.depth, limits)
                    .await;
                drop(store);
                drop(lease);
                probed
            };
            let result = match tokio::time::timeout(wall, probed).await {
                Ok(probed) => probed,
                Err(_) => Err(self.out_of_time(&turn, wall)),
            };
            let steps = steps.finish(result.as_ref().err());
            let result = match result {
                Ok(()) if steps.is_empty() => Err(ProviderError::Answer {
                    provider: self.prepared.id.clone(),
                    problem: AnswerProblem::NoStep,
                }),
                result => result.map_err(|fault| self.stopped(fault)),
            };
            self.count(Phase::Acting, result.as_ref().err(), clock.stop());
            Probed { steps, result }
        }
        .instrument(span)
        .await
    }

    /// Binds every export in fresh instances that are lent nothing, which is when the runtime
    /// compares their types with the contract's. What runs of the component is its start code.
    ///
    /// # Errors
    ///
    /// An export has another type, or the provider was stopped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn bind(&self) -> Result<(), BindError> {
        let limits = self.sandbox.limits();
        let wall = limits.planning_wall_time;
        let turn = Turn::default();
        let bound = async {
            let lease = self.lease(&turn).await;
            let fresh = || {
                let budget = Budget::new(self.sandbox.shared_limits());
                guest::store(self.sandbox.engine(), Guest { budget, lent: None })
            };
            let mut bound = self
                .prepared
                .planner
                .start(&mut fresh(), limits)
                .await
                .map(drop);
            if bound.is_ok() {
                bound = self.prepared.actor.start(&mut fresh(), limits).await;
            }
            drop(lease);
            bound
        };
        match tokio::time::timeout(wall, bound).await {
            Ok(bound) => bound.map_err(|unbound| match unbound {
                Unbound::Start(fault) => self.stopped(fault).into(),
                Unbound::Type(export, error) => {
                    export_type(&self.prepared.id.name, export, &error).into()
                }
            }),
            Err(_) => Err(self.stopped(self.out_of_time(&turn, wall)).into()),
        }
    }

    /// Waits for its turn, with this provider first: one that is busy keeps no other waiting.
    async fn lease(&self, turn: &Turn) -> Lease {
        let of_provider = acquire(&self.prepared.permits).await;
        turn.0.store(Turn::OF_HOST, Ordering::Relaxed);
        let of_host = acquire(self.sandbox.permits()).await;
        turn.0.store(Turn::HAS_COME, Ordering::Relaxed);
        Lease {
            _of_provider: of_provider,
            _of_host: of_host,
            _ticks: self.sandbox.ticker().run(),
        }
    }

    /// Whether time ran out while the guest ran, or while it waited for its turn.
    fn out_of_time(&self, turn: &Turn, wall: Duration) -> Fault {
        let limits = self.sandbox.limits();
        match turn.0.load(Ordering::Relaxed) {
            Turn::OF_PROVIDER => Fault::Busy(limits.operations_per_provider),
            Turn::OF_HOST => Fault::Busy(limits.operations),
            _ => Fault::WallTime(wall),
        }
    }

    fn stopped(&self, fault: Fault) -> ProviderError {
        ProviderError::Fault {
            provider: self.prepared.id.clone(),
            fault,
        }
    }

    fn refused(&self, refusal: Refusal) -> ProviderError {
        match refusal {
            Refusal::Refused(failure) => ProviderError::Refused(failure),
            Refusal::Fault(fault) => self.stopped(fault),
            Refusal::Answer(problem) => ProviderError::Answer {
                provider: self.prepared.id.clone(),
                problem,
            },
        }
    }

    fn span(&self, phase: Phase) -> tracing::Span {
        tracing::debug_span!(
            "provider",
            provider = %self.prepared.id.name,
            version = %self.prepared.id.version,
            phase = phase.as_str(),
        )
    }

    fn count(&self, phase: Phase, error: Option<&ProviderError>, guest_time: Duration) {
        self.sandbox
            .recorder()
            .record(|| self.count_here(phase, error, guest_time));
    }

    fn count_here(&self, phase: Phase, error: Option<&ProviderError>, guest_time: Duration) {
        let id = &self.prepared.id;
        let outcome = match error {
            None => "ok",
            Some(ProviderError::Refused(_)) => "refused",
            Some(ProviderError::Answer { .. }) => "answer",
            Some(ProviderError::Fault { fault, .. }) => {
                metrics::fault(id, fault.kind());
                tracing::warn!(fault = fault.kind(), "the provider was stopped");
                "fault"
            }
        };
        metrics::operation(id, phase, outcome);
        metrics::guest_time(id, phase, guest_time);
    }
}

/// A permit. The semaphores are never closed; were one, nothing could run, and the wall time ends
/// the wait.
async fn acquire(permits: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    match Arc::clone(permits).acquire_owned().await {
        Ok(permit) => permit,
        Err(_) => std::future::pending().await,
    }
}
