//! The program from its start to its end: a statement that needs no provider, and two that do.
//!
//! Each time is that of a new process with a warm cache of compiled components, on a store that is
//! there; what the system reads from disk is in its memory.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark that cannot go on ends, its figures are its output, and it starts programs"
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use portolan_figures::{Figure, median};

/// How often each statement is run.
const ROUNDS: usize = 41;

fn run(home: &Path, statement: &str) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
    command.args(["sql", "-e", statement]);
    command.env_clear().env("HOME", home);
    let began = Instant::now();
    let output = command.output().expect("started");
    let took = began.elapsed();
    assert!(output.status.success(), "{output:?}");
    took
}

fn main() {
    let home = tempfile::tempdir().expect("a folder");
    let create = |name: &str, more: &str| {
        format!("CREATE EXTERNAL CONNECTION {name} AS 'nodelocal://self/{name}'{more}")
    };
    // Makes the store, and compiles the provider.
    run(home.path(), &create("first", ""));
    let mut shown = Vec::new();
    let mut made = Vec::new();
    let mut probed = Vec::new();
    for round in 0..ROUNDS {
        shown.push(run(home.path(), "SHOW EXTERNAL CONNECTIONS"));
        let unprobed = create(&format!("made{round}"), " WITH VALIDATE = 'none'");
        made.push(run(home.path(), &unprobed));
        probed.push(run(home.path(), &create(&format!("probed{round}"), "")));
    }
    let most = Duration::from_millis(25);
    let name = "SHOW EXTERNAL CONNECTIONS, a process from start to end";
    println!("{}", Figure::new(name, median(&mut shown), most));
    println!(
        "  CREATE with VALIDATE = 'none' {:?}, with a full probe {:?}",
        median(&mut made),
        median(&mut probed)
    );
}
