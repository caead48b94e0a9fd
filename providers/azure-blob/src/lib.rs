//! External connections to Azure Blob Storage: `azure-blob://CONTAINER/path`, and by its older
//! schemes `azure://` and `azure-storage://`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store of the host, or the reason why not.
//! * `probe`: reach the account; write, list, read back and compare the marker.

mod plan;
mod probe;

use portolan_sdk::{
    Failure, HostNetwork, Plan, Provider, Stopped, StorageProbe, StorageProvider, UriPieces,
};

/// The provider of `azure-blob`.
#[derive(Debug)]
pub struct AzureBlob;

impl Provider for AzureBlob {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl StorageProvider for AzureBlob {
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe, &HostNetwork)
    }
}

portolan_sdk::export!(AzureBlob: storage);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
