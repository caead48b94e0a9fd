//! Runs what people see: every folder of `tests/statements`, and the tour of the README.
//!
//! A session is a text: a line that begins with `$ ` is run by bash with `portolan` in its path and
//! a store of its own; what follows, up to the next such line, is exactly what it prints, standard
//! output first and then standard error, and a last line `(exit N)` where the status is not 0.
//! The home directory is shown as `/home/ana`, and `[..]` stands for text that differs between runs, such as a duration.
//!
//! With `SNAPSHOTS=overwrite` the folders' expectations are written anew; read the difference.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};

/// What sessions show instead of the home directory that a run makes.
const HOME: &str = "/home/ana";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut trials = vec![];
    let folder = root.clone();
    trials.push(Trial::test(
        "the_readmes_example_is_part_of_the_short_program_that_runs",
        move || {
            let readme = std::fs::read_to_string(folder.join("README.md"))?;
            let program = std::fs::read_to_string(folder.join("host/portolan/examples/embed.rs"))?;
            if program.lines().count() >= 60 {
                return Err("the embedding example has 60 lines or more".into());
            }
            example_is_part_of(&readme, &program)
        },
    ));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root.join("tests/statements"))
        .expect("tests/statements")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    for folder in folders {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        trials.push(Trial::test(format!("statements::{name}"), move || {
            folder_comes_out(&folder)
        }));
    }
    trials.push(Trial::test(
        "the_readmes_tour_comes_out_word_for_word",
        move || {
            let readme = std::fs::read_to_string(root.join("README.md"))?;
            let tour = tour(&readme).ok_or("the README has no tour")?;
            compare(&run(&parse(&tour))?, &tour)
        },
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn folder_comes_out(folder: &Path) -> Result<(), Failed> {
    let path = folder.join("session.txt");
    let expected = std::fs::read_to_string(&path)?;
    let actual = run(&parse(&expected))?;
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        if !matches(&actual, &expected) {
            std::fs::write(&path, actual)?;
        }
        return Ok(());
    }
    compare(&actual, &expected)
}

/// Whether the lines of the README's Rust block stand in the program one after the other.
fn example_is_part_of(readme: &str, program: &str) -> Result<(), Failed> {
    let (_, rest) = readme.split_once("```rust\n").ok_or("no example")?;
    let (example, _) = rest.split_once("```").ok_or("no end of the example")?;
    let squeezed = |text: &str| -> String {
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        lines.join("\n")
    };
    if squeezed(program).contains(&squeezed(example)) {
        return Ok(());
    }
    Err("the example in README.md differs from host/portolan/examples/embed.rs".into())
}

/// The console blocks between the README's tour markers.
fn tour(readme: &str) -> Option<String> {
    let (_, rest) = readme.split_once("<!-- tour -->")?;
    let (tour, _) = rest.split_once("<!-- /tour -->")?;
    let mut text = String::new();
    let mut inside = false;
    for line in tour.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            line if inside => {
                let _ = writeln!(text, "{line}");
            }
            _ => {}
        }
    }
    Some(text)
}

/// The commands of a session, each with its continuation lines (`> `), and comments before it.
fn parse(session: &str) -> Vec<String> {
    let mut commands: Vec<String> = vec![];
    for line in session.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_owned());
        } else if let (Some(more), Some(command)) = (line.strip_prefix("> "), commands.last_mut()) {
            command.push('\n');
            command.push_str(more);
        }
    }
    commands
}

/// Runs the commands in order in one store, and writes the session down.
fn run(commands: &[String]) -> Result<String, Failed> {
    let home = tempfile::tempdir()?;
    let bin = Path::new(env!("CARGO_BIN_EXE_portolan"))
        .parent()
        .ok_or("no folder")?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH")?);
    let real_home = home.path().display().to_string();
    let mut session = String::new();
    // One environment for the whole session, as in a terminal: `export` must last.
    let exports = home.path().join("exports");
    std::fs::write(&exports, "")?;
    for command in commands {
        let script = format!(
            "set -a; . {0}; set +a\n{command}\nstatus=$?\nexport -p > {0}\nexit $status",
            exports.display()
        );
        #[expect(clippy::disallowed_methods, reason = "the test is about commands")]
        let output = Command::new("bash")
            .arg("-c")
            .arg(script)
            .current_dir(home.path())
            .env_clear()
            .env("PATH", &path)
            .env("HOME", home.path())
            .env("TZ", "UTC")
            .output()?;
        let _ = writeln!(session, "$ {}", command.replace('\n', "\n> "));
        for printed in [output.stdout, output.stderr] {
            session.push_str(&String::from_utf8(printed)?.replace(&real_home, HOME));
        }
        if !session.ends_with('\n') {
            session.push('\n');
        }
        if let Some(code @ 1..) = output.status.code() {
            let _ = writeln!(session, "(exit {code})");
        }
    }
    Ok(session)
}

fn compare(actual: &str, expected: &str) -> Result<(), Failed> {
    if matches(actual, expected) {
        return Ok(());
    }
    let place = actual
        .lines()
        .zip(expected.lines())
        .position(|(actual, expected)| !fits(actual, expected));
    let place = place.unwrap_or_else(|| actual.lines().count().min(expected.lines().count()));
    Err(format!(
        "line {} differs; the session came out as\n{actual}",
        place + 1
    )
    .into())
}

fn matches(actual: &str, expected: &str) -> bool {
    actual.lines().count() == expected.lines().count()
        && actual
            .lines()
            .zip(expected.lines())
            .all(|(actual, expected)| fits(actual, expected))
}

/// Whether a line is the expected one, `[..]` being any text.
fn fits(actual: &str, expected: &str) -> bool {
    let mut pieces = expected.split("[..]");
    let Some(mut rest) = pieces.next().and_then(|first| actual.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(piece) = last.replace(piece) {
            match rest.find(piece) {
                Some(place) => rest = &rest[place + piece.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}
