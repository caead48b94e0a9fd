//! What only a terminal sees of `portolan key`: phrases and passphrases that are asked for and not
//! shown, and a question before a slot is removed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::path::Path;
use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

struct Terminal {
    session: PtySession,
    shown: String,
}

impl Terminal {
    /// A command line in a home of its own.
    fn run(home: &Path, script: &str) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_portolan"));
        let folder = program.parent().expect("a folder").display();
        let path = std::env::var("PATH").expect("a path");
        #[expect(clippy::disallowed_methods, reason = "the test is about a terminal")]
        let mut command = Command::new("bash");
        command
            .args(["-c", script])
            .current_dir(home)
            .env_clear()
            .env("PATH", format!("{folder}:{path}"))
            .env("HOME", home)
            .env("TERM", "xterm");
        Self {
            session: spawn_command(command, Some(60_000)).expect("a terminal"),
            shown: String::new(),
        }
    }

    fn expect(&mut self, text: &str) {
        match self.session.exp_string(text) {
            Ok(before) => self.shown.push_str(&before),
            Err(error) => panic!("{text:?} did not come: {error}"),
        }
        self.shown.push_str(text);
    }

    fn enter(&mut self, text: &str) {
        self.session.send_line(text).expect("keys");
    }

    /// Everything that was shown, once the command has ended.
    fn ends(mut self) -> String {
        let rest = self.session.exp_eof().expect("the end");
        self.shown.push_str(&rest);
        self.shown
    }
}

fn with_store() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    Terminal::run(home.path(), "portolan sql -e 'SHOW USERS'").ends();
    home
}

#[test]
fn a_passphrase_is_asked_for_twice_and_once_to_open_and_never_shown() {
    let home = with_store();
    let mut terminal = Terminal::run(home.path(), "portolan key add --passphrase");
    terminal.expect("New passphrase (not shown): ");
    terminal.enter("swordfish and halibut");
    terminal.expect("The same again: ");
    terminal.enter("swordfish and haddock");
    terminal.expect("the two passphrases differ");
    let shown = terminal.ends();
    assert!(!shown.contains("swordfish"), "{shown}");

    let mut terminal = Terminal::run(home.path(), "portolan key add --passphrase");
    for prompt in ["New passphrase (not shown): ", "The same again: "] {
        terminal.expect(prompt);
        terminal.enter("swordfish and halibut");
    }
    terminal.expect("added key slot 2 (passphrase)");
    let shown = terminal.ends();
    assert!(!shown.contains("swordfish"), "{shown}");

    let script = "portolan --unlock passphrase sql -e 'SHOW USERS'";
    let mut terminal = Terminal::run(home.path(), script);
    terminal.expect("Passphrase (not shown): ");
    terminal.enter("swordfish and halibut");
    terminal.expect("(1 row)");
    let shown = terminal.ends();
    assert!(!shown.contains("swordfish"), "{shown}");
}

#[test]
fn a_recovery_phrase_is_shown_once_and_brings_a_lost_key_file_back() {
    let home = with_store();
    let shown = Terminal::run(home.path(), "portolan key add --recovery").ends();
    let words: Vec<&str> = shown
        .split_whitespace()
        .take_while(|word| *word != "NOTICE:")
        .collect();
    assert_eq!(words.len(), 24, "{shown}");
    let phrase = words.join(" ");
    let key = home.path().join(".local/share/portolan/master.key");
    std::fs::remove_file(&key).expect("the key is lost");

    let mut typo = words.clone();
    typo[4] = "swordfish";
    let mut terminal = Terminal::run(home.path(), "portolan key recover");
    terminal.expect("Recovery phrase (not shown): ");
    terminal.enter(&typo.join(" "));
    terminal.expect("word 5 is none of the words that phrases are made of");
    let shown = terminal.ends();
    assert!(
        !shown.contains("swordfish") && !shown.contains(words[5]),
        "{shown}"
    );
    assert!(!key.exists());

    let mut terminal = Terminal::run(home.path(), "portolan key recover");
    terminal.expect("Recovery phrase (not shown): ");
    terminal.enter(&phrase);
    terminal.expect("added key slot 3 (key-file)");
    let shown = terminal.ends();
    assert!(
        !shown.contains(&format!("{} {}", words[0], words[1])),
        "{shown}"
    );
    let shown = Terminal::run(home.path(), "portolan key list").ends();
    assert!(shown.contains("3 | key-file"), "{shown}");
}

