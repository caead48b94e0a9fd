//! `portolan policy`: what may be dialled, asked and changed.

mod allow;
mod test;

use anyhow::Result;

use crate::args::PolicyCommand;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, command: PolicyCommand) -> Result<()> {
    match command {
        PolicyCommand::Test(arguments) => test::run(store, arguments).await,
        PolicyCommand::Allow(arguments) => allow::run(store, &arguments).await,
    }
}
