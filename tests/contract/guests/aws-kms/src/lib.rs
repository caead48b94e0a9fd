//! AWS KMS, in the contract: `aws-kms:///KEY?REGION=…`.
//!
//! The host signs and sends; the guest frames a plaintext that it never sees.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an endpoint, a key and credentials.
//! * `key`: encrypt and decrypt.
//! * `probe`: the marker goes there and back.

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../../wit/v0.1",
        world: "portolan:provider/kms-provider",
        generate_all,
    });
}

#[path = "../../shared/dial.rs"]
mod dial;
mod key;
#[path = "../../shared/options.rs"]
mod options;
mod plan;
#[path = "../../shared/plan.rs"]
mod plans;
mod probe;
#[path = "../../shared/step.rs"]
mod step;

use bindings::exports::portolan::provider::kms::{self, Encrypted};
use bindings::exports::portolan::provider::planning;
use bindings::portolan::host::keys::Marker;
use bindings::portolan::host::parts::Opaque;
use bindings::portolan::host::steps::Depth;
use bindings::portolan::types::types::{Failure, PlanEntry, UriPieces};

struct Kms;

impl planning::Guest for Kms {
    fn plan(uri: UriPieces) -> Result<Vec<PlanEntry>, Failure> {
        plan::plan(&uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        uri
    }
}

impl kms::Guest for Kms {
    fn probe(plan: Vec<PlanEntry>, marker: Option<Marker>, _depth: Depth) {
        // A failed step is told already; the depth shows in whether there is a marker.
        let _ = probe::probe(&plan, marker.as_ref());
    }

    fn encrypt(plan: Vec<PlanEntry>, plaintext: Opaque) -> Result<Encrypted, Failure> {
        key::encrypt(&plan, plaintext)
    }

    fn decrypt(plan: Vec<PlanEntry>, encrypted: Encrypted) -> Result<Opaque, Failure> {
        key::decrypt(&plan, &encrypted)
    }
}

#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Kms, bindings};

    bindings::export!(Kms with_types_in bindings);
}