#[test]
fn a_slot_is_removed_only_after_a_yes() {
    let home = with_store();
    Terminal::run(home.path(), "portolan key add --key-file spare.key").ends();
    for (answer, told) in [("n", "not removed"), ("y", "removed key slot 2")] {
        let mut terminal = Terminal::run(home.path(), "portolan key remove 2");
        terminal.expect("Remove key slot 2? What opens it then opens the store no longer. [y/N] ");
        terminal.enter(answer);
        terminal.expect(told);
        terminal.ends();
    }
}

#[test]
fn a_phrase_that_cannot_be_shown_adds_no_slot() {
    let home = with_store();
    let script = "portolan key add --recovery > /dev/full; echo status $?";
    let shown = Terminal::run(home.path(), script).ends();
    assert!(shown.contains("no slot was added"), "{shown}");
    assert!(shown.contains("status 1"), "{shown}");
    let shown = Terminal::run(home.path(), "portolan key list --format csv").ends();
    assert!(!shown.contains("recovery"), "{shown}");
}

fn portolan(home: &Path, arguments: &[&str]) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
    command.args(arguments).env_clear().env("HOME", home);
    command
}

fn printed(home: &Path, arguments: &[&str]) -> String {
    let output = portolan(home, arguments).output().expect("runs");
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).expect("is text")
}

#[test]
fn a_rotation_that_is_killed_is_told_by_doctor_and_gone_on_with() {
    let home = with_store();
    let home = home.path();
    let mut script =
        "CREATE EXTERNAL CONNECTION a AS 'nodelocal://self/a?T=swordfish';\n".to_owned();
    for number in 0..1_200 {
        script.push_str("COMMENT ON EXTERNAL CONNECTION a IS 'x';\n");
        if number % 100 == 0 {
            let create = format!("CREATE USER u{number};\n");
            script.push_str(&create);
        }
    }
    std::fs::write(home.join("fill.sql"), script).expect("written");
    let file = home.join("fill.sql");
    printed(home, &["sql", "-f", file.to_str().expect("a path")]);
    let mut broken_off = 0;
    // More often where the machine is busy and the process gets nowhere.
    for round in 0..60 {
        if round > 7 && broken_off > 0 {
            break;
        }
        let mut child = portolan(home, &["key", "rotate"]).spawn().expect("starts");
        std::thread::sleep(std::time::Duration::from_millis(20 + 25 * (round % 20)));
        child.kill().expect("kills");
        child.wait().expect("ends");
        let checked = printed(home, &["doctor", "--format", "csv"]);
        assert!(!checked.contains("failed"), "{checked}");
        let told = checked.contains("key-slots,warning,a change of the store's key was broken off");
        broken_off += usize::from(told);
        let shown = printed(home, &["sql", "-e", "SHOW CREATE EXTERNAL CONNECTION a"]);
        assert!(shown.contains("swordfish"), "{shown}");
        if told {
            let listed = printed(home, &["key", "list"]);
            assert!(listed.contains("portolan key rotate goes on"), "{listed}");
        }
        if told && round > 4 {
            let done = printed(home, &["key", "rotate"]);
            assert!(
                done.contains("a change that was broken off was finished"),
                "{done}"
            );
        }
    }
    assert!(broken_off > 0, "some were killed in the middle");
    printed(home, &["key", "rotate"]);
    let checked = printed(home, &["doctor", "--format", "csv"]);
    assert!(!checked.contains("broken off"), "{checked}");
    let trail = printed(home, &["audit", "--format", "csv"]);
    assert!(trail.lines().count() > 1_200, "every record is authentic");
}
