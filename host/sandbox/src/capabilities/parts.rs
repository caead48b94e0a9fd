//! `parts`: bytes that a provider may frame but not read.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portolan_contract::{Failure, FailureClass};
use portolan_secret::SecretBytes;
use wasmtime::component::Resource;

use super::network::Access;
use crate::Fault;
use crate::bindings::host::parts::{Encoding, Host, HostOpaque};
use crate::bindings::types;
use crate::budget::Budget;
use crate::guest::Guest;

/// Bytes that stay in the host. They are wiped when the last handle to them is gone.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct Opaque {
    pub(crate) bytes: Arc<SecretBytes>,
    /// What the bytes were before they were encoded.
    pub(crate) content: Arc<SecretBytes>,
    pub(crate) origin: Origin,
}

/// Where opaque bytes come from. A handle keeps it through whatever a guest has done with it, so
/// that what is somebody's secret is not handed to somebody else as another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A named secret of the plan.
    Plan,
    /// The host, or whoever called it.
    Host,
    /// The answer of a service.
    Answer,
}

impl Opaque {
    pub(crate) fn new(bytes: SecretBytes, origin: Origin) -> Self {
        Self::of(Arc::new(bytes), origin)
    }

    pub(crate) fn of(bytes: Arc<SecretBytes>, origin: Origin) -> Self {
        Self {
            content: Arc::clone(&bytes),
            bytes,
            origin,
        }
    }
}

impl HostOpaque for Guest {
    fn length(&mut self, opaque: Resource<Opaque>) -> wasmtime::Result<u64> {
        let access = self.network("parts@0.1.0#[method]opaque.length")?;
        let length = access.network.table.get(&opaque)?.bytes.len() as u64;
        self.leave(length)
    }

    fn duplicate(&mut self, opaque: Resource<Opaque>) -> wasmtime::Result<Resource<Opaque>> {
        let access = self.network("parts@0.1.0#[method]opaque.duplicate")?;
        let first = access.network.table.get(&opaque)?;
        let second = Opaque {
            bytes: Arc::clone(&first.bytes),
            content: Arc::clone(&first.content),
            origin: first.origin,
        };
        let handle = access.network.lend(second)?;
        self.leave(handle)
    }

    fn drop(&mut self, opaque: Resource<Opaque>) -> wasmtime::Result<()> {
        match self.lent.as_mut().and_then(|lent| lent.network.as_mut()) {
            Some(network) => network.take(opaque).map(|_| ()),
            None => Ok(()),
        }
    }
}

