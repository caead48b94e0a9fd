//! What the system may write of the process's memory.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn no_core_file_is_written_whatever_the_shell_allows() {
    let home = tempfile::tempdir().expect("a folder");
    #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
    command.args(["sql", "-f", "-"]).env_clear();
    command.env("HOME", home.path());
    // It waits for statements until the test has seen what it came for.
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn().expect("started");
    let file = format!("/proc/{}/limits", child.id());
    let since = Instant::now();
    let limit = || {
        let limits = std::fs::read_to_string(&file).expect("the limits");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file"));
        let words = core.expect("a line").split_whitespace();
        words.skip(4).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    while limit() != ["1", "1"] {
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", limit());
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(child.stdin.take());
    assert!(child.wait().expect("its end").success());
}
