//! Authentication exchanges (SASL, RFC 4422) with the secrets of a plan, whose answers a provider
//! frames and never reads.
//!
//! # Layout
//!
//! * [`Authenticator`]: begins the exchanges of one plan.
//! * [`Exchange`]: one of them; a challenge in, an [`Answer`] out.
//! * [`Mechanism`]: what this host speaks. [`Property`] and [`Channel`]: what it is begun with.
//! * `client`: `PLAIN`, the `SCRAM` family and `OAUTHBEARER`, as the crate rsasl speaks them.
//! * `scram`: what stands between a server's challenge and rsasl, and the work that it may ask for.
//! * `bearer`: the token of `OAUTHBEARER`. `iam`: `AWS_MSK_IAM`. `md5`: PostgreSQL's MD5.
//! * [`SaslError`]: every cause, by type, with its class and hint.
//!
//! # Where a secret may go
//!
//! A password goes into an answer and nowhere else; whether that may be written to a connection is
//! the connection's to judge. A client's secret goes to the one token service that the connection's
//! own URI names, over TLS that is checked in full whatever the plan says of its brokers. What the
//! host lends is asked of AWS, and only for a plan that says of itself that it uses it.

mod answer;
mod authenticator;
mod bearer;
mod client;
mod error;
mod exchange;
mod iam;
mod md5;
mod mechanism;
mod properties;
mod scram;

pub use answer::Answer;
pub use authenticator::{Authenticator, Channel};
pub use error::{SaslError, ServerRefusal};
pub use exchange::Exchange;
pub use mechanism::Mechanism;
pub use properties::Property;

/// The most bytes of a challenge.
pub const LONGEST_CHALLENGE: usize = 64 << 10;
/// The most properties of an exchange.
pub const MOST_PROPERTIES: usize = 16;
/// The most iterations of a password's hash that a server is granted.
pub const MOST_ITERATIONS: u32 = 1_000_000;

#[cfg(test)]
mod tests;
