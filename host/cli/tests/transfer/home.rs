//! A store of its own for a test, and the program that works in it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A home directory with a store that has the connections `a` and `b`, each a folder.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    /// Makes the store.
    pub(crate) fn new() -> Self {
        let home = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        let made = home.run(&[
            "sql",
            "-e",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://self/a' WITH VALIDATE = 'none'",
            "-e",
            "CREATE EXTERNAL CONNECTION b AS 'nodelocal://self/b' WITH VALIDATE = 'none'",
        ]);
        assert!(made.status.success(), "{made:?}");
        home
    }

    /// A path below the home directory, in which the program runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The files of a connection.
    pub(crate) fn objects(&self, connection: &str) -> PathBuf {
        self.path("store/extern").join(connection)
    }

    /// The program with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the test is about a process")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("PORTOLAN_STORE", self.path("store"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it runs")
    }

    /// Runs the program, which must succeed, and gives its standard output.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }
}

/// Standard error as text.
pub(crate) fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every file below a directory, hidden ones as well, in order.
pub(crate) fn files(root: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(directory) = todo.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let path = path.strip_prefix(root).expect("below");
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    found
}
