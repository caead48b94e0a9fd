//! Connections to S3 as statements see them: the built-in provider in its sandbox, its plan, the
//! host's own client, and a real server in this process or beside it.
//!
//! The server of most tests is `s3s`, and the client believes it to be AWS. Roles and policies are those of `moto`. What neither has (regions, tokens
//! that end) is answered in the words of AWS's documentation, and the test says so in its name.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod causes;
mod follow;
mod moved;
mod own_servers;
mod parameters;
mod regions;
mod roles;
mod told;
