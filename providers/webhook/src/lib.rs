//! External connections to endpoints that messages are posted to: `webhook-https://HOST/path`.
//!
//! The path and every parameter that is not listed in the manifest are secrets: at many services a
//! token stands there. The host puts them into the requests.
//!
//! # Layout
//!
//! * `plan`: the URI becomes an endpoint with what authenticates a request, or the reason why not.
//! * `payload`: messages as the JSON that is posted.
//! * `post`: the requests, and what their answers mean.
//! * `sink`: the messages that are posted, one batch after another.
//! * `probe`: reach the endpoint and look; at depth `full` post an empty payload.

mod payload;
mod plan;
mod post;
mod probe;
mod sink;

use portolan_sdk::{
    Failure, HostNetwork, Plan, Provider, SinkProbe, SinkProvider, Stopped, UriPieces,
};

/// The provider of `webhook-https`.
#[derive(Debug)]
pub struct Webhook;

impl Provider for Webhook {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl SinkProvider for Webhook {
    type Open = sink::Posting;

    fn probe(probe: &mut SinkProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe, &HostNetwork, &post::Lent)
    }

    fn open(_: &Plan) -> Result<Self::Open, Failure> {
        Ok(sink::Posting::new(post::Lent))
    }
}

portolan_sdk::export!(Webhook: sink);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
