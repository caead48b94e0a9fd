//! External connections to databases of PostgreSQL: `postgresql://USER:PASSWORD@HOST/DATABASE?…`.
//!
//! Use is the host's, which connects with the settings and secrets of the plan; the guest finds out
//! whether that works, without running anything in the database.
//!
//! # Layout
//!
//! * `plan`: the URI becomes endpoints, a TLS profile and the protocol's own parameters, or the reason
//!   why not. `hosts`: where. `transport`: how TLS is spoken. `parameters`: everything else that
//!   libpq knows.
//! * `wire`: messages over a connection. `login`: every way to authenticate that needs no secret in the
//!   guest. `session`: what the server tells of itself.
//! * `refusal`: what the server says when it does not.
//! * `probe`: resolve, dial, TLS, authenticate, version; host by host.

mod hosts;
mod login;
mod parameters;
mod plan;
mod probe;
mod refusal;
mod session;
mod transport;
mod wire;

use portolan_sdk::{DatabaseProvider, Failure, Plan, Probe, Provider, Stopped, UriPieces};

/// The provider of `postgres` and `postgresql`.
#[derive(Debug)]
pub struct Postgres;

impl Provider for Postgres {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }
}

impl DatabaseProvider for Postgres {
    fn probe(probe: &mut Probe<'_>) -> Result<(), Stopped> {
        probe::probe(probe)
    }
}

portolan_sdk::export!(Postgres: database);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
