//! Phase two of a provider of object stores.

use crate::bindings::host::portolan::host::objects::{MarkerReader, MarkerWriter};
use crate::bindings::storage::exports::portolan::provider::storage;
use crate::steps::HostSteps;
use crate::{Depth, Failure, Plan, PlanEntry, Provider, ReadMarker, Steps, Stopped, WriteMarker};

/// What the host lends to the probe of an object store.
#[expect(missing_debug_implementations, reason = "it holds what the host lends")]
pub struct StorageProbe<'host> {
    /// The plan of phase one.
    pub plan: &'host Plan,
    /// Reads the marker and lists its names.
    pub reader: &'host dyn ReadMarker,
    /// Writes the marker; there only at depth `full`.
    pub writer: Option<&'host dyn WriteMarker>,
    /// How far to go.
    pub depth: Depth,
    /// Where the steps are told.
    pub steps: Steps<'host>,
}

/// Phase two of a provider of object stores: the host builds the store that the plan describes, so
/// there is nothing to do but to try it out.
pub trait StorageProvider: Provider {
    /// Tries the connection out and tells its steps.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed; the step has told why.
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped>;
}

impl<T: StorageProvider> storage::Guest for T {
    fn probe(
        plan: Vec<PlanEntry>,
        reader: MarkerReader,
        writer: Option<MarkerWriter>,
        depth: Depth,
    ) {
        let plan = Plan::from_entries(plan);
        let mut log = HostSteps;
        let mut probe = StorageProbe {
            plan: &plan,
            reader: &reader,
            writer: writer.as_ref().map(|writer| writer as &dyn WriteMarker),
            depth,
            steps: Steps::new(&mut log),
        };
        // The steps have told the outcome; the host asks for nothing more.
        let _ = T::probe(&mut probe);
    }
}

impl ReadMarker for MarkerReader {
    fn name(&self) -> String {
        self.marker_name()
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        self.read_marker()
    }

    fn list(&self, at_most: u32) -> Result<Vec<String>, Failure> {
        self.list_markers(at_most)
    }
}

impl WriteMarker for MarkerWriter {
    fn write(&self, content: &[u8]) -> Result<(), Failure> {
        self.write_marker(content)
    }
}
