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
