//! `portolan decrypt`: an envelope on standard input becomes its content on standard output.

use anyhow::Result;
use portolan::envelope::{Header, WipedReader, open};

use super::pipe::{Pipe, refuse_terminal_input};
use super::{key, unless_asked};
use crate::args::DecryptArguments;
use crate::interrupt::Interrupt;
use crate::store::Store;

/// What is to be thought of a result that is not whole.
const PARTIAL: &str = "they are the authentic beginning of the content, and not all of it";

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: DecryptArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    refuse_terminal_input()?;
    let pipe = Pipe::new(PARTIAL)?;
    let asking = async {
        // Whether the key may be used is said before anything is read.
        let key = key(store, &arguments.url).await?;
        let input = pipe.input.share()?;
        let header = tokio::task::spawn_blocking(move || Header::read(input)).await?;
        let header = header.map_err(portolan::Error::from)?;
        let data_key = key.data_key(&header).await?;
        Ok((header, data_key))
    };
    let (header, data_key) = unless_asked(interrupt, asking).await?;
    pipe.run(interrupt, move |input, output| {
        open(&header, &data_key, WipedReader::new(input), output).map(drop)
    })
    .await
}
