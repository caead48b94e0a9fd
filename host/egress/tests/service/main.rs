//! Requests that the host sends for a provider, against stand-ins and servers that lie. That the real
//! services answer like them is not proved.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[expect(dead_code, reason = "other tests need all of it")]
#[path = "../common/mod.rs"]
mod common;

mod answers;
mod kinds;
mod lies;
mod setting;
mod signing;
