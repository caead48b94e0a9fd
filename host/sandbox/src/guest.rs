//! The data of one store: what the guest in it has used, and what it is lent.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use portolan_contract::{Failure, FailureClass};
use portolan_data::MarkerStore;
use wasmtime::{ResourceLimiter, Store};

use crate::bindings::types;
use crate::budget::Budget;
use crate::capabilities::{KeyMarker, LogBudget, Network, StepRecorder};
use crate::convert::to_guest_failure;
use crate::own_words::OwnWords;
use crate::words::Words;
use crate::{Fault, Limits};

/// One guest of one operation.
pub(crate) struct Guest {
    pub(crate) budget: Budget,
    /// What it is lent; nothing in phase one.
    pub(crate) lent: Option<Lent>,
}

/// What phase two lends.
pub(crate) struct Lent {
    /// The marker's store, for a storage connection.
    pub(crate) markers: Option<MarkerStore>,
    /// The plaintext that the probe of a key tries out.
    pub(crate) key_marker: KeyMarker,
    pub(crate) steps: StepRecorder,
    pub(crate) log: LogBudget,
    /// What finds the secrets in what the guest says: that of the grants, until one more is fetched.
    pub(crate) words: Arc<Words>,
    pub(crate) own_words: OwnWords,
    /// The way to the endpoints of the plan, where there are any.
    pub(crate) network: Option<Network>,
}

/// How long a call may wait.
pub(crate) struct Patience {
    left: Duration,
    step: Duration,
}

impl Guest {
    /// The guest has called the host: its clock stands, and the call is counted. Phase one's linker
    /// has no functions, so whoever gets here without anything lent is a mistake of the host.
    pub(crate) fn enter(&mut self) -> Result<&mut Lent, Fault> {
        self.budget.clock().stop();
        self.budget.count_host_call()?;
        self.lent
            .as_mut()
            .ok_or_else(|| Fault::Host("it was lent nothing".to_owned()))
    }

    /// The host's answer goes back, and the guest's clock runs again.
    pub(crate) fn leave<T>(&mut self, answer: T) -> wasmtime::Result<T> {
        self.budget.clock().start();
        Ok(answer)
    }

    /// The host's answer goes back. A failure is remembered, so that the guest may pass it on.
    pub(crate) fn answer<T>(
        &mut self,
        answer: Result<T, Failure>,
    ) -> wasmtime::Result<Result<T, types::Failure>> {
        if let (Err(failure), Some(lent)) = (&answer, &mut self.lent) {
            lent.own_words.remember(failure);
        }
        self.leave(answer.map_err(to_guest_failure))
    }

    /// How long the next call may wait: what is left of the open step.
    pub(crate) fn patience(&self) -> Patience {
        Patience {
            left: match &self.lent {
                Some(lent) => lent.steps.time_left(),
                None => Duration::ZERO,
            },
            step: self.budget.limits().step_wall_time,
        }
    }

    /// Waits for something outside, at most for what is left of the open step.
    pub(crate) async fn wait<T: Send>(
        &mut self,
        outside: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        self.patience().wait(outside).await
    }
}

impl Patience {
    /// What is left.
    pub(crate) fn left(&self) -> Duration {
        self.left
    }

    /// Waits for something, but no longer.
    pub(crate) fn wait<T: Send>(
        &self,
        outside: impl Future<Output = Result<T, Failure>> + Send,
    ) -> impl Future<Output = Result<T, Failure>> + Send {
        // Boxed at once: whatever awaits it would otherwise be as large, and be moved as a whole.
        let outside = tokio::time::timeout(self.left, Box::pin(outside));
        async move { outside.await.unwrap_or_else(|_| Err(self.over())) }
    }

    /// It is over.
    pub(crate) fn over(&self) -> Failure {
        Failure::new(
            FailureClass::Timeout,
            format!(
                "the step did not finish within {}",
                crate::fault::duration(self.step)
            ),
        )
        .with_hint("see whether the service is slow, or raise the limit of a step")
    }
}

/// A store whose guest is held to the limits.
pub(crate) fn store(engine: &wasmtime::Engine, guest: Guest) -> Store<Guest> {
    let limits: &Limits = guest.budget.limits();
    let host_copy = match guest.lent {
        None => limits.host_copy,
        Some(_) => limits.host_copy_acting,
    };
    let handles = limits.handles;
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| -> &mut dyn ResourceLimiter { &mut guest.budget });
    store.set_hostcall_fuel(host_copy);
    store.set_max_component_handles(handles);
    // The callback comes at every epoch, so a guest that waited for the host loses nothing: its
    // clock stood still meanwhile, and the deadline that passed is only a look at the clock.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| {
        let budget = &context.data_mut().budget;
        let clock = Arc::clone(budget.clock());
        let most = budget.guest_time();
        if clock.interrupt() >= most {
            return Err(Fault::GuestTime(most).into());
        }
        Ok(wasmtime::UpdateDeadline::YieldCustom(
            1,
            Box::pin(async move {
                tokio::task::yield_now().await;
                clock.start();
            }),
        ))
    });
    store
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
