//! Secrets on their way in: from a file, standard input, the environment, or a person. Never from the
//! command line itself, which stands in the process list and in the shell's history.

use std::io::{ErrorKind, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, Result};
use portolan_secret::SecretText;

use crate::report::{Failure, Interrupted};

/// Reads `@FILE`, `-` or `env:NAME`. `what` says in errors what is read, and `hint` how to write it.
pub(crate) fn read(source: &str, what: &str, hint: &str) -> Result<SecretText> {
    let mut text = if let Some(path) = source.strip_prefix('@') {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {what} from {path}"))?
    } else if source == "-" {
        standard_input()?
    } else if let Some(name) = source.strip_prefix("env:") {
        std::env::var(name).map_err(|_| {
            Failure::new("22023", format!("the environment has no variable {name}")).hint(hint)
        })?
    } else {
        return Err(Failure::new(
            "22023",
            format!("{what} cannot be given as it is: it would stand in the process list"),
        )
        .hint(hint)
        .into());
    };
    strip_newline(&mut text);
    Ok(SecretText::new(text))
}

/// A text that may be a credential, from a file or, for `-`, from standard input.
pub(crate) fn read_file(path: &Path) -> Result<SecretText> {
    let mut text = match path == Path::new("-") {
        true => standard_input()?,
        false => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?,
    };
    strip_newline(&mut text);
    Ok(SecretText::new(text))
}

fn standard_input() -> Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .context("cannot read standard input")?;
    Ok(text)
}

/// A file written by an editor ends in a newline that is not part of a credential.
fn strip_newline(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
    }
}

/// Asks on the terminal, without showing what is typed; without a terminal it is an error that says
/// what is `missing`, and how to give it. ctrl-C instead of an answer is [`Interrupted`].
pub(crate) async fn ask(
    prompt: impl Into<String>,
    missing: &str,
    hint: &str,
) -> Result<SecretText> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("22023", missing).hint(hint).into());
    }
    let prompt = prompt.into();
    // Waiting for the answer must not keep the end of the session waiting.
    match tokio::task::spawn_blocking(move || rpassword::prompt_password(prompt)).await? {
        Ok(answer) => Ok(SecretText::new(answer)),
        // The terminal sends no signal while what is typed is not shown: the key itself is read.
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(Interrupted::default().into()),
        Err(error) => Err(error.into()),
    }
}
