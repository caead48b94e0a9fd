//! S3 with a role chain, in the contract: `s3://BUCKET/PREFIX?…`.
//!
//! The host builds the object store and takes on the roles; the guest says where and as whom, finds
//! out the region of the bucket, and tries it all out.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an object store, its endpoints and the roles.
//! * `server`: where the bucket is served: AWS itself, or the server of `AWS_ENDPOINT`.
//! * `probe`: resolve, dial, TLS, region, write, list, read back.

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../../wit/v0.1",
        world: "portolan:provider/storage-provider",
        generate_all,
    });
}

#[path = "../../shared/dial.rs"]
mod dial;
#[path = "../../shared/options.rs"]
mod options;
mod plan;
#[path = "../../shared/plan.rs"]
mod plans;
mod probe;
mod server;
#[path = "../../shared/step.rs"]
mod step;

use bindings::exports::portolan::provider::{planning, storage};
use bindings::portolan::host::objects::{MarkerReader, MarkerWriter};
use bindings::portolan::host::steps::Depth;
use bindings::portolan::types::types::{Failure, PlanEntry, UriPieces};

struct S3;

impl planning::Guest for S3 {
    fn plan(uri: UriPieces) -> Result<Vec<PlanEntry>, Failure> {
        plan::plan(&uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        uri
    }
}

impl storage::Guest for S3 {
    fn probe(
        plan: Vec<PlanEntry>,
        reader: MarkerReader,
        writer: Option<MarkerWriter>,
        _depth: Depth,
    ) {
        // A failed step is told already; the depth shows in whether there is a writer.
        let _ = probe::probe(&plan, &reader, writer.as_ref());
    }
}

#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{S3, bindings};

    bindings::export!(S3 with_types_in bindings);
}
