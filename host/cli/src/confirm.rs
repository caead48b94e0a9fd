//! Questions that need a person's yes.

use std::io::{IsTerminal, Write};

use anyhow::Result;

use crate::report::{Failure, plain};

/// Asks on the terminal; without one the answer must be a flag, as `unasked` says.
pub(crate) async fn confirmed(question: &str, unasked: fn() -> Failure) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(unasked().into());
    }
    let mut error = std::io::stderr();
    write!(error, "{} [y/N] ", plain(question))?;
    error.flush()?;
    // Waiting for the answer must not keep ctrl-C waiting.
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    })
    .await??;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
