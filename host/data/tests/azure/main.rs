//! Azure Blob Storage, against Azurite on loopback, and against answers in the words of Azure's
//! documentation.
//!
//! Azurite is Microsoft's emulator: it checks signatures made with the account's key, and of tokens
//! the claims but not the signature; it has no roles, no network rules and no regions, and no clock
//! but ours. The token endpoint is a stand-in of ours. Names, certificates and signatures are those
//! of the product; `connect_to` leads to the servers.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "../common/cloud.rs"]
mod cloud;
#[path = "../common/faults.rs"]
mod hostile;
mod server;
mod signing;
#[path = "../common/suite.rs"]
mod suite;

/// What the emulator does not have is answered in the words of the documentation, and not proved.
#[path = "."]
mod over_azurite_without_roles_networks_or_a_look_at_a_token_s_signature {
    mod access;
    mod causes;
    mod copies;
    mod faults;
    mod integration;
    mod transfers;
    mod unfinished;
}
