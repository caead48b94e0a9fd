//! External connections to the files that users keep in a store: `userfile://[SET]/path`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store of the host, or the reason why not.
//! * `set`: the name of a set of files, `db.schema.prefix`.
//! * `probe`: write, list, read back and compare the marker.

mod plan;
mod probe;
mod set;

use portolan_sdk::{Failure, Plan, Provider, Stopped, StorageProbe, StorageProvider, UriPieces};

/// The provider of `userfile`.
#[derive(Debug)]
pub struct Userfile;

impl Provider for Userfile {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl StorageProvider for Userfile {
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe)
    }
}

portolan_sdk::export!(Userfile: storage);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
