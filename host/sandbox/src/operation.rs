//! One operation of a provider: its turn, its wall time, and what is counted of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use crate::budget::{Budget, GuestClock};
use crate::metrics::{self, Phase};
use crate::refusal::Refusal;
use crate::ticker::Running;
use crate::{Fault, Provider, ProviderError};

/// An operation, from its wait for a turn to its end.
pub(crate) struct Operation<'a> {
    provider: &'a Provider,
    phase: Phase,
    wall: Duration,
    turn: Turn,
    clock: Arc<GuestClock>,
}

/// What an operation holds while it runs. It is made before the store and dropped after it.
pub(crate) struct Lease {
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
    const OF_PLACE: u8 = 3;
}

impl<'a> Operation<'a> {
    /// An operation that is about to begin, and the budget of the guest that it will start.
    pub(crate) fn new(provider: &'a Provider, phase: Phase, wall: Duration) -> (Self, Budget) {
        let budget = Budget::new(provider.sandbox.shared_limits());
        let operation = Self {
            provider,
            phase,
            wall,
            turn: Turn::default(),
            clock: Arc::clone(budget.clock()),
        };
        (operation, budget)
    }

    /// One operation more of an instance that has acted before, whose budget was renewed.
    pub(crate) fn again(provider: &'a Provider, wall: Duration, budget: &Budget) -> Self {
        Self {
            provider,
            phase: Phase::Acting,
            wall,
            turn: Turn::default(),
            clock: Arc::clone(budget.clock()),
        }
    }

    pub(crate) fn provider(&self) -> &'a Provider {
        self.provider
    }

    /// Waits for a place among the instances that live over many operations.
    pub(crate) async fn place(&self) -> OwnedSemaphorePermit {
        self.turn.0.store(Turn::OF_PLACE, Ordering::Relaxed);
        let place = acquire(self.provider.sandbox.open_instances()).await;
        self.turn.0.store(Turn::OF_PROVIDER, Ordering::Relaxed);
        place
    }

    /// Waits for its turn, with this provider first: one that is busy keeps no other waiting.
    pub(crate) async fn lease(&self) -> Lease {
        let of_provider = acquire(&self.provider.prepared.permits).await;
        self.turn.0.store(Turn::OF_HOST, Ordering::Relaxed);
        let of_host = acquire(self.provider.sandbox.permits()).await;
        self.turn.0.store(Turn::HAS_COME, Ordering::Relaxed);
        Lease {
            _of_provider: of_provider,
            _of_host: of_host,
            _ticks: self.provider.sandbox.ticker().run(),
        }
    }

    /// Does the work within the wall time, the wait for its turn included. Whatever of the guest
    /// the work holds ends with it.
    pub(crate) fn within<T, E: From<Fault>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, E>> {
        // Boxed at once, so that whoever waits for a provider neither carries nor moves all that a
        // store holds.
        let work = tokio::time::timeout(self.wall, Box::pin(work));
        async move {
            let result = work.await;
            result.unwrap_or_else(|_| Err(self.out_of_time().into()))
        }
    }

    /// Does the work within the wall time, in its span, and counts it.
    pub(crate) fn run<T>(
        &self,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> impl Future<Output = Result<T, ProviderError>> {
        let work = self.within(work);
        async move {
            let result = work.await.map_err(|refusal| self.provider.refused(refusal));
            self.count(result.as_ref().err());
            result
        }
        .instrument(self.span())
    }

    /// Whether time ran out while the guest ran, or while it waited for its turn.
    fn out_of_time(&self) -> Fault {
        let limits = self.provider.sandbox.limits();
        match self.turn.0.load(Ordering::Relaxed) {
            Turn::OF_PROVIDER => Fault::Busy(limits.operations_per_provider),
            Turn::OF_HOST => Fault::Busy(limits.operations),
            Turn::OF_PLACE => Fault::Busy(limits.open_instances),
            _ => Fault::WallTime(self.wall),
        }
    }

    pub(crate) fn span(&self) -> tracing::Span {
        let id = self.provider.id();
        tracing::debug_span!(
            "provider",
            provider = %id.name,
            version = %id.version,
            phase = self.phase.as_str(),
        )
    }

    /// Counts what became of it. The guest's clock stands from here on.
    pub(crate) fn count(&self, error: Option<&ProviderError>) {
        let guest_time = self.clock.stop();
        self.provider
            .sandbox
            .recorder()
            .record(|| self.count_here(error, guest_time));
    }

    fn count_here(&self, error: Option<&ProviderError>, guest_time: Duration) {
        let id = self.provider.id();
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
        metrics::operation(id, self.phase, outcome);
        metrics::guest_time(id, self.phase, guest_time);
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
