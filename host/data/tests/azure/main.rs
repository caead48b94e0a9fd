//! Azure Blob Storage, against Azurite on loopback, and against answers in the words of Azure's
//! documentation.
//!
//! Azurite is Microsoft's emulator: it checks signatures made with the account's key, and of tokens
//! the claims but not the signature; it has no roles, no network rules and no regions, and no clock
//! but ours. The token endpoint is a stand-in of ours. Names, certificates and signatures are those
//! of the product; `connect_to` leads to the servers.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod access;
mod causes;
#[path = "../common/cloud.rs"]
mod cloud;
mod copies;
mod faults;
#[path = "../common/faults.rs"]
mod hostile;
mod integration;
mod server;
#[path = "../common/suite.rs"]
mod suite;
mod transfers;
mod unfinished;
