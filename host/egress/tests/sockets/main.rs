//! The way out against real sockets: every limit is reached, every fault is brought about.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod authority;
mod server;
mod support;

mod dialling;
mod explaining;
mod hostile_answers;
mod metadata;
mod requests;
mod tls;
mod uploads;
