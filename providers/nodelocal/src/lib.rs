//! External connections to the directory that a server shares: `nodelocal://NODE/path`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store of the host, or the reason why not.
//! * `probe`: write, list, read back and compare the marker.

mod plan;
mod probe;

use portolan_sdk::{Failure, Plan, Provider, Stopped, StorageProbe, StorageProvider, UriPieces};

/// The provider of `nodelocal`.
#[derive(Debug)]
pub struct Nodelocal;

impl Provider for Nodelocal {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl StorageProvider for Nodelocal {
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe)
    }
}

portolan_sdk::export!(Nodelocal: storage);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
