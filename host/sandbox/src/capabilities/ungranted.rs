//! The interfaces of the contract that this host does not lend yet. A component may import them;
//! calling one ends the guest, and the fault says which one it was.

use wasmtime::component::Resource;

use crate::Fault;
use crate::bindings::host::{net, sasl, sign};
use crate::bindings::types;
use crate::guest::Guest;

impl Guest {
    fn not_granted<T>(&mut self, import: &str) -> wasmtime::Result<T> {
        self.enter()?;
        Err(Fault::NotGranted(format!("portolan:host/{import}")).into())
    }
}

impl types::Host for Guest {}

impl sasl::HostExchange for Guest {
    async fn step(
        &mut self,
        _: Resource<sasl::Exchange>,
        _: Vec<u8>,
    ) -> wasmtime::Result<Result<sasl::Answer, types::Failure>> {
        self.not_granted("sasl@0.1.0#[method]exchange.step")
    }

    async fn drop(&mut self, _: Resource<sasl::Exchange>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl sasl::Host for Guest {
    async fn start(
        &mut self,
        _: String,
        _: Vec<sasl::Property>,
        _: Option<Resource<net::Connection>>,
    ) -> wasmtime::Result<Result<Resource<sasl::Exchange>, types::Failure>> {
        self.not_granted("sasl@0.1.0#start")
    }
}

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
