//! External connections to keys in Azure Key Vault: `azure-kms:///KEY/VERSION?AZURE_VAULT_NAME=…`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes a version of a key, its vault and whose credentials use it, or the
//!   reason why not.
//! * `key`: encrypt and decrypt: JSON around a plaintext that stays in the host.
//! * `refusal`: what the service says when it does not.
//! * `probe`: reach the vault; encrypt the marker, decrypt it and compare.

mod key;
mod plan;
mod probe;
mod refusal;

use portolan_sdk::lent::parts::Opaque;
use portolan_sdk::{
    Encrypted, Failure, HostNetwork, KmsProbe, KmsProvider, Plan, Provider, Stopped, UriPieces,
    redaction,
};

/// The provider of `azure-kms`.
#[derive(Debug)]
pub struct AzureKms;

impl Provider for AzureKms {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        redaction::without_path(uri)
    }
}

impl KmsProvider for AzureKms {
    fn probe(probe: &mut KmsProbe<'_>) -> Result<(), Stopped> {
        probe::probe(probe, &HostNetwork)
    }

    fn encrypt(plan: &Plan, plaintext: Opaque) -> Result<Encrypted, Failure> {
        key::encrypt(plan, plaintext)
    }

    fn decrypt(plan: &Plan, encrypted: Encrypted) -> Result<Opaque, Failure> {
        key::decrypt(plan, &encrypted)
    }
}

portolan_sdk::export!(AzureKms: kms);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
