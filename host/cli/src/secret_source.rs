//! Secrets on their way in: from a file, standard input, the environment, or a person. Never from the
//! command line itself, which stands in the process list and in the shell's history.

use std::env::VarError;
use std::io::{ErrorKind, IsTerminal};
use std::path::Path;

use anyhow::Result;
use portolan_secret::SecretText;

use crate::input::{self, MOST_OF_A_TEXT};
use crate::report::{Failure, Interrupted};

/// Reads `@FILE`, `-` or `env:NAME`. `what` says in errors what is read, and `hint` how to write it.
pub(crate) async fn read(source: &str, what: &str, hint: &str) -> Result<SecretText> {
    let mut text = if let Some(path) = source.strip_prefix('@') {
        let from = format!("{what} from");
        input::file(Path::new(path), MOST_OF_A_TEXT, &from).await?
    } else if source == "-" {
        input::standard_input(MOST_OF_A_TEXT).await?
    } else if let Some(name) = source.strip_prefix("env:") {
        std::env::var(name).map_err(|error| match error {
            VarError::NotPresent => {
                Failure::new("22023", format!("the environment has no variable {name}")).hint(hint)
            }
            VarError::NotUnicode(_) => Failure::new(
                "22021",
                format!("the environment's variable {name} is not UTF-8"),
            )
            .hint("give it a text in UTF-8"),
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
pub(crate) async fn read_file(path: &Path) -> Result<SecretText> {
    let mut text = match path == Path::new("-") {
        true => input::standard_input(MOST_OF_A_TEXT).await?,
        false => input::file(path, MOST_OF_A_TEXT, "").await?,
    };
    strip_newline(&mut text);
    Ok(SecretText::new(text))
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
