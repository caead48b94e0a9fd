//! The interfaces of the contract that this host does not lend yet. A component may import them;
//! calling one ends the guest, and the fault says which one it was.

use crate::Fault;
use crate::bindings::host::sign;
use crate::bindings::types;
use crate::guest::Guest;

impl Guest {
    fn not_granted<T>(&mut self, import: &str) -> wasmtime::Result<T> {
        self.enter()?;
        Err(Fault::NotGranted(format!("portolan:host/{import}")).into())
    }
}

impl types::Host for Guest {}

impl sign::Host for Guest {
    async fn sign(
        &mut self,
        _: String,
        _: sign::Algorithm,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Failure>> {
        self.not_granted("sign@0.1.0#sign")
    }
}
