//! A Kafka cluster for tests, in the test's own process.
//!
//! It keeps what is produced in memory and checks everything that a client sends it: the checksum of
//! each batch, who leads a partition, the certificate of a client, and the credentials of every
//! mechanism that it offers. It can be told to fail in the ways that networks and servers do, and to
//! lie. It replicates nothing and compacts nothing: that a real cluster behaves so is not proved
//! with it. That it speaks Kafka is proved in `tests/foreign.rs`, by clients that are not ours.
//!
//! # Layout
//!
//! * [`Cluster`], made by [`ClusterBuilder`]: brokers that listen, die and come back.
//! * [`Fault`] and [`Rule`]: how a request fails, and which one.
//! * [`Stored`]: what was produced.
//! * `connection`: the frames of one client, and what it is allowed to ask.
//! * `answers`: one file for each kind of request.
//! * `sasl`: one file for each family of mechanisms.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a server that cannot be started fails its test"
)]

mod answers;

mod builder;
pub use builder::ClusterBuilder;

mod cluster;
pub use cluster::{Cluster, Login};

mod connection;

mod fault;
pub use fault::{Fault, Rule};

mod frame;

mod sasl;

mod settings;

mod state;

mod stored;
pub use stored::Stored;

mod tls;

pub use kafka_protocol::error::ResponseError;
pub use kafka_protocol::messages::ApiKey;
