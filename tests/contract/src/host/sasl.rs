//! `sasl`: exchanges whose answers hold secrets.

use std::fmt::Write as _;

use wasmtime::component::Resource;
use wasmtime::{Result, bail};

use super::Host;
use super::net::Connection;
use crate::bindings::lent_host::sasl::{self, Answer, Property};
use crate::bindings::types::Failure;
use crate::words::quote;

/// One exchange, by its place among those of the instance: the first is `x0`.
#[derive(Debug)]
pub struct Exchange {
    place: usize,
}

impl sasl::Host for Host {
    fn start(
        &mut self,
        mechanism: String,
        properties: Vec<Property>,
        channel: Option<Resource<Connection>>,
    ) -> Result<Result<Resource<Exchange>, Failure>> {
        let mut call = format!("sasl {mechanism}");
        if let Some(channel) = &channel {
            let _ = write!(call, " on {}", self.channel(channel)?);
        }
        for property in &properties {
            let _ = match property {
                Property::Text((name, text)) => write!(call, " {name}={}", quote(text.as_bytes())),
                Property::Secret((name, secret)) => {
                    self.named_secret(secret)?;
                    write!(call, " {name}=secret({secret})")
                }
                Property::Other((name, _)) => bail!("no kind of property {name}"),
            };
        }
        self.answered(&call, |host, words| {
            super::ok(words)?;
            let place = host.exchanges;
            host.exchanges += 1;
            Ok(host.table.push(Exchange { place })?)
        })
    }
}

impl sasl::HostExchange for Host {
    fn step(
        &mut self,
        exchange: Resource<Exchange>,
        challenge: Vec<u8>,
    ) -> Result<Result<Answer, Failure>> {
        let place = self.table.get(&exchange)?.place;
        let call = format!("step x{place} {}", quote(&challenge));
        self.answered(&call, |host, words| {
            Ok(match words.word()? {
                "message" => Answer::Message(host.part(words)?),
                "last" => Answer::Last(host.part(words)?),
                "done" => Answer::Done,
                other => bail!("`{other}` is no answer of an exchange"),
            })
        })
    }

    fn drop(&mut self, exchange: Resource<Exchange>) -> Result<()> {
        self.table.delete(exchange)?;
        Ok(())
    }
}
