//! What providers of Google Cloud share.
//!
//! # Layout
//!
//! * [`Credentials`]: whose credentials a URI asks for, as settings, secrets and endpoints of a plan.
//! * [`acting_as`]: the service accounts of `ASSUME_ROLE`.
//! * [`Told`]: what a service says when it does not.
//! * [`SERVER`] is the TLS profile of every endpoint.

mod accounts;
pub use accounts::acting_as;

mod credentials;
pub use credentials::Credentials;

mod told;
pub use told::Told;

/// The TLS profile of every endpoint.
pub const SERVER: &str = "server";
