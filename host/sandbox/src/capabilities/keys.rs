//! `keys`: the marker of a key's probe. The host makes it, and the host compares.

use std::sync::Arc;

use portolan_contract::{Failure, FailureClass};
use portolan_secret::SecretBytes;
use wasmtime::component::Resource;

use super::network::Access;
use super::parts::{Opaque, Origin};
use crate::Fault;
use crate::bindings::host::keys::{Host, HostMarker};
use crate::bindings::types;
use crate::guest::Guest;

/// The length of a marker: that of two data keys.
const LENGTH: usize = 64;
/// The most comparisons of one operation.
const MAX_COMPARED: usize = 16;

/// A handle to the marker. It holds nothing: the plaintext belongs to the operation.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct Marker;

/// The plaintext of one operation, random, made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct KeyMarker {
    plaintext: Option<Arc<SecretBytes>>,
    compared: usize,
}

impl KeyMarker {
    fn plaintext(&mut self) -> Result<Arc<SecretBytes>, Fault> {
        if let Some(plaintext) = &self.plaintext {
            return Ok(Arc::clone(plaintext));
        }
        let mut bytes = vec![0; LENGTH];
        getrandom::fill(&mut bytes)
            .map_err(|_| Fault::Host("no random bytes were to be had".to_owned()))?;
        let plaintext = Arc::new(SecretBytes::new(bytes));
        self.plaintext = Some(Arc::clone(&plaintext));
        Ok(plaintext)
    }

    fn compare(&mut self, decrypted: &SecretBytes) -> Result<Result<(), Failure>, Fault> {
        self.compared += 1;
        if self.compared > MAX_COMPARED {
            return Err(Fault::Contract(format!(
                "compared its marker more than {MAX_COMPARED} times"
            )));
        }
        let same = self.plaintext.as_deref() == Some(decrypted);
        Ok(match same {
            true => Ok(()),
            false => Err(Failure::new(
                FailureClass::Protocol,
                "the key gave back something else than the marker",
            )
            .with_hint("check that the connection names the key of one and the same service")),
        })
    }
}

impl Guest {
    fn key_marker(&mut self) -> Result<&mut KeyMarker, Fault> {
        match &mut self.lent {
            Some(lent) => Ok(&mut lent.key_marker),
            None => Err(Fault::Host("it was lent nothing".to_owned())),
        }
    }
}

impl HostMarker for Guest {
    fn plaintext(&mut self, _: Resource<Marker>) -> wasmtime::Result<Resource<Opaque>> {
        let plaintext = self.key_marker()?.plaintext()?;
        let Access {
            network, budget, ..
        } = self.network("keys@0.1.0#[method]marker.plaintext")?;
        budget.count_opaque(plaintext.len())?;
        let handle = network.lend(Opaque::of(plaintext, Origin::Host))?;
        self.leave(handle)
    }

    fn compare(
        &mut self,
        _: Resource<Marker>,
        decrypted: Resource<Opaque>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        let access = self.network("keys@0.1.0#[method]marker.compare")?;
        let decrypted = access.network.take(decrypted)?;
        let compared = self.key_marker()?.compare(&decrypted.bytes)?;
        self.answer(compared)
    }

    fn drop(&mut self, _: Resource<Marker>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl Host for Guest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_marker_is_the_marker() {
        let mut marker = KeyMarker::default();
        let nothing = marker.compare(&SecretBytes::default());
        assert!(nothing.expect("compared").is_err(), "nothing was asked for");
        let plaintext = marker.plaintext().expect("random bytes");
        assert_eq!(plaintext.len(), LENGTH);
        assert_eq!(marker.plaintext(), Ok(Arc::clone(&plaintext)));
        assert_ne!(KeyMarker::default().plaintext(), Ok(Arc::clone(&plaintext)));
        assert_eq!(marker.compare(&plaintext), Ok(Ok(())));
        let mut longer = plaintext.expose().to_vec();
        longer.push(0);
        for other in [Vec::new(), longer, plaintext.expose()[1..].to_vec()] {
            let compared = marker.compare(&SecretBytes::new(other));
            let failure = compared.expect("compared").expect_err("another one");
            assert_eq!(failure.class, FailureClass::Protocol);
        }
    }

    #[test]
    fn a_marker_is_compared_so_often_and_no_more() {
        let mut marker = KeyMarker::default();
        let plaintext = marker.plaintext().expect("random bytes");
        for _ in 0..MAX_COMPARED {
            assert_eq!(marker.compare(&plaintext), Ok(Ok(())));
        }
        assert!(marker.compare(&plaintext).is_err());
    }
}
