//! A database of PostgreSQL: the protocol of tokio-postgres over connections of the dial guard.
//!
//! # Layout
//!
//! * [`Database`]: connects, with the password that the host holds.
//! * [`DatabaseClient`] runs statements; [`DatabaseDriver`] moves its bytes.
//! * `ways`: the endpoints of a plan, host by host, each with TLS or without. `parameters`: what the
//!   plan says to the server.
//! * `stream`: a socket that a [`Gate`](crate::Gate) may close at any time, and over which no password
//!   is asked for in clear. `spoken`: TLS over it.
//! * [`DatabaseError`]: why there is no connection.

mod connect;
mod driver;
mod error;
mod parameters;
mod spoken;
mod stream;
mod ways;

pub use connect::Database;
pub use driver::DatabaseDriver;
pub use error::DatabaseError;

/// Runs statements on one connection.
pub type DatabaseClient = tokio_postgres::Client;
