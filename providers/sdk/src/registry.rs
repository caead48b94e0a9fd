//! Phase two of a provider of schema registries.

use crate::bindings::registry::exports::portolan::provider::registry;
use crate::steps::HostSteps;
use crate::{Depth, Failure, Plan, PlanEntry, Provider, Steps, Stopped};

pub use registry::{Schema, SchemaType};

/// What the host lends to the probe of a registry or of a database.
#[expect(missing_debug_implementations, reason = "it holds what the host lends")]
pub struct Probe<'host> {
    /// The plan of phase one.
    pub plan: &'host Plan,
    /// How far to go.
    pub depth: Depth,
    /// Where the steps are told.
    pub steps: Steps<'host>,
}

/// Phase two of a provider of schema registries.
pub trait RegistryProvider: Provider {
    /// Tries the registry out and tells its steps; it registers nothing.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed; the step has told why.
    fn probe(probe: &mut Probe<'_>) -> Result<(), Stopped>;

    /// The names of the subjects after the first `skip`, at most `at_most` of them.
    ///
    /// # Errors
    ///
    /// Why the registry did not answer.
    fn subjects(plan: &Plan, skip: u32, at_most: u32) -> Result<Vec<String>, Failure>;

    /// Registers a schema under a subject and answers its number.
    ///
    /// # Errors
    ///
    /// Why the registry did not.
    fn register(plan: &Plan, subject: &str, schema: &Schema) -> Result<u32, Failure>;

    /// The schema with a number.
    ///
    /// # Errors
    ///
    /// `not-found` without one, or why the registry did not answer.
    fn get(plan: &Plan, id: u32) -> Result<Schema, Failure>;
}

impl<T: RegistryProvider> registry::Guest for T {
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

    fn subjects(plan: Vec<PlanEntry>, skip: u32, at_most: u32) -> Result<Vec<String>, Failure> {
        T::subjects(&Plan::from_entries(plan), skip, at_most)
    }

    fn register(plan: Vec<PlanEntry>, subject: String, schema: Schema) -> Result<u32, Failure> {
        T::register(&Plan::from_entries(plan), &subject, &schema)
    }

    fn get(plan: Vec<PlanEntry>, id: u32) -> Result<Schema, Failure> {
        T::get(&Plan::from_entries(plan), id)
    }
}
