//! `portolan encrypt`: standard input into an envelope on standard output.

use anyhow::Result;
use portolan::envelope::{WipedReader, seal};

use super::pipe::{Pipe, refuse_terminal_output};
use super::{key, unless_asked};
use crate::args::EncryptArguments;
use crate::interrupt::Interrupt;
use crate::store::Store;

/// What is to be thought of a result that is not whole.
const PARTIAL: &str = "they are no envelope and cannot be decrypted; encrypt again from the start";

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: EncryptArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    refuse_terminal_output()?;
    let making = async {
        let key = key(store, &arguments.url).await?;
        Ok(key.new_envelope().await?)
    };
    let (header, data_key) = unless_asked(interrupt, making).await?;
    let pipe = Pipe::new(PARTIAL)?;
    pipe.run(interrupt, move |input, output| {
        seal(&header, &data_key, WipedReader::new(input), output).map(drop)
    })
    .await
}
