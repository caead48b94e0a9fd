//! What the system may write of the process's memory.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The limits on core files of the program as bash starts it, soft and hard, once they are `expected`.
fn limits_are(shell: &str, expected: [&str; 2]) {
    let home = tempfile::tempdir().expect("a folder");
    #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{shell} exec \"$0\" sql -f -")]);
    command.arg(env!("CARGO_BIN_EXE_portolan")).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home.path());
    // It waits for statements until the test has seen what it came for.
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("started");
    let file = format!("/proc/{}/limits", child.id());
    let name = format!("/proc/{}/comm", child.id());
    let since = Instant::now();
    let limit = || {
        let limits = std::fs::read_to_string(&file).expect("the limits");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file"));
        let words = core.expect("a line").split_whitespace();
        words.skip(4).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let runs = || std::fs::read_to_string(&name).is_ok_and(|name| name.trim() == "portolan");
    while !runs() || limit() != expected {
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", limit());
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(child.stdin.take());
    assert!(child.wait().expect("its end").success());
}

#[test]
fn no_core_file_is_written_whatever_the_shell_allows() {
    limits_are("", ["1", "1"]);
}

#[test]
fn a_shell_that_allows_none_is_no_reason_not_to_start() {
    limits_are("ulimit -c 0;", ["0", "0"]);
}
