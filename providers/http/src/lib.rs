//! External connections to HTTP servers: files, or a schema registry, at `https://HOST/path` and
//! `http://HOST/path`, and files alone at `file-http` and `file-https`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store of the host and a registry, or the reason why not.
//! * `sink`: the options of the changefeeds that write files there.
//! * `registry`: the requests to a schema registry; `refusal`: what it says when it does not.
//! * `recognise`: which of both a server is.
//! * `probe`: reach the server and recognise it; of files write, list, read back and compare the
//!   marker, or only look.

mod plan;
mod probe;
mod recognise;
mod refusal;
mod registry;
mod sink;

use portolan_sdk::{
    Failure, HostNetwork, Plan, Probe, Provider, RegistryProvider, Schema, Stopped, StorageProbe,
    StorageProvider, UriPieces,
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
        probe::probe(probe, &HostNetwork, &registry::Lent)
    }
}

impl RegistryProvider for Http {
    fn probe(probe: &mut Probe<'_>) -> Result<(), Stopped> {
        probe::probe_registry(probe, &HostNetwork, &registry::Lent)
    }

    fn subjects(plan: &Plan, skip: u32, at_most: u32) -> Result<Vec<String>, Failure> {
        registry::subjects(&registry::Lent, plan, skip, at_most)
    }

    fn register(plan: &Plan, subject: &str, schema: &Schema) -> Result<u32, Failure> {
        registry::register(&registry::Lent, plan, subject, schema)
    }

    fn get(plan: &Plan, id: u32) -> Result<Schema, Failure> {
        registry::get(&registry::Lent, plan, id)
    }
}

portolan_sdk::export!(Http: storage, registry);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
