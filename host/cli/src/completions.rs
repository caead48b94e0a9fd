//! `portolan completions`: a script for a shell, made from the definitions of the arguments.

use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments};
use crate::standard_output::StandardOutput;

/// Prints the script.
pub(crate) fn run(arguments: &CompletionsArguments) -> Result<()> {
    let mut command = Arguments::command();
    // What writes the script panics where it cannot.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "portolan", &mut script);
    let mut output = StandardOutput::new();
    output.write_all(&script)?;
    Ok(output.flush()?)
}
