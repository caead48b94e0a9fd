//! `parts`: secrets that a guest frames.

use wasmtime::component::Resource;
use wasmtime::{Result, bail, format_err};

use super::Host;
use crate::bindings::lent_host::parts::{self, Encoding};
use crate::bindings::types::{Failure, Fragment, PlanEntry};
use crate::known::{Opaque, Writing};

impl Host {
    /// The value of a named secret of the plan, put together.
    pub(super) fn named_secret(&mut self, name: &str) -> Result<Opaque> {
        let Some(secret) = self.plan.iter().find_map(|entry| match entry {
            PlanEntry::Secret(secret) if secret.name == name => Some(secret),
            _ => None,
        }) else {
            bail!("the plan names no secret {name}");
        };
        let mut bytes = Vec::new();
        for fragment in &secret.fragments {
            match fragment {
                Fragment::Text(text) => bytes.extend(text.as_bytes()),
                Fragment::Secret(number) => {
                    let value = self.secrets.get(*number);
                    let value = value.ok_or_else(|| format_err!("no secret {number}"))?;
                    bytes.extend(value.used().expose());
                }
            }
        }
        Ok(self.known.add(name, bytes))
    }
}

impl parts::Host for Host {
    fn named(&mut self, name: String) -> Result<Result<Resource<Opaque>, Failure>> {
        self.answered(&format!("named {name}"), |host, words| {
            super::ok(words)?;
            let secret = host.named_secret(&name)?;
            host.lend(secret)
        })
    }

    fn encode(
        &mut self,
        content: Resource<Opaque>,
        encoding: Encoding,
    ) -> Result<Result<Resource<Opaque>, Failure>> {
        let content = self.take(content)?;
        let name = encoding_name(&encoding);
        let call = format!("encode secret({}) {name}", content.name);
        self.answered(&call, |host, words| {
            super::ok(words)?;
            let bytes = writing(&encoding)?.of(&content.bytes);
            let encoded = host.known.add(&format!("{}.{name}", content.name), bytes);
            host.lend(encoded)
        })
    }
}

impl parts::HostOpaque for Host {
    fn length(&mut self, opaque: Resource<Opaque>) -> Result<u64> {
        Ok(self.table.get(&opaque)?.bytes.len() as u64)
    }

    fn duplicate(&mut self, opaque: Resource<Opaque>) -> Result<Resource<Opaque>> {
        let secret = self.table.get(&opaque)?.clone();
        self.lend(secret)
    }

    fn drop(&mut self, opaque: Resource<Opaque>) -> Result<()> {
        self.table.delete(opaque)?;
        Ok(())
    }
}

/// How a host of walks writes in an encoding.
pub(super) fn writing(encoding: &Encoding) -> Result<Writing> {
    match encoding {
        Encoding::Base64 => Ok(Writing::Base64),
        Encoding::Base64url => Ok(Writing::Base64url),
        _ => bail!("this host writes base64 and base64url only"),
    }
}

/// The name of an encoding in a script.
pub(super) fn encoding_name(encoding: &Encoding) -> &str {
    match encoding {
        Encoding::JsonText => "json-text",
        Encoding::Base64 => "base64",
        Encoding::Base64url => "base64url",
        Encoding::Hex => "hex",
        Encoding::Other(other) => other,
    }
}
