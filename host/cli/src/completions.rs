//! `portolan completions`: a script for a shell, made from the definitions of the arguments.

use anyhow::Result;
use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments};

/// Prints the script.
pub(crate) fn run(arguments: &CompletionsArguments) -> Result<()> {
    let mut command = Arguments::command();
    clap_complete::generate(
        arguments.shell,
        &mut command,
        "portolan",
        &mut std::io::stdout().lock(),
    );
    Ok(())
}
