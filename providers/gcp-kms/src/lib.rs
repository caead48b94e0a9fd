//! External connections to keys of Google Cloud KMS:
//! `gcp-kms:///projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes a key and whose credentials use it, or the reason why not.
//! * `name`: the names of keys and of their versions.
//! * `key`: encrypt and decrypt: JSON around a plaintext that stays in the host.
//! * `checksum`: what tells whether a ciphertext came whole.
//! * `refusal`: what the service says when it does not.
//! * `probe`: reach the service; encrypt the marker, decrypt it and compare.

mod checksum;
mod key;
mod name;
mod plan;
mod probe;
mod refusal;

use portolan_sdk::lent::parts::Opaque;
use portolan_sdk::{
    Encrypted, Failure, HostNetwork, KmsProbe, KmsProvider, Plan, Provider, Stopped, UriPieces,
    redaction,
};

/// The provider of `gcp-kms`.
#[derive(Debug)]
pub struct GcpKms;

impl Provider for GcpKms {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        redaction::without_path(uri)
    }
}

impl KmsProvider for GcpKms {
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

portolan_sdk::export!(GcpKms: kms);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
