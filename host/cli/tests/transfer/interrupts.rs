//! Signals in the middle: what was begun is withdrawn, and told.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::home::{Home, errors, files};

/// Waits until the upload of a part is on the disk.
fn until_under_way(home: &Home) {
    let end = Instant::now() + Duration::from_secs(60);
    let hidden = |name: &String| name.contains(".portolan-upload-");
    while !files(&home.objects("a")).iter().any(hidden) {
        assert!(Instant::now() < end, "no upload was begun");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn send(signal: &str, child: &Child) {
    #[expect(clippy::disallowed_methods, reason = "the test sends a signal")]
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}

/// A put from a pipe that has brought 24 MiB and stays open.
fn endless_put(home: &Home) -> Child {
    let mut child = home
        .command(&["put", "-", "external://a/large"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let input = child.stdin.as_mut().expect("a pipe");
    input.write_all(&vec![7; 24 << 20]).expect("written");
    until_under_way(home);
    child
}

fn ends_with_130_and_nothing_is_left(home: &Home, mut child: Child) -> String {
    // To wait would close the pipe, and where its end came before the signal the put would be whole.
    let input = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    drop(input);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(files(&home.objects("a")), Vec::<String>::new());
    errors(&output)
}

#[test]
fn a_signal_in_the_middle_of_a_large_put_withdraws_it() {
    for signal in ["-INT", "-TERM"] {
        let home = Home::new();
        let child = endless_put(&home);
        send(signal, &child);
        let told = ends_with_130_and_nothing_is_left(&home, child);
        assert_eq!(
            told,
            "ERROR: interrupted: 0 copied, 1 not copied\nSQLSTATE: 57014\nDETAIL: not copied: -\n\
             HINT: what was finished before stays; run it again for the rest\n"
        );
        let doctor = home.done(&["doctor", "--format", "csv"]);
        assert!(!doctor.contains("unfinished"), "{doctor}");
    }
}

#[test]
fn what_a_kill_left_is_named_by_doctor() {
    let home = Home::new();
    let mut child = endless_put(&home);
    child.kill().expect("killed");
    child.wait().expect("ended");
    let doctor = home.done(&["doctor", "--format", "csv"]);
    assert!(doctor.contains("an upload was left unfinished"), "{doctor}");
    assert!(doctor.contains("a/.portolan-upload-"), "{doctor}");
    assert_eq!(
        home.done(&["ls", "-r", "external://a", "--format", "csv"]),
        "path,size,modified\n"
    );
}

#[test]
fn an_interrupted_recursion_says_what_was_and_was_not_copied() {
    let home = Home::new();
    std::fs::create_dir(home.path("tree")).expect("made");
    std::fs::write(home.path("tree/1-small"), "x").expect("written");
    // Enough work to be interrupted in.
    for name in 0..40 {
        let file = std::fs::File::create(home.path(&format!("tree/2-{name:02}"))).expect("made");
        file.set_len(64 << 20).expect("sparse");
    }
    let child = home
        .command(&["put", "-r", "tree", "external://a", "--parallel", "2"])
        .spawn()
        .expect("it starts");
    until_under_way(&home);
    send("-INT", &child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let told = errors(&output);
    assert!(told.starts_with("ERROR: interrupted: "), "{told}");
    assert!(told.contains("not begun"), "{told}");
    assert!(told.contains("not copied: tree/2-"), "{told}");
    let left = files(&home.objects("a"));
    assert!(
        left.iter().all(|name| !name.contains(".portolan-upload-")),
        "{left:?}"
    );
    assert!(left.len() < 41, "{left:?}");
}

#[test]
fn an_interrupted_get_leaves_the_file_as_it_was() {
    let home = Home::new();
    std::fs::create_dir_all(home.objects("a")).expect("made");
    let object = std::fs::File::create(home.objects("a").join("large")).expect("made");
    object.set_len(3 << 30).expect("sparse");
    std::fs::create_dir(home.path("out")).expect("made");
    std::fs::write(home.path("out/large"), "as it was").expect("written");
    let child = home
        .command(&["get", "external://a/large", "out/large"])
        .spawn()
        .expect("it starts");
    let end = Instant::now() + Duration::from_secs(60);
    while files(&home.path("out")).len() < 2 {
        assert!(Instant::now() < end, "nothing was begun");
        std::thread::sleep(Duration::from_millis(2));
    }
    send("-INT", &child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(files(&home.path("out")), ["large"]);
    assert_eq!(
        std::fs::read(home.path("out/large")).expect("read"),
        b"as it was"
    );
}

#[test]
fn a_closed_pipe_ends_cat_without_a_word() {
    let home = Home::new();
    std::fs::create_dir_all(home.objects("a")).expect("made");
    std::fs::write(home.objects("a").join("x"), vec![b'x'; 4 << 20]).expect("written");
    let mut child = home
        .command(&["cat", "external://a/x"])
        .spawn()
        .expect("it starts");
    let mut output = child.stdout.take().expect("a pipe");
    output.read_exact(&mut [0; 10]).expect("some bytes");
    drop(output);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), errors(&output)),
        (Some(0), String::new())
    );
}
