//! Connections that take messages, and schema registries: through the sandboxed providers, tried out
//! and used, over servers that fail.
//!
//! The endpoints are stand-ins of ours, as their names say: what a product answers is not proved.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod files;
#[path = "../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "../probes/told.rs"]
mod told;

/// The endpoints take what they are told to take, which proves nothing of a product.
#[path = "."]
mod over_stand_ins_of_ours_and_no_product {
    mod pubsub;
    mod registry;
    mod webhook;
}

use portolan::{Message, Operation, Session, Sink};

/// Opens a connection for messages.
async fn sink(session: &Session, name: &str) -> Sink {
    let url = format!("external://{name}");
    let opened = session.open(&url, Operation::Changefeed);
    opened.await.expect("opened").into_sink().expect("a sink")
}

/// Messages whose values are these numbers as JSON, each with one of three keys.
fn numbered(numbers: impl Iterator<Item = usize>) -> Vec<Message> {
    numbers
        .map(|number| {
            let value = format!("{{\"number\":{number}}}");
            Message::new("orders", value).with_key(format!("k{}", number % 3))
        })
        .collect()
}
