//! External connections to keys of Amazon's KMS: `aws-kms:///KEY?REGION=…`.
//!
//! # Layout
//!
//! * `plan`: the URI becomes a key, where it is served, and as whom, or the reason why not.
//! * `name`: what a key is called, and by which name what it encrypted is asked for.
//! * `key`: encrypt and decrypt: JSON around a plaintext that stays in the host.
//! * `refusal`: what the service says when it does not.
//! * `probe`: reach the service; encrypt the marker, decrypt it and compare.

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

/// The provider of `aws-kms`.
#[derive(Debug)]
pub struct AwsKms;

impl Provider for AwsKms {
    fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
        plan::plan(uri)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        redaction::without_path(uri)
    }
}

impl KmsProvider for AwsKms {
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

portolan_sdk::export!(AwsKms: kms);

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod fuzzing;
