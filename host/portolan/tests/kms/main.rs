//! Keys in use: `open` gives a handle that encrypts and decrypts through the sandboxed providers.
//!
//! Google Cloud KMS and Azure Key Vault are stand-ins of ours, and AWS KMS is moto, which checks neither
//! the SHA-256 of a body nor the time of a request and encrypts with a disabled key; where an alias
//! is moved it is a stand-in as well: that the products answer so is not proved.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod alias;
mod aws;
mod azure;
mod echoes;
mod google;
mod handles;
mod setting;
mod slots;
#[path = "../support/mod.rs"]
mod support;
#[path = "../probes/told.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod told;
