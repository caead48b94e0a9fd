//! The `portolan` command line tool: arguments, formats and the prompt around the library.
//!
//! # Layout
//!
//! * [`args`]: every flag and command, defined once.
//! * [`config`] reads `portolan.toml`.
//! * [`store`]: from flags, environment and configuration to a host and a session.
//! * [`report`]: errors and notices on standard error, and the exit status.
//! * [`format`](mod@format): results on standard output.
//! * [`sql`] and [`prompt`]: statements from arguments, files and a terminal.
//! * [`transfer`]: `ls`, `cat`, `put`, `get`, `rm`, `cp`.
//! * [`validate`], [`provider`], [`audit`], [`doctor`], [`completions`]: a file for each other command.

mod args;
mod audit;
mod completions;
mod config;
mod doctor;
mod format;
mod prompt;
mod provider;
mod report;
mod sql;
mod store;
mod transfer;
mod validate;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;

use crate::args::{Arguments, Command};
use crate::store::Store;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return report::failed(&error.into()),
    };
    let outcome = runtime.block_on(async {
        let outcome = tokio::select! {
            outcome = run(arguments) => outcome,
            () = interrupted() => Err(report::Interrupted.into()),
        };
        settled().await;
        outcome
    });
    // Blocking threads may still wait for standard input; nothing of theirs is worth waiting for.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if report::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => report::failed(&error),
    }
}

/// Ends with the first interrupt; what was begun is dropped, which aborts an upload.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for the tasks that outlive what began them: a statement that is given up writes its row of
/// the audit trail. It takes as long as the store may be locked, and a little more.
async fn settled() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let none_is_left = async {
        while metrics.num_alive_tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(6), none_is_left).await;
}

async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { global, command } = arguments;
    if let Command::Completions(arguments) = &command {
        return completions::run(arguments);
    }
    let store = Store::locate(&global)?;
    match command {
        Command::Sql(arguments) => sql::run(&store, arguments).await,
        Command::Ls(arguments) => transfer::ls::run(&store, arguments).await,
        Command::Cat(arguments) => transfer::cat::run(&store, arguments).await,
        Command::Put(arguments) => transfer::put::run(&store, arguments).await,
        Command::Get(arguments) => transfer::get::run(&store, arguments).await,
        Command::Rm(arguments) => transfer::rm::run(&store, arguments).await,
        Command::Cp(arguments) => transfer::cp::run(&store, arguments).await,
        Command::Validate(arguments) => validate::run(&store, arguments).await,
        Command::Provider(command) => provider::run(&store, command).await,
        Command::Audit(arguments) => audit::run(&store, arguments).await,
        Command::Doctor(arguments) => doctor::run(&store, arguments).await,
        Command::Completions(_) => Ok(()),
    }
}
