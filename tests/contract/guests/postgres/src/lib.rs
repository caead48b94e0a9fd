//! PostgreSQL, in the contract: `postgresql://USER:PASSWORD@HOST/DATABASE?…`.
//!
//! Use is the host's, which connects with the settings and secrets of the plan; the guest finds out
//! whether that would work.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an endpoint, a TLS profile and the protocol's own parameters.
//! * `wire`: messages over a connection.
//! * `login`: every way to authenticate that needs no secret in the guest.
//! * `probe`: resolve, dial, TLS, authenticate, version.

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../../wit/v0.1",
        world: "portolan:provider/database-provider",
        generate_all,
    });
}

#[path = "../../shared/dial.rs"]
mod dial;
mod login;
#[path = "../../shared/options.rs"]
mod options;
mod plan;
#[path = "../../shared/plan.rs"]
mod plans;
mod probe;
#[path = "../../shared/step.rs"]
mod step;
mod wire;

use bindings::exports::portolan::provider::{database, planning};
use bindings::portolan::host::steps::Depth;
use bindings::portolan::types::types::{Failure, PlanEntry, UriPieces};

struct Postgres;

impl planning::Guest for Postgres {
    fn plan(uri: UriPieces) -> Result<Vec<PlanEntry>, Failure> {
        plan::plan(&uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        uri
    }
}

impl database::Guest for Postgres {
    fn probe(plan: Vec<PlanEntry>, _depth: Depth) {
        // A failed step is told already; every depth does the same.
        let _ = probe::probe(&plan);
    }
}

#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Postgres, bindings};

    bindings::export!(Postgres with_types_in bindings);
}
