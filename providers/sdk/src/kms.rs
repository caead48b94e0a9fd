//! Phase two of a provider of keys.

use crate::bindings::host::portolan::host::keys::Marker;
use crate::bindings::host::portolan::host::parts::Opaque;
use crate::bindings::kms::exports::portolan::provider::kms;
use crate::steps::HostSteps;
use crate::{Depth, Failure, Plan, PlanEntry, Provider, Steps, Stopped};

pub use kms::Encrypted;

/// What the host lends to the probe of a key.
#[expect(missing_debug_implementations, reason = "it holds what the host lends")]
pub struct KmsProbe<'host> {
    /// The plan of phase one.
    pub plan: &'host Plan,
    /// The plaintext to try the key with; there only at depth `full`.
    pub marker: Option<&'host Marker>,
    /// How far to go.
    pub depth: Depth,
    /// Where the steps are told.
    pub steps: Steps<'host>,
}

/// Phase two of a provider of keys. A plaintext comes and goes as opaque bytes.
pub trait KmsProvider: Provider {
    /// Tries the key out and tells its steps.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed; the step has told why.
    fn probe(probe: &mut KmsProbe<'_>) -> Result<(), Stopped>;

    /// Encrypts a data key.
    ///
    /// # Errors
    ///
    /// Why the service did not.
    fn encrypt(plan: &Plan, plaintext: Opaque) -> Result<Encrypted, Failure>;

    /// Decrypts what [`KmsProvider::encrypt`] answered, with that version of that key.
    ///
    /// # Errors
    ///
    /// Why the service did not.
    fn decrypt(plan: &Plan, encrypted: Encrypted) -> Result<Opaque, Failure>;
}

impl<T: KmsProvider> kms::Guest for T {
    fn probe(plan: Vec<PlanEntry>, marker: Option<Marker>, depth: Depth) {
        let plan = Plan::from_entries(plan);
        let mut log = HostSteps;
        let mut probe = KmsProbe {
            plan: &plan,
            marker: marker.as_ref(),
            depth,
            steps: Steps::new(&mut log),
        };
        // The steps have told the outcome; the host asks for nothing more.
        let _ = T::probe(&mut probe);
    }

    fn encrypt(plan: Vec<PlanEntry>, plaintext: Opaque) -> Result<Encrypted, Failure> {
        T::encrypt(&Plan::from_entries(plan), plaintext)
    }

    fn decrypt(plan: Vec<PlanEntry>, encrypted: Encrypted) -> Result<Opaque, Failure> {
        T::decrypt(&Plan::from_entries(plan), encrypted)
    }
}
