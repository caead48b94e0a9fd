//! Signals and closed pipes in the middle.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::home::errors;
use crate::keys::{Keys, content};

fn send(signal: &str, child: &Child) {
    #[expect(clippy::disallowed_methods, reason = "the test sends a signal")]
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

/// Begins a command, gives it some input and keeps its end open, until the output has some bytes.
fn begun(keys: &Keys, arguments: &[&str], input: &[u8]) -> Child {
    let path = keys.home.path("out");
    let output = std::fs::File::create(&path).expect("made");
    let mut command = keys.home.command(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(output)
        .spawn()
        .expect("it starts");
    let pipe = child.stdin.as_mut().expect("a pipe");
    pipe.write_all(input).expect("written");
    let end = Instant::now() + Duration::from_secs(60);
    while std::fs::metadata(&path).expect("there").len() < (1 << 20) {
        assert!(Instant::now() < end, "nothing was written");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn interrupted(keys: &Keys, signal: &str, mut child: Child, partial: &str) {
    send(signal, &child);
    // To wait would close the pipe, and where its end came before the signal the input would be whole.
    let input = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let written = std::fs::metadata(keys.home.path("out"))
        .expect("there")
        .len();
    assert_eq!(
        errors(&output),
        format!(
            "ERROR: interrupted\nSQLSTATE: 57014\nDETAIL: {written} bytes were written: {partial}\n\
             HINT: run it again over the whole input, and into an output that is empty\n"
        )
    );
}

#[test]
fn a_signal_ends_encrypt_and_decrypt_and_says_what_the_output_is() {
    let keys = Keys::new();
    let content = content(4 << 20);
    for signal in ["-INT", "-TERM"] {
        let child = begun(&keys, &["encrypt", "external://key"], &content);
        let partial = "they are no envelope and cannot be decrypted; encrypt again from the start";
        interrupted(&keys, signal, child, partial);
    }
    let envelope = keys.encrypted(&content);
    let beginning = &envelope[..3 << 20];
    let child = begun(&keys, &["decrypt", "external://key"], beginning);
    let partial = "they are the authentic beginning of the content, and not all of it";
    interrupted(&keys, "-INT", child, partial);
}

#[test]
fn a_signal_while_the_header_is_awaited_ends_it_as_well() {
    let keys = Keys::new();
    let mut command = keys.home.command(&["decrypt", "external://key"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(700));
    send("-INT", &child);
    let input = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_closed_pipe_ends_it_without_a_word() {
    let keys = Keys::new();
    let content = content(4 << 20);
    let envelope = keys.encrypted(&content);
    for (arguments, input) in [
        (["encrypt", "external://key"], &content),
        (["decrypt", "external://key"], &envelope),
    ] {
        let mut command = keys.home.command(&arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.clone();
        let writing = std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let mut output = child.stdout.take().expect("a pipe");
        output.read_exact(&mut [0; 10]).expect("some bytes");
        drop(output);
        let output = child.wait_with_output().expect("it ends");
        writing.join().expect("written");
        let ended = (output.status.code(), errors(&output));
        assert_eq!(ended, (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_told_with_what_was_written() {
    let keys = Keys::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let mut command = keys.home.command(&["encrypt", "external://key"]);
    let output = command.stdout(full.expect("a device")).output();
    let output = output.expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let told = errors(&output);
    assert!(
        told.starts_with("ERROR: cannot write the output: "),
        "{told}"
    );
    assert!(
        told.contains("SQLSTATE: 58030") && told.contains("HINT: "),
        "{told}"
    );
}
