//! Connections that are made through the sandboxed providers and probed on real servers: each cause
//! of a failure brought about, and what is told of it compared whole.
//!
//! Where a server's words are those of a product's documentation, written by a server of ours, the
//! name of the test says so; that the product answers so is not proved.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod aws_kms;
mod azure;
mod azure_kms;
mod gcp_kms;
mod gs;
mod http;
#[path = "../support/mod.rs"]
mod support;
mod switches;
mod told;
