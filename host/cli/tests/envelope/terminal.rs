//! What only a terminal sees: binary that is refused, and the line of progress.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use crate::keys::Keys;

fn open(keys: &Keys, script: &str) -> PtySession {
    #[expect(clippy::disallowed_methods, reason = "the test is about a terminal")]
    let mut command = Command::new("bash");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_portolan"));
    let folder = program.parent().expect("a folder").display();
    let path = std::env::var("PATH").expect("a path");
    let home = &keys.home;
    command
        .args(["-c", script])
        .current_dir(home.path(""))
        .env_clear()
        .env("PATH", format!("{folder}:{path}"))
        .env("HOME", home.path(""))
        .env("PORTOLAN_STORE", home.path("store"))
        .env("TERM", "xterm");
    spawn_command(command, Some(30_000)).expect("a terminal")
}

#[test]
fn nothing_binary_comes_from_or_goes_to_a_terminal() {
    let keys = Keys::new();
    std::fs::write(keys.home.path("text"), keys.encrypted(b"greetings\t1\n")).expect("written");
    std::fs::write(keys.home.path("binary"), keys.encrypted(b"a\x1b[2Jb")).expect("written");
    for (script, told) in [
        (
            "echo x | portolan encrypt external://key",
            "ERROR: an envelope is binary, and standard output is a terminal",
        ),
        (
            "portolan decrypt external://key",
            "ERROR: an envelope is binary, and standard input is a terminal",
        ),
        (
            "portolan decrypt external://key < binary",
            "ERROR: the content is no text, and standard output is a terminal",
        ),
    ] {
        let mut terminal = open(&keys, &format!("{script}; echo status $?"));
        terminal.exp_string(told).expect(script);
        terminal.exp_string("status 1").expect(script);
    }
    let mut terminal = open(
        &keys,
        "portolan decrypt external://key < text; echo status $?",
    );
    terminal.exp_string("greetings").expect("the text");
    terminal.exp_string("status 0").expect("a status");
}

#[test]
fn a_long_encryption_shows_bytes_and_rate() {
    let keys = Keys::new();
    let script = "(head -c 20000000 /dev/zero; sleep 3) | portolan encrypt external://key > out";
    let mut terminal = open(&keys, script);
    terminal.exp_string("MiB").expect("bytes");
    terminal.exp_string("/s").expect("a rate");
    terminal.exp_eof().expect("the end");
    let size = std::fs::metadata(keys.home.path("out"))
        .expect("there")
        .len();
    assert!(size > 20_000_000);
}
