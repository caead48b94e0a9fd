//! Phase two: the service is reached, and the marker goes there and back.

use crate::bindings::portolan::host::keys::Marker;
use crate::bindings::portolan::types::types::PlanEntry;
use crate::dial::{dial_step, resolve_step, tls};
use crate::key::{decrypt, encrypt};
use crate::plans::TLS;
use crate::step::{Stopped, skip, step, tell};

const SERVICE: u32 = 0;

/// The whole probe. Without a marker nothing is encrypted.
pub(crate) fn probe(plan: &[PlanEntry], marker: Option<&Marker>) -> Result<(), Stopped> {
    resolve_step(SERVICE)?;
    let connection = dial_step(SERVICE)?;
    step("tls", |details| {
        tls(&connection, TLS, &["http/1.1"], details).map(drop)
    })?;
    drop(connection);
    let Some(marker) = marker else {
        skip("encrypt", "this depth encrypts nothing");
        return Ok(());
    };
    let encrypted = step("encrypt", |details| {
        let encrypted = encrypt(plan, marker.plaintext())?;
        tell(details, "key", &encrypted.key);
        Ok(encrypted)
    })?;
    let decrypted = step("decrypt", |_| decrypt(plan, &encrypted))?;
    step("compare", |_| marker.compare(decrypted))
}
