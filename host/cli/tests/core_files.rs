//! What the system may write of the process's memory.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A user who owns nothing and may raise no limit.
const NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";

/// The program, waiting for statements until it is dropped.
struct Waiting {
    child: Child,
    home: tempfile::TempDir,
}

impl Waiting {
    /// Has bash run `shell`, and then the program in its place.
    fn after(shell: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        // For whoever it runs as: what a test builds may lie where only its own user can look.
        let program = home.path().join("portolan");
        std::fs::copy(env!("CARGO_BIN_EXE_portolan"), &program).expect("a copy");
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(home.path(), everybody).expect("open to all");
        #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
        let mut command = Command::new("bash");
        command.args(["-c", &format!("{shell} exec $BECOME \"$0\" sql -f -")]);
        command.arg(&program).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let child = command.spawn().expect("started");
        Self { child, home }
    }

    fn about(&self, file: &str) -> String {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Its limits on core files, soft and hard.
    fn limits(&self) -> Vec<String> {
        let limits = self.about("limits");
        let mut lines = limits.lines();
        let core = lines.find(|line| line.starts_with("Max core file"));
        let words = core.unwrap_or_default().split_whitespace();
        words.skip(4).take(2).map(str::to_owned).collect()
    }

    /// Waits until the program has these limits.
    fn has_limits(&self, expected: [&str; 2]) {
        let since = Instant::now();
        while self.about("comm").trim() != "portolan" || self.limits() != expected {
            assert!(
                since.elapsed() < Duration::from_secs(10),
                "{:?}",
                self.limits()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the system would give its memory to nobody but root.
    fn is_dumped_for_nobody(&self) -> bool {
        // Which it says by giving what tells of the process to root (`proc(5)`).
        let limits = format!("/proc/{}/limits", self.child.id());
        Path::new(&limits).metadata().expect("it runs").uid() == 0
    }

    /// It is said right after the limit is set.
    fn is_soon_dumped_for_nobody(&self) {
        let since = Instant::now();
        while !self.is_dumped_for_nobody() {
            assert!(since.elapsed() < Duration::from_secs(10), "it is dumped");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ends_well(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("its end").success());
        drop(self.home);
    }
}

#[test]
fn no_core_file_is_written_and_nothing_dumped_whatever_the_shell_allows() {
    let waiting = Waiting::after(&becoming_nobody());
    waiting.has_limits(["1", "1"]);
    waiting.is_soon_dumped_for_nobody();
    waiting.ends_well();
}

#[test]
fn where_no_limit_may_be_raised_nothing_is_dumped_either() {
    let waiting = Waiting::after(&format!("ulimit -c 0; {}", becoming_nobody()));
    waiting.has_limits(["0", "0"]);
    waiting.is_soon_dumped_for_nobody();
    waiting.ends_well();
}

fn becoming_nobody() -> String {
    let is_root = rustix::process::getuid().is_root();
    let user = if is_root { NOBODY } else { "" };
    format!("BECOME='{user}';")
}
