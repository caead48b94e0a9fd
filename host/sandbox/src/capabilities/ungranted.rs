//! The interfaces of the contract that this host does not lend yet. A component may import them;
//! calling one ends the guest, and the fault says which one it was.

use wasmtime::component::Resource;

use crate::Fault;
use crate::bindings::host::{http, keys, net, parts, sasl, sign};
use crate::bindings::types;
use crate::guest::Guest;

impl Guest {
    fn not_granted<T>(&mut self, import: &str) -> wasmtime::Result<T> {
        self.enter()?;
        Err(Fault::NotGranted(format!("portolan:host/{import}")).into())
    }
}

impl types::Host for Guest {}

impl parts::HostOpaque for Guest {
    async fn length(&mut self, _: Resource<parts::Opaque>) -> wasmtime::Result<u64> {
        self.not_granted("parts@0.1.0#[method]opaque.length")
    }

    async fn duplicate(
        &mut self,
        _: Resource<parts::Opaque>,
    ) -> wasmtime::Result<Resource<parts::Opaque>> {
        self.not_granted("parts@0.1.0#[method]opaque.duplicate")
    }

    async fn drop(&mut self, _: Resource<parts::Opaque>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl parts::Host for Guest {
    async fn named(
        &mut self,
        _: String,
    ) -> wasmtime::Result<Result<Resource<parts::Opaque>, types::Failure>> {
        self.not_granted("parts@0.1.0#named")
    }

    async fn encode(
        &mut self,
        _: Resource<parts::Opaque>,
        _: parts::Encoding,
    ) -> wasmtime::Result<Result<Resource<parts::Opaque>, types::Failure>> {
        self.not_granted("parts@0.1.0#encode")
    }
}

impl http::Host for Guest {
    async fn send(
        &mut self,
        _: http::Request,
    ) -> wasmtime::Result<Result<http::Response, types::Failure>> {
        self.not_granted("http@0.1.0#send")
    }
}

impl net::HostConnection for Guest {
    async fn start_tls(
        &mut self,
        _: Resource<net::Connection>,
        _: String,
        _: Vec<String>,
    ) -> wasmtime::Result<Result<net::TlsFacts, types::Failure>> {
        self.not_granted("net@0.1.0#[method]connection.start-tls")
    }

    async fn write(
        &mut self,
        _: Resource<net::Connection>,
        _: Vec<parts::Part>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        self.not_granted("net@0.1.0#[method]connection.write")
    }

    async fn read(
        &mut self,
        _: Resource<net::Connection>,
        _: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Failure>> {
        self.not_granted("net@0.1.0#[method]connection.read")
    }

    async fn try_read(
        &mut self,
        _: Resource<net::Connection>,
        _: u32,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, types::Failure>> {
        self.not_granted("net@0.1.0#[method]connection.try-read")
    }

    async fn close(
        &mut self,
        _: Resource<net::Connection>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        self.not_granted("net@0.1.0#[method]connection.close")
    }

    async fn drop(&mut self, _: Resource<net::Connection>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl net::Host for Guest {
    async fn resolve(&mut self, _: u32) -> wasmtime::Result<Result<u32, types::Failure>> {
        self.not_granted("net@0.1.0#resolve")
    }

    async fn connect(
        &mut self,
        _: u32,
    ) -> wasmtime::Result<Result<Resource<net::Connection>, types::Failure>> {
        self.not_granted("net@0.1.0#connect")
    }

    async fn connect_further(
        &mut self,
        _: u32,
        _: String,
        _: u16,
    ) -> wasmtime::Result<Result<Resource<net::Connection>, types::Failure>> {
        self.not_granted("net@0.1.0#connect-further")
    }

    async fn wait(
        &mut self,
        _: Vec<Resource<net::Connection>>,
        _: u32,
    ) -> wasmtime::Result<Vec<u32>> {
        self.not_granted("net@0.1.0#wait")
    }
}

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

impl keys::HostMarker for Guest {
    async fn plaintext(
        &mut self,
        _: Resource<keys::Marker>,
    ) -> wasmtime::Result<Resource<parts::Opaque>> {
        self.not_granted("keys@0.1.0#[method]marker.plaintext")
    }

    async fn compare(
        &mut self,
        _: Resource<keys::Marker>,
        _: Resource<parts::Opaque>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        self.not_granted("keys@0.1.0#[method]marker.compare")
    }

    async fn drop(&mut self, _: Resource<keys::Marker>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl keys::Host for Guest {}
