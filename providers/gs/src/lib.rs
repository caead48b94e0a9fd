//! External connections to Google Cloud Storage: `gs://BUCKET/path`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store of the host, or the reason why not.
//! * `probe`: reach the service; write, list, read back and compare the marker.

mod plan;
mod probe;

use portolan_sdk::{
    Failure, HostNetwork, Plan, Provider, Stopped, StorageProbe, StorageProvider, UriPieces,
};

/// The provider of `gs`.
#[derive(Debug)]
pub struct Gs;

impl Provider for Gs {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl StorageProvider for Gs {
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe, &HostNetwork)
    }
}

portolan_sdk::export!(Gs: storage);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