impl Host for Guest {
    /// The name is not repeated where there is none such: the guest wrote it.
    fn named(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<Resource<Opaque>, types::Failure>> {
        let Access {
            network, budget, ..
        } = self.network("parts@0.1.0#named")?;
        let named = match network.plan.secret(&name) {
            None => Err(Failure::new(
                FailureClass::NotFound,
                "the plan has no named secret of this name",
            )
            .with_hint("report it to the provider's author, or create the connection again")),
            Some(secret) => {
                budget.count_opaque(secret.len())?;
                let opaque = Opaque::new(secret.clone(), Origin::Plan);
                Ok(network.lend(opaque)?)
            }
        };
        self.answer(named)
    }

    fn encode(
        &mut self,
        content: Resource<Opaque>,
        encoding: Encoding,
    ) -> wasmtime::Result<Result<Resource<Opaque>, types::Failure>> {
        let Access {
            network, budget, ..
        } = self.network("parts@0.1.0#encode")?;
        let content = network.take(content)?;
        let encoded = match encoded(content.bytes.expose(), &encoding, budget)? {
            Err(failure) => Err(failure),
            Ok(bytes) => Ok(network.lend(Opaque {
                bytes: Arc::new(bytes),
                ..content
            })?),
        };
        self.answer(encoded)
    }
}

/// The bytes, written in an encoding. Each is made in one piece of its exact length, so that no
/// copy is left behind where a buffer grew.
fn encoded(
    bytes: &[u8],
    encoding: &Encoding,
    budget: &mut Budget,
) -> Result<Result<SecretBytes, Failure>, Fault> {
    let text = match encoding {
        Encoding::JsonText => return json_text(bytes, budget),
        Encoding::Base64 => {
            budget.count_opaque(bytes.len().div_ceil(3).saturating_mul(4))?;
            STANDARD.encode(bytes)
        }
        Encoding::Base64url => {
            budget.count_opaque(bytes.len().saturating_mul(4).div_ceil(3))?;
            URL_SAFE_NO_PAD.encode(bytes)
        }
        Encoding::Hex => {
            budget.count_opaque(bytes.len().saturating_mul(2))?;
            hex::encode(bytes)
        }
        Encoding::Other(_) => {
            return Ok(Err(Failure::new(
                FailureClass::Unsupported,
                "this host does not know the encoding that a secret is to be written in",
            )
            .with_hint(
                "update this host, or use another version of the provider",
            )));
        }
    };
    Ok(Ok(SecretBytes::new(text.into_bytes())))
}

/// The inside of a JSON string.
fn json_text(bytes: &[u8], budget: &mut Budget) -> Result<Result<SecretBytes, Failure>, Fault> {
    let unwritable = |what: &str| {
        Failure::new(
            FailureClass::Protocol,
            format!("a secret cannot be written in JSON: {what}"),
        )
        .with_hint("give the secret as UTF-8 text")
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(Err(unwritable("it is not UTF-8")));
    };
    let mut length = Length(0);
    if serde_json::to_writer(&mut length, text).is_err() {
        return Ok(Err(unwritable("it has no JSON form")));
    }
    budget.count_opaque(length.0)?;
    let mut written = Vec::with_capacity(length.0);
    if serde_json::to_writer(&mut written, text).is_err() {
        return Ok(Err(unwritable("it has no JSON form")));
    }
    // The quotes belong to the message that the provider frames.
    written.pop();
    written.remove(0);
    Ok(Ok(SecretBytes::new(written)))
}

/// Counts what is written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn written(bytes: &[u8], encoding: &Encoding) -> Result<Vec<u8>, FailureClass> {
        let mut budget = Budget::new(Arc::new(Limits::default()));
        let encoded = encoded(bytes, encoding, &mut budget).expect("within the budget");
        encoded
            .map(|secret| secret.expose().to_vec())
            .map_err(|failure| failure.class)
    }

    #[test]
    fn each_encoding_is_as_the_contract_says() {
        for (encoding, text) in [
            (Encoding::JsonText, r#"p\"\\/ö?>"#),
            (Encoding::Base64, "cCJcL8O2Pz4="),
            (Encoding::Base64url, "cCJcL8O2Pz4"),
            (Encoding::Hex, "70225c2fc3b63f3e"),
        ] {
            let bytes = written("p\"\\/\u{f6}?>".as_bytes(), &encoding);
            assert_eq!(bytes, Ok(text.as_bytes().to_vec()), "{encoding:?}");
        }
        assert_eq!(
            written(b"\xfb\xff", &Encoding::Base64url),
            Ok(b"-_8".to_vec())
        );
    }

    #[test]
    fn what_is_no_text_has_no_json_form() {
        assert_eq!(
            written(b"\xff", &Encoding::JsonText),
            Err(FailureClass::Protocol)
        );
    }

    #[test]
    fn an_encoding_of_a_later_contract_is_unsupported() {
        assert_eq!(
            written(b"a", &Encoding::Other("base32".to_owned())),
            Err(FailureClass::Unsupported)
        );
    }

    #[test]
    fn what_would_grow_beyond_the_budget_is_not_made() {
        let limits = Limits {
            opaque_bytes: 100,
            ..Limits::default()
        };
        let mut budget = Budget::new(Arc::new(limits));
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::JsonText] {
            let fault = encoded(&[b'a'; 90], &encoding, &mut budget).expect_err("too much");
            assert_eq!(fault, Fault::OpaqueBytes(100));
        }
    }
}
