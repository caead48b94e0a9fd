//! `portolan encrypt` and `portolan decrypt`, the real program against moto as AWS KMS.
//!
//! Moto checks signatures and permissions, but neither the SHA-256 of a body nor the time of a request.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../transfer/home.rs"]
mod home;

mod keys;
mod session;
mod stopped;
mod terminal;
