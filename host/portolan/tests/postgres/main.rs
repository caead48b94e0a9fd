//! Connections to PostgreSQL, made through the sandboxed provider and tried out on real servers: each
//! way in, and each cause of a failure brought about.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod causes;
mod database;
mod lies;
mod servers;
#[path = "../support/mod.rs"]
mod support;
#[path = "../probes/told.rs"]
#[allow(dead_code, reason = "other tests need the rest of it")]
mod told;
mod ways;
