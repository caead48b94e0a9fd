//! `portolan key`: what opens the store.

mod add;
mod list;
mod recover;
mod remove;
mod rotate;
mod slot;

use anyhow::Result;

use crate::args::KeyCommand;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, command: KeyCommand) -> Result<()> {
    match command {
        KeyCommand::List(format) => list::run(store, &format).await,
        KeyCommand::Add(arguments) => add::run(store, arguments).await,
        KeyCommand::Remove(arguments) => remove::run(store, &arguments).await,
        KeyCommand::Rotate => rotate::run(store).await,
        KeyCommand::Recover(arguments) => recover::run(store, arguments).await,
    }
}
