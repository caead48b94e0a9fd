//! External connections to files of HTTP servers: `https://HOST/path`, and `http`, `file-http` and
//! `file-https` likewise.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store of the host, or the reason why not.
//! * `sink`: the options of the changefeeds that write files there.
//! * `probe`: reach the server; write, list, read back and compare the marker, or only look.

mod plan;
mod probe;
mod sink;

use portolan_sdk::{
    Failure, HostNetwork, Plan, Provider, Stopped, StorageProbe, StorageProvider, UriPieces,
};

/// The provider of `http`.
#[derive(Debug)]
pub struct Http;

impl Provider for Http {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl StorageProvider for Http {
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe, &HostNetwork)
    }
}

portolan_sdk::export!(Http: storage);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
