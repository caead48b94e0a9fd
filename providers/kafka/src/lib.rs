//! External connections to Kafka, and to what speaks as it does: `kafka://HOST:PORT,HOST:PORT`
//! (Amazon MSK is such a one), `confluent-cloud://HOST:PORT` and
//! `azure-event-hub://NAMESPACE.servicebus.windows.net:9093`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes brokers, topics, how TLS is spoken and who authenticates, or the reason
//!   why not.
//! * `settings`: what phase two reads of the plan.
//! * `wire`: frames, versions, authentication and metadata, over a connection that the host lends.
//! * `sink`: messages become batches for the leaders of their partitions, and answers a count.
//! * `probe`: reach the brokers, authenticate, look at the topics; at depth `full` send one message.

mod plan;
mod probe;
mod settings;
mod sink;
mod wire;

use portolan_sdk::{Failure, Plan, Provider, SinkProbe, SinkProvider, Stopped, UriPieces};

/// The provider of `kafka`, `confluent-cloud` and `azure-event-hub`.
#[derive(Debug)]
pub struct Kafka;

impl Provider for Kafka {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl SinkProvider for Kafka {
    type Open = sink::Producer;

    fn probe(probe: &mut SinkProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe)
    }

    fn open(plan: &Plan) -> Result<Self::Open, Failure> {
        sink::Producer::open(plan)
    }
}

portolan_sdk::export!(Kafka: sink);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
