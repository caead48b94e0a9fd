//! The policy as it stands now.

use std::sync::Arc;

use tokio::sync::watch;

use crate::Policy;

/// The policy of a host, which the embedding program may replace while connections are open.
#[derive(Debug, Clone)]
pub struct CurrentPolicy(watch::Sender<(u64, Arc<Policy>)>);

impl CurrentPolicy {
    /// Begins with this policy, the generation 0.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self(watch::Sender::new((0, Arc::new(policy))))
    }

    /// The policy, and its generation: a number that grows with each replacement.
    #[must_use]
    pub fn get(&self) -> (u64, Arc<Policy>) {
        self.0.borrow().clone()
    }

    /// Tells of each replacement.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<(u64, Arc<Policy>)> {
        self.0.subscribe()
    }

    /// Replaces the policy. Connections that were dialled under the one before are not used again.
    pub fn set(&self, policy: Policy) {
        self.0.send_modify(|(generation, current)| {
            *generation += 1;
            *current = Arc::new(policy);
        });
    }
}
