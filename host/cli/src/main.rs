//! The `portolan` command line tool: arguments, formats and the prompt around the library.
//!
//! # Layout
//!
//! * [`args`]: every flag and command, defined once.
//! * [`config`] reads `portolan.toml`; [`config_mistake`] says what is wrong with it.
//! * [`way_out`]: what may be dialled, and whom servers are checked against.
//! * [`store`]: from flags, environment and configuration to a host and a session.
//! * [`report`]: errors and notices on standard error, and the exit status.
//! * [`interrupt`]: ctrl-C and SIGTERM; [`core_files`]: none.
//! * [`format`](mod@format): results on [standard output](standard_output).
//! * [`sql`] and [`prompt`]: statements from arguments, files and a terminal.
//! * [`unlock`], [`secret_source`] and [`service_slot`]: what opens the store, on its way in.
//! * [`key`] and [`rescue`]: slots, and a store that nothing opens any more.
//! * [`transfer`]: `ls`, `cat`, `put`, `get`, `rm`, `cp`; [`emit`]: messages of standard input;
//!   [`envelope`]: `encrypt`, `decrypt`.
//! * [`validate`], [`provider`], [`policy`], [`audit`], [`doctor`], [`completions`]: a file for each other command.

mod args;
mod audit;
mod completions;
mod config;
mod config_mistake;
mod confirm;
mod core_files;
mod doctor;
mod emit;
mod envelope;
mod format;
mod input;
mod interrupt;
mod key;
mod policy;
mod prompt;
mod provider;
mod report;
mod rescue;
mod secret_source;
mod service_slot;
mod sql;
mod standard_output;
mod store;
mod transfer;
mod unlock;
mod validate;
mod way_out;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use crate::args::{Arguments, Command, StoreCommand};
use crate::interrupt::Interrupt;
use crate::store::Store;

fn main() -> ExitCode {
    let arguments = Arguments::of_process();
    if let Err(error) = core_files::forbid() {
        return report::failed(&error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return report::failed(&error.into()),
    };
    let outcome = runtime.block_on(async {
        let interrupt = Interrupt::listen()?;
        let busy = alive_tasks();
        let running = on_its_own_thread(arguments, interrupt.clone());
        let outcome = tokio::select! {
            outcome = running => outcome,
            () = interrupt.insisted() => return Err(report::Interrupted::default().into()),
        };
        let interrupted = matches!(&outcome, Err(error) if error.is::<report::Interrupted>());
        if interrupted || interrupt.was_pressed() {
            settled(busy, &interrupt).await;
        }
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

/// Runs the command. Whatever it waits for without giving way, an open of a pipe that nobody writes
/// to, keeps no signal from ending the process.
async fn on_its_own_thread(arguments: Arguments, interrupt: Interrupt) -> Result<()> {
    let (sender, outcome) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    // As much as the main thread has.
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    thread.spawn(move || {
        let outcome = runtime.block_on(run(arguments, &interrupt));
        // Nobody waits for it any more where the process is ending.
        let _ = sender.send(outcome);
    })?;
    outcome.await?
}

/// How many tasks run now.
fn alive_tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Waits for the tasks that outlive what began them, until there are no more than `busy`: a
/// statement that is given up writes its row of the audit trail. It takes as long as the store may be
/// locked, and a little more; a second interrupt ends it.
async fn settled(busy: usize, interrupt: &Interrupt) {
    let none_is_left = async {
        while alive_tasks() > busy {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(Duration::from_secs(6), none_is_left) => {}
        () = interrupt.insisted() => {}
    }
}

async fn run(arguments: Arguments, interrupt: &Interrupt) -> Result<()> {
    let Arguments { global, command } = arguments;
    if let Command::Completions(arguments) = &command {
        return completions::run(arguments);
    }
    // It reads the configuration, which may be a pipe that never ends.
    let locating = tokio::task::spawn_blocking(move || Store::locate(&global));
    let store = tokio::select! {
        store = locating => store??,
        () = interrupt.asked() => return Err(report::Interrupted::default().into()),
    };
    match command {
        // These have uploads to give up, and say what was done and what was not.
        Command::Put(arguments) => transfer::put::run(&store, arguments, interrupt).await,
        Command::Get(arguments) => transfer::get::run(&store, arguments, interrupt).await,
        Command::Rm(arguments) => transfer::rm::run(&store, arguments, interrupt).await,
        Command::Cp(arguments) => transfer::cp::run(&store, arguments, interrupt).await,
        // It waits for what is under way, and says what was acknowledged.
        Command::Emit(arguments) => emit::run(&store, arguments, interrupt).await,
        Command::Encrypt(arguments) => envelope::encrypt::run(&store, arguments, interrupt).await,
        Command::Decrypt(arguments) => envelope::decrypt::run(&store, arguments, interrupt).await,
        // Whatever else was begun is simply dropped.
        command => tokio::select! {
            outcome = run_to_drop(&store, command, interrupt) => outcome,
            () = interrupt.asked() => Err(report::Interrupted::default().into()),
        },
    }
}

async fn run_to_drop(store: &Store, command: Command, interrupt: &Interrupt) -> Result<()> {
    match command {
        Command::Sql(arguments) => sql::run(store, arguments, interrupt).await,
        Command::Ls(arguments) => transfer::ls::run(store, arguments).await,
        Command::Cat(arguments) => transfer::cat::run(store, arguments, interrupt).await,
        Command::Validate(arguments) => validate::run(store, arguments).await,
        Command::Provider(command) => provider::run(store, command).await,
        Command::Policy(command) => policy::run(store, command).await,
        Command::Key(command) => key::run(store, command).await,
        Command::Store(StoreCommand::Rescue) => rescue::run(store).await,
        Command::Audit(arguments) => audit::run(store, arguments).await,
        Command::Doctor(arguments) => doctor::run(store, arguments).await,
        Command::Completions(_)
        | Command::Put(_)
        | Command::Get(_)
        | Command::Rm(_)
        | Command::Cp(_)
        | Command::Emit(_)
        | Command::Encrypt(_)
        | Command::Decrypt(_) => Ok(()),
    }
}
