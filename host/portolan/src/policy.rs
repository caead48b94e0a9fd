//! The verdict of the operator's policy over a plan.

use portolan_contract::Plan;
use portolan_egress::{Policy, Verdict};

use crate::{Error, SqlState};

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
