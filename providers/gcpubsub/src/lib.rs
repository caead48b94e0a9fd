//! External connections to Google Cloud Pub/Sub: `gcpubsub://PROJECT?region=REGION`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes a project in a region and whose credentials use it, or the reason why
//!   not.
//! * `name`: the names of projects and topics.
//! * `api`: the requests to the service. `refusal`: what it says when it does not.
//! * `publish`: messages as the JSON of a request.
//! * `sink`: the messages that are published, one request after another.
//! * `probe`: reach the service, look at project and topic; at depth `full` publish one message.

mod api;
mod name;
mod plan;
mod probe;
mod publish;
mod refusal;
mod sink;

use portolan_sdk::{
    Failure, HostNetwork, Plan, Provider, SinkProbe, SinkProvider, Stopped, UriPieces,
};

/// The provider of `gcpubsub`.
#[derive(Debug)]
pub struct GcPubSub;

impl Provider for GcPubSub {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl SinkProvider for GcPubSub {
    type Open = sink::Publishing;

    fn probe(probe: &mut SinkProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe, &HostNetwork, &api::Lent)
    }

    fn open(plan: &Plan) -> Result<Self::Open, Failure> {
        Ok(sink::Publishing::new(plan, api::Lent))
    }
}

portolan_sdk::export!(GcPubSub: sink);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
