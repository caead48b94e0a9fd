//! What providers of Azure share.
//!
//! # Layout
//!
//! * [`Environment`]: the clouds and their hosts.
//! * [`Application`]: client credentials, as settings, a secret and an endpoint of a plan.
//! * [`SERVER`] is the TLS profile of every endpoint.

mod application;
pub use application::Application;

mod environment;
pub use environment::Environment;

/// The TLS profile of every endpoint.
pub const SERVER: &str = "server";
