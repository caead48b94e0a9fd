//! Instances that rest between two calls of a key.
//!
//! A key is asked for every data key, and to start an instance and to clear it away is nearly half of what
//! the sandbox adds to that. So the instance of a call that succeeded rests, and the next call of the same
//! grants is made in it, with a budget as for the first.
//!
//! What a call was lent ends with the call: opaque parts are wiped and connections are closed, and a guest
//! that still holds a handle when its call is over has a fresh instance for the next one. What stays is
//! the guest's memory. It can hold nothing of another connection, whose grants are others; and of this one
//! what the guest saw in clear: a provider to which a secret is revealed has a fresh instance for each
//! call, and what a server may have shown of a fetched token is looked for in later calls as well. After
//! [`Limits::calls_per_instance`](crate::Limits::calls_per_instance) calls the next one gets a fresh
//! instance, so that memory which is never given back does not add up.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use crate::acting::{Acting, Grants};
use crate::capabilities::{Network, StepRecorder};
use crate::guest::Guest;
use crate::operation::Operation;
use crate::provider::Prepared;
use crate::words::Words;
use crate::{Fault, Provider};

/// The instance that rests for some grants, where one does.
#[derive(Clone, Default)]
pub(crate) struct Resting(Arc<Mutex<Option<Instance>>>);

/// An instance for one call, and for those after it.
pub(crate) struct Instance {
    pub(crate) acting: Acting,
    of: Arc<Prepared>,
    /// Those that it has come to the end of.
    calls: u32,
    /// What finds the secrets that its calls fetched.
    words: Option<Arc<Words>>,
    /// Among the instances that rest, from its first rest on.
    place: Option<OwnedSemaphorePermit>,
}

/// In what the next call is made.
pub(crate) enum Next {
    Fresh(Box<Guest>),
    Rested(Instance),
}

impl Next {
    /// Waits for the operation's turn, and has the instance ready.
    pub(crate) async fn begin(self, operation: &Operation<'_>) -> Result<Instance, Fault> {
        match self {
            Self::Fresh(guest) => Ok(Instance {
                acting: Acting::start(operation, *guest).await?,
                of: Arc::clone(&operation.provider().prepared),
                calls: 0,
                words: None,
                place: None,
            }),
            Self::Rested(mut instance) => {
                instance.acting.resume(operation).await;
                Ok(instance)
            }
        }
    }
}

impl Provider {
    /// The next call of a key that is about to begin.
    pub(crate) fn next_of_key(&self, grants: &Grants) -> (Operation<'_>, Next) {
        match grants.resting.take(&self.prepared) {
            None => {
                let (operation, guest) = self.acting(grants);
                (operation, Next::Fresh(Box::new(guest)))
            }
            Some(mut instance) => {
                let operation = self.next_call(grants, &mut instance.acting);
                let steps = StepRecorder::new(self.sandbox.limits().step_wall_time);
                let mut lent = self.lent(grants, steps, None);
                if let Some(words) = instance.words.take() {
                    lent.words = words;
                }
                instance.acting.store.data_mut().lent = Some(lent);
                (operation, Next::Rested(instance))
            }
        }
    }

    /// Has an instance rest whose call succeeded and is counted, unless another one rests already or
    /// it is time for a fresh one.
    pub(crate) fn rest(&self, grants: &Grants, mut instance: Instance) {
        let Some(lent) = instance.acting.store.data_mut().lent.take() else {
            return;
        };
        instance.calls += 1;
        let is_blind = self.prepared.manifest.reveal.acting.is_empty();
        let holds = lent.network.as_ref().is_some_and(Network::is_held);
        if !is_blind || holds || instance.calls >= self.sandbox.limits().calls_per_instance {
            return;
        }
        instance.words = Some(lent.words);
        if instance.place.is_none() {
            let places = Arc::clone(self.sandbox.resting_instances());
            instance.place = places.try_acquire_owned().ok();
        }
        if instance.place.is_some() {
            // Its turn ends when it has a place: what is cleared away has its turn until it is gone.
            instance.acting.rest();
            grants.resting.keep(instance);
        }
    }
}

impl Resting {
    fn take(&self, of: &Arc<Prepared>) -> Option<Instance> {
        let mut rests = self.lock();
        match &*rests {
            Some(instance) if Arc::ptr_eq(&instance.of, of) => rests.take(),
            _ => None,
        }
    }

    fn keep(&self, instance: Instance) {
        let before = self.lock().replace(instance);
        // Cleared away with nobody waiting for the lock.
        drop(before);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Resting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rests = self.lock().is_some();
        f.debug_tuple("Resting").field(&rests).finish()
    }
}
