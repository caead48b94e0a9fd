//! `keys`: the marker of a key's probe.

use wasmtime::component::Resource;
use wasmtime::{Result, ensure};

use super::Host;
use crate::bindings::lent_host::keys;
use crate::bindings::types::{Failure, FailureClass};
use crate::known::Opaque;

/// The marker: random, and known to the script as `marker`.
#[derive(Debug)]
pub struct Marker {
    pub(crate) plaintext: Opaque,
}

impl keys::Host for Host {}

impl keys::HostMarker for Host {
    fn plaintext(&mut self, marker: Resource<Marker>) -> Result<Resource<Opaque>> {
        self.asked("marker plaintext")?;
        let plaintext = self.table.get(&marker)?.plaintext.clone();
        self.lend(plaintext)
    }

    /// The one answer that no script has: it follows from the bytes.
    fn compare(
        &mut self,
        marker: Resource<Marker>,
        decrypted: Resource<Opaque>,
    ) -> Result<Result<(), Failure>> {
        let decrypted = self.take(decrypted)?;
        self.asked(&format!("marker compare secret({})", decrypted.name))?;
        ensure!(!decrypted.bytes.is_empty(), "nothing was decrypted");
        if decrypted.bytes == self.table.get(&marker)?.plaintext.bytes {
            return Ok(Ok(()));
        }
        Ok(Err(Failure {
            class: FailureClass::Protocol,
            message: "the key gave back something else than the marker".to_owned(),
            hint: None,
            option_name: None,
            facts: Vec::new(),
        }))
    }

    fn drop(&mut self, marker: Resource<Marker>) -> Result<()> {
        self.table.delete(marker)?;
        Ok(())
    }
}
