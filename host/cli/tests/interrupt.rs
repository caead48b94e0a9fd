//! ctrl-C in the middle of a probe, by a provider that waits for the host.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use portolan_tests::hostile;

/// Files to list again and again: each time takes long enough that the probe is at it for seconds.
const FILES: usize = 4_000;

const CREATE: &str =
    "CREATE EXTERNAL CONNECTION slow AS 'hostile://h/lists_without_end?key=swordfish'";

fn program(name: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
    Command::new(name)
}

fn portolan(home: &Path, arguments: &[&str]) -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_portolan"));
    command.args(arguments).env_clear().env("HOME", home);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn done(home: &Path, arguments: &[&str]) -> String {
    let output = portolan(home, arguments).output().expect("started");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Where the guest's object store lies.
fn directory(home: &Path) -> PathBuf {
    home.join(".local/share/portolan/extern/hostile")
}

/// A store in which the guest is approved, and a directory for it that is slow to list.
fn prepare(home: &Path) {
    let component = hostile::with_manifest(hostile::MANIFEST).expect("a component");
    let file = home.join("hostile.wasm");
    std::fs::write(&file, component).expect("written");
    let file = file.to_str().expect("text");
    done(home, &["provider", "add", "--yes", file]);
    let directory = directory(home);
    std::fs::create_dir_all(&directory).expect("made");
    for number in 0..FILES {
        std::fs::write(directory.join(format!("z{number}")), "").expect("written");
    }
}

/// Sends ctrl-C when the probe has begun, which its marker tells, and waits for the end.
fn interrupt(home: &Path, mut child: Child) -> Output {
    let marker = directory(home).join("crdb_external_storage_location");
    while !marker.exists() {
        let ended = child.try_wait().expect("its state");
        assert_eq!(ended, None, "it ended before its probe began");
        std::thread::sleep(Duration::from_millis(20));
    }
    let sent = program("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(sent.success(), "it was still running");
    let since = Instant::now();
    let output = child.wait_with_output().expect("its end");
    let waited = since.elapsed();
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    output
}

#[test]
fn ctrl_c_in_a_probe_says_so_and_writes_nothing_but_its_row_of_the_trail() {
    let home = tempfile::tempdir().expect("a folder");
    prepare(home.path());
    let child = portolan(home.path(), &["sql", "-e", CREATE]).spawn();
    let output = interrupt(home.path(), child.expect("started"));
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "ERROR: interrupted\nSQLSTATE: 57014\nHINT: what was finished before stays; run it again for \
         the rest\n"
    );
    let show = ["sql", "--format", "csv", "-e", "SHOW EXTERNAL CONNECTIONS"];
    assert_eq!(done(home.path(), &show).lines().count(), 1, "the header");
    let trail = done(home.path(), &["sql", "--format", "csv", "-e", "SHOW AUDIT"]);
    let rows: Vec<_> = trail
        .lines()
        .filter(|row| row.contains("CREATE EXTERNAL CONNECTION"))
        .collect();
    assert_eq!(rows.len(), 1, "{trail}");
    assert!(
        rows[0].contains("slow") && rows[0].contains("57014"),
        "{trail}"
    );
    assert!(
        rows[0].contains("it was given up before its end"),
        "{trail}"
    );
    assert!(!trail.contains("swordfish"), "{trail}");
}

/// A command that reads what never comes: a pipe that nobody writes to, or one that stays open.
#[test]
fn ctrl_c_ends_a_command_that_waits_for_its_input() {
    let home = tempfile::tempdir().expect("a folder");
    let create = "CREATE EXTERNAL CONNECTION a AS 'nodelocal://self/a'";
    done(home.path(), &["sql", "-e", create]);
    let pipe = home.path().join("pipe");
    let made = program("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let pipe = pipe.to_str().expect("text");
    let parameter = format!("1=@{pipe}");
    let passphrase = format!("--passphrase=@{pipe}");
    let waiting: &[&[&str]] = &[
        &["sql", "-f", "-"],
        &["sql", "-f", pipe],
        &[
            "sql",
            "--param",
            "1=-",
            "-e",
            "VALIDATE EXTERNAL CONNECTION $1",
        ],
        &[
            "sql",
            "--param",
            &parameter,
            "-e",
            "VALIDATE EXTERNAL CONNECTION $1",
        ],
        &["--config", pipe, "sql", "-e", "SHOW USERS"],
        &["key", "add", &passphrase],
        &["provider", "add", "--yes", pipe],
        &["policy", "test", "-"],
        &["put", pipe, "external://a/b"],
    ];
    for arguments in waiting {
        let mut command = portolan(home.path(), arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("started");
        // Held, so that standard input does not come to an end.
        let _input = child.stdin.take();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(child.try_wait().expect("its state"), None, "{arguments:?}");
        let since = Instant::now();
        // The one asks, and what can not be asked any more is ended by the other.
        for _ in 0..2 {
            let id = child.id().to_string();
            let sent = program("kill").args(["-INT", &id]).status();
            sent.expect("kill");
            std::thread::sleep(Duration::from_millis(300));
        }
        let output = child.wait_with_output().expect("its end");
        let waited = since.elapsed();
        assert!(waited < Duration::from_secs(5), "{arguments:?}: {waited:?}");
        assert_eq!(output.status.code(), Some(130), "{arguments:?}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("SQLSTATE: 57014"), "{arguments:?}: {told}");
    }
}

#[test]
fn what_has_no_end_is_refused_and_not_read_into_memory() {
    let home = tempfile::tempdir().expect("a folder");
    done(home.path(), &["sql", "-e", "SHOW USERS"]);
    for (arguments, expected) in [
        (
            &["--config", "/dev/zero", "sql", "-e", "SHOW USERS"][..],
            "the configuration /dev/zero has more than 1 MiB",
        ),
        (
            &[
                "sql",
                "--param",
                "1=@/dev/zero",
                "-e",
                "VALIDATE EXTERNAL CONNECTION $1",
            ],
            "a parameter from /dev/zero has more than 1 MiB",
        ),
        (
            &["provider", "add", "--yes", "/dev/zero"],
            "the most is 8 MiB",
        ),
    ] {
        let output = portolan(home.path(), arguments).output().expect("run");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(expected), "{told}");
        assert!(told.contains("SQLSTATE: 53200"), "{told}");
        assert!(told.contains("HINT: "), "{told}");
    }
}
