//! Connections that are made through the sandboxed providers and probed on real servers: each cause
//! of a failure brought about, and what is told of it compared whole.
//!
//! Where a server's words are those of a product's documentation, written by a server of ours, the
//! name of the test says so; that the product answers so is not proved.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod aws_kms;
mod azure_kms;
#[path = "azure.rs"]
mod azure_over_azurite_without_roles_networks_or_a_look_at_a_token_s_signature;
mod gcp_kms;
#[path = "gs.rs"]
mod gs_over_stand_ins_and_not_googles_own_service;
mod http;
#[path = "../support/mod.rs"]
mod support;
mod switches;
mod told;
