//! Kafka's protocol, over connections that the host lends.

mod broker;
pub(crate) use broker::{Broker, encrypt};

mod cluster;
pub(crate) use cluster::{Cluster, Found, Place};

mod frames;
use frames::Frames;

mod login;

mod refusal;
pub(crate) use refusal::{garbled, is_passing, refusal, unwritable};
