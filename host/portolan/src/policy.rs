//! The operator's policy as it stands now, and its verdict over a plan.

use std::sync::Arc;

use portolan_contract::Plan;
use portolan_egress::{Policy, Verdict};
use tokio::sync::watch;

use crate::{Error, SqlState};

/// The policy of a host, which the embedding program may replace while handles are open.
#[derive(Debug, Clone)]
pub(crate) struct CurrentPolicy(watch::Sender<(u64, Arc<Policy>)>);

impl CurrentPolicy {
    pub(crate) fn new(policy: Policy) -> Self {
        Self(watch::Sender::new((0, Arc::new(policy))))
    }

    /// The policy, and a number that grows with each replacement.
    pub(crate) fn get(&self) -> (u64, Arc<Policy>) {
        self.0.borrow().clone()
    }

    /// Tells of each replacement.
    pub(crate) fn subscribe(&self) -> watch::Receiver<(u64, Arc<Policy>)> {
        self.0.subscribe()
    }

    pub(crate) fn set(&self, policy: Policy) {
        self.0.send_modify(|(generation, current)| {
            *generation += 1;
            *current = Arc::new(policy);
        });
    }
}

/// Refuses a plan with an endpoint that the policy denies. Names are judged as names, address
/// literals at once; nothing is resolved.
pub(crate) fn judge(policy: &Policy, plan: &Plan) -> Result<(), Error> {
    for endpoint in plan.endpoints() {
        if let Verdict::Denied(denial) = policy.judge_name(&endpoint.host, endpoint.port) {
            let sqlstate = SqlState::from_code(denial.sqlstate());
            return Err(Error::new(sqlstate, denial.to_string()).with_hint(denial.hint()));
        }
    }
    Ok(())
}
