//! Phase two of a provider of databases.

use crate::bindings::database::exports::portolan::provider::database;
use crate::steps::HostSteps;
use crate::{Depth, Plan, PlanEntry, Probe, Provider, Steps, Stopped};

/// Phase two of a provider of databases: the host connects with what the plan says, so there is
/// nothing to do but to try it out.
pub trait DatabaseProvider: Provider {
    /// Tries the connection out and tells its steps.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed; the step has told why.
    fn probe(probe: &mut Probe<'_>) -> Result<(), Stopped>;
}

impl<T: DatabaseProvider> database::Guest for T {
    fn probe(plan: Vec<PlanEntry>, depth: Depth) {
        let plan = Plan::from_entries(plan);
        let mut log = HostSteps;
        let mut probe = Probe {
            plan: &plan,
            depth,
            steps: Steps::new(&mut log),
        };
        // The steps have told the outcome; the host asks for nothing more.
        let _ = T::probe(&mut probe);
    }
}
