//! Ten thousand small objects, and one that is larger than the memory that may be used.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::home::{Home, errors, files};

const MANY: usize = 10_000;

#[test]
fn ten_thousand_objects_go_up_and_down_and_are_listed() {
    let home = Home::new();
    for number in 0..MANY {
        let folder = home.path(&format!("tree/{:02}", number % 100));
        if number < 100 {
            std::fs::create_dir_all(&folder).expect("made");
        }
        std::fs::write(folder.join(format!("{number:05}")), number.to_string()).expect("written");
    }
    home.done(&["put", "-r", "tree", "external://a/up"]);
    let listed = home.done(&["ls", "-r", "external://a", "--format", "ndjson"]);
    assert_eq!(listed.lines().count(), MANY);
    let rows = home.done(&["get", "-r", "external://a/up", "down", "--format", "csv"]);
    assert_eq!(rows.lines().count(), MANY + 1);
    assert!(
        rows.contains("get,external://a/up/42/00042,down/42/00042,2,done,,"),
        "{}",
        &rows[..400]
    );
    assert_eq!(files(&home.path("down")), files(&home.path("tree")));
    for number in [0, 4711, MANY - 1] {
        let name = format!("down/{:02}/{number:05}", number % 100);
        let content = std::fs::read_to_string(home.path(&name)).expect("read");
        assert_eq!(content, number.to_string());
    }
    home.done(&["rm", "-r", "external://a/up"]);
    assert_eq!(files(&home.objects("a")), Vec::<String>::new());
}

/// The most memory that the process has had, in KiB, as it says itself while it lives.
fn most_memory(process: u32) -> Option<u64> {
    let status = std::fs::File::open(format!("/proc/{process}/status")).ok()?;
    BufReader::new(status)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("VmHWM:").map(str::to_owned))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
}

/// Runs the program to its end, with what it used at most as far as could be seen.
fn run_and_measure(home: &Home, arguments: &[&str], input: Option<u64>) -> u64 {
    let mut child = home
        .command(arguments)
        .stdin(input.map_or_else(Stdio::null, |_| Stdio::piped()))
        .spawn()
        .expect("it starts");
    let feeding = child.stdin.take().map(|mut pipe| {
        let mebibytes = input.unwrap_or(0);
        std::thread::spawn(move || {
            for number in 0..mebibytes {
                let byte = u8::try_from(number % 251).expect("a byte");
                pipe.write_all(&vec![byte; 1 << 20]).expect("taken");
            }
        })
    });
    let mut most = 0;
    while child.try_wait().expect("alive").is_none() {
        most = most.max(most_memory(child.id()).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    if let Some(feeding) = feeding {
        feeding.join().expect("fed");
    }
    let output = child.wait_with_output().expect("it ended");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        errors(&output)
    );
    most
}

#[test]
fn an_object_of_300_mib_passes_in_bounded_memory() {
    const MEBIBYTES: u64 = 300;
    // Eight lanes of 8 MiB, and what the program is anyway; far below the object.
    const MOST_KIB: u64 = 160 * 1024;
    let home = Home::new();
    let steps: [(&[&str], Option<u64>); 4] = [
        (&["put", "-", "external://a/large"], Some(MEBIBYTES)),
        (
            &["cp", "external://a/large", "external://b/large", "--verify"],
            None,
        ),
        (&["get", "external://b/large", "large"], None),
        (&["put", "large", "external://a/again", "--verify"], None),
    ];
    for (arguments, input) in steps {
        let most = run_and_measure(&home, arguments, input);
        assert!(most > 0 && most < MOST_KIB, "{arguments:?}: {most} KiB");
    }
    let sent = std::fs::read(home.objects("a").join("large")).expect("read");
    assert_eq!(sent.len() as u64, MEBIBYTES << 20);
    assert!(
        sent == std::fs::read(home.path("large")).expect("read"),
        "down as it was up"
    );
    assert!(sent == std::fs::read(home.objects("a").join("again")).expect("read"));
}

#[test]
fn a_partial_failure_goes_on_and_says_what_was_and_was_not_copied() {
    let home = Home::new();
    std::fs::create_dir_all(home.path("tree/sub")).expect("made");
    for name in ["1", "2", "sub/3"] {
        std::fs::write(home.path("tree").join(name), name).expect("written");
    }
    std::os::unix::fs::symlink("/etc/passwd", home.path("tree/link")).expect("linked");
    // Where one of the objects would be there is a directory.
    std::fs::create_dir_all(home.objects("a").join("2/x")).expect("made");
    let output = home.run(&["put", "-r", "tree", "external://a", "--parallel", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let told = errors(&output);
    assert!(
        told.contains("not copied: tree/link\nERROR: tree/link is a symbolic link"),
        "{told}"
    );
    assert!(told.contains("not copied: tree/2\nERROR: "), "{told}");
    assert!(
        told.contains(
            "ERROR: 2 of 4 were not copied\nSQLSTATE: 58030\n\
             DETAIL: copied: tree/1, tree/sub/3; not copied: tree/2, tree/link\n"
        ),
        "{told}"
    );
    assert_eq!(files(&home.objects("a")), ["1", "sub/3"]);
}
