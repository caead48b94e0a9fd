//! Phase two: the service is reached, and the marker goes there and back.

use portolan_sdk::{KmsProbe, Network, Reach, Stopped};

use crate::key::{decrypt, encrypt};
use crate::plan::SERVICE;

/// The probe of a key. Without a marker nothing is encrypted.
pub(crate) fn probe(probe: &mut KmsProbe<'_>, network: &dyn Network) -> Result<(), Stopped> {
    Reach::endpoint(SERVICE).run(network, probe.plan, &mut probe.steps)?;
    let Some(marker) = probe.marker else {
        probe
            .steps
            .skip("encrypt", "a probe that only reads encrypts nothing");
        return Ok(());
    };
    let plan = probe.plan;
    let encrypted = probe.steps.step("encrypt", |details| {
        let encrypted = encrypt(plan, marker.plaintext()).map_err(|failure| {
            failure.context("failed to encrypt marker content when setting up External Connection")
        })?;
        details.add("key", &*encrypted.key);
        Ok(encrypted)
    })?;
    let decrypted = probe.steps.step("decrypt", |_| {
        decrypt(plan, &encrypted).map_err(|failure| {
            failure.context("failed to decrypt marker content when setting up External Connection")
        })
    })?;
    probe.steps.step("compare", |_| marker.compare(decrypted))
}
