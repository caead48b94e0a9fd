//! External connections to Amazon S3 and to servers that speak its protocol: `s3://BUCKET/path`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store of the host, or the reason why not.
//! * `server`: where the bucket is served: by Amazon, or by the server of `AWS_ENDPOINT`.
//! * `probe`: reach the server; write, list, read back and compare the marker.

mod plan;
mod probe;
mod server;

use portolan_sdk::{
    Failure, HostNetwork, Plan, Provider, Stopped, StorageProbe, StorageProvider, UriPieces,
};

/// The provider of `s3`.
#[derive(Debug)]
pub struct S3;

impl Provider for S3 {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl StorageProvider for S3 {
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe, &HostNetwork)
    }
}

portolan_sdk::export!(S3: storage);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
