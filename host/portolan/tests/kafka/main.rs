//! Kafka and what speaks as it does: through the sandboxed provider, tried out and used, over a
//! cluster in this process that checks every credential and can be told to fail.
//!
//! The cluster is ours; clients that are not ours have proved that it speaks Kafka
//! (`tests/broker/tests/foreign.rs`). That a product answers the same is not proved.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod setting;
#[path = "../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "each test uses a part of it")]
#[path = "../probes/told.rs"]
mod told;

/// Foreign clients have proved that the cluster speaks Kafka, and nothing that a product answers the
/// same.
#[path = "."]
mod over_a_cluster_of_ours_and_no_product {
    mod brokers;
    mod causes;
    mod delivery;
    mod faults;
    mod logins;
    mod msk;
}
