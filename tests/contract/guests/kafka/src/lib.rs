//! Kafka, in the contract: `kafka://HOST:PORT,HOST:PORT?…`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes bootstrap endpoints, a TLS profile and a mechanism.
//! * `frame`: requests and answers over a connection.
//! * `broker`: a connection that knows the broker's versions and is let in.
//! * `cluster`: which brokers and topics there are.
//! * `produce`: messages become batches, and acknowledgements a count.
//! * `probe`: resolve, dial, TLS, versions, authenticate, metadata, every further broker.

#[allow(missing_docs, unsafe_code, clippy::all, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../../wit/v0.1",
        world: "portolan:provider/sink-provider",
        generate_all,
    });
}

mod broker;
mod cluster;
#[path = "../../shared/dial.rs"]
mod dial;
mod frame;
#[path = "../../shared/options.rs"]
mod options;
mod plan;
#[path = "../../shared/plan.rs"]
mod plans;
mod probe;
mod produce;
#[path = "../../shared/step.rs"]
mod step;

use std::cell::RefCell;

use bindings::exports::portolan::provider::planning;
use bindings::exports::portolan::provider::sink::{self, Message};
use bindings::portolan::host::steps::Depth;
use bindings::portolan::types::types::{Failure, FailureClass, PlanEntry, UriPieces};
use produce::Producer;

thread_local! {
    /// The sink that this instance is, between `open` and `close`.
    static OPEN: RefCell<Option<Producer>> = const { RefCell::new(None) };
}

struct Kafka;

impl planning::Guest for Kafka {
    fn plan(uri: UriPieces) -> Result<Vec<PlanEntry>, Failure> {
        plan::plan(&uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        uri
    }
}

impl sink::Guest for Kafka {
    fn probe(plan: Vec<PlanEntry>, topics: Vec<String>, depth: Depth) {
        // A failed step is told already.
        let _ = probe::probe(plan, &topics, &depth);
    }

    fn open(plan: Vec<PlanEntry>) -> Result<(), Failure> {
        let producer = Producer::open(plan)?;
        OPEN.set(Some(producer));
        Ok(())
    }

    fn emit(messages: Vec<Message>) -> Result<u64, Failure> {
        OPEN.with_borrow_mut(|open| match open {
            Some(producer) => producer.emit(messages),
            None => Err(not_open()),
        })
    }

    fn flush() -> Result<u64, Failure> {
        // `emit` waits for everything, so that nothing is under way.
        OPEN.with_borrow(|open| match open {
            Some(producer) => Ok(producer.acknowledged()),
            None => Err(not_open()),
        })
    }

    fn close() -> Result<(), Failure> {
        OPEN.take().map_or(Ok(()), Producer::close)
    }
}

fn not_open() -> Failure {
    step::failed(FailureClass::Protocol, "the sink is not open")
}

#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Kafka, bindings};

    bindings::export!(Kafka with_types_in bindings);
}
