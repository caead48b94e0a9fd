//! `random`: bytes from the operating system.

use crate::Fault;
use crate::bindings::host::random::Host;
use crate::guest::Guest;

/// The most bytes of one call.
const MOST_AT_ONCE: u32 = 1024;

impl Host for Guest {
    fn bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        self.enter()?;
        if length > MOST_AT_ONCE {
            return Err(Fault::Contract(format!(
                "asked for more than {MOST_AT_ONCE} random bytes at once"
            ))
            .into());
        }
        self.budget.count_random(u64::from(length))?;
        let mut bytes = vec![0; length as usize];
        getrandom::fill(&mut bytes)
            .map_err(|_| Fault::Host("the operating system gives no random bytes".to_owned()))?;
        self.leave(bytes)
    }
}
