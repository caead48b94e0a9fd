//! What only a terminal sees: a question before everything is removed, and the line of progress.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

use crate::home::{Home, files};

fn open(home: &Home, script: &str) -> PtySession {
    #[expect(clippy::disallowed_methods, reason = "the test is about a terminal")]
    let mut command = Command::new("bash");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_portolan"));
    let folder = program.parent().expect("a folder").display();
    let path = std::env::var("PATH").expect("a path");
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
fn everything_is_removed_only_after_a_yes() {
    let home = Home::new();
    std::fs::create_dir_all(home.objects("a")).expect("made");
    std::fs::write(home.objects("a").join("x"), "x").expect("written");
    for (answer, left) in [("n", 1), ("y", 0)] {
        let mut terminal = open(&home, "portolan rm -r external://a");
        terminal
            .exp_string("Remove everything in external://a? [y/N] ")
            .expect("a question");
        terminal.send_line(answer).expect("an answer");
        terminal.exp_eof().expect("the end");
        assert_eq!(files(&home.objects("a")).len(), left, "{answer}");
    }
}

#[test]
fn a_question_ends_with_ctrl_c_and_nothing_is_removed() {
    let home = Home::new();
    std::fs::create_dir_all(home.objects("a")).expect("made");
    std::fs::write(home.objects("a").join("x"), "x").expect("written");
    let mut terminal = open(&home, "portolan rm -r external://a; echo status $?");
    terminal.exp_string("[y/N] ").expect("a question");
    terminal.send_control('c').expect("sent");
    terminal.exp_string("status 130").expect("a status");
    assert_eq!(files(&home.objects("a")), ["x"]);
}

#[test]
fn a_long_transfer_shows_files_bytes_and_rate() {
    let home = Home::new();
    let mut terminal = open(
        &home,
        "(head -c 20000000 /dev/zero; sleep 3) | portolan put - external://a/x",
    );
    terminal.exp_string("0/1 files").expect("a line");
    terminal.exp_string("MiB").expect("bytes");
    terminal.exp_string("/s").expect("a rate");
    terminal.exp_eof().expect("the end");
    assert_eq!(files(&home.objects("a")), ["x"]);
}
