//! `random`, `log` and `sign`: one function each.

use wasmtime::{Result, bail};

use super::Host;
use crate::bindings::lent_host::sign::Algorithm;
use crate::bindings::lent_host::{log, random, sign};
use crate::bindings::types::Failure;
use crate::words::quote;

impl random::Host for Host {
    fn bytes(&mut self, length: u32) -> Result<Vec<u8>> {
        let bytes = self.answered(&format!("random {length}"), |_, words| words.bytes())?;
        bytes.or_else(|_| bail!("random bytes do not fail"))
    }
}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, message: String) -> Result<()> {
        let level = match &level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Other(other) => other,
        };
        self.asked(&format!("log {level} {}", quote(message.as_bytes())))
    }
}

impl sign::Host for Host {
    fn sign(
        &mut self,
        secret: String,
        algorithm: Algorithm,
        message: Vec<u8>,
    ) -> Result<Result<Vec<u8>, Failure>> {
        self.named_secret(&secret)?;
        let call = format!("sign secret({secret}) {algorithm:?} {}", quote(&message));
        self.answered(&call, |_, words| words.bytes())
    }
}
