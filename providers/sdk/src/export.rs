//! From a provider's traits to the exports of a component.

use crate::bindings::host::portolan::host::objects::{MarkerReader, MarkerWriter};
use crate::bindings::storage::exports::portolan::provider::{planning, storage};
use crate::steps::HostSteps;
use crate::{
    Depth, Failure, Plan, PlanEntry, Provider, ReadMarker, Steps, StorageProbe, StorageProvider,
    UriPieces, WriteMarker,
};

/// Makes the component of a crate export a provider: `export!(Nodelocal: storage);`.
///
/// Natively it expands to nothing, so that several providers can be linked into one program.
#[macro_export]
macro_rules! export {
    ($provider:ident : storage) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "the entry points of a component are raw functions")]
        mod exported {
            use super::$provider;
            $crate::bindings::storage::export!($provider with_types_in $crate::bindings::storage);
        }
    };
}

impl<T: Provider> planning::Guest for T {
    fn plan(uri: UriPieces) -> Result<Vec<PlanEntry>, Failure> {
        T::plan(&uri).map(Plan::into_entries)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        T::redact(uri)
    }
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
