//! The prompt on a real terminal: history, completion, help, ctrl-C.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

/// What the line editor asks a terminal before it draws, and what a terminal answers.
const WHERE_IS_THE_CURSOR: &str = "\u{1b}[6n";
const TOP_LEFT: &str = "\u{1b}[1;1R";

struct Terminal {
    session: PtySession,
}

impl Terminal {
    /// `portolan sql` with a store of its own.
    fn open(home: &Path, arguments: &[&str]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
        command
            .args(arguments)
            .arg("sql")
            .env_clear()
            .env("HOME", home)
            .env("TERM", "xterm")
            .env("NO_COLOR", "1");
        let session = spawn_command(command, Some(20_000)).expect("a terminal");
        Self { session }
    }

    /// Waits until the prompt reads a line.
    fn ready(&mut self) {
        self.session
            .exp_string(WHERE_IS_THE_CURSOR)
            .expect("the editor begins");
        self.session.send(TOP_LEFT).expect("an answer");
        self.session.flush().expect("an answer");
        self.session.exp_string("=> ").expect("a prompt");
    }

    fn enter(&mut self, text: &str) {
        self.session.send(text).expect("keys");
        self.session.send("\r").expect("the Enter key");
        self.session.flush().expect("keys");
    }

    fn expect(&mut self, text: &str) {
        if let Err(error) = self.session.exp_string(text) {
            panic!("{text:?} did not come: {error}");
        }
    }

    fn leave(mut self) {
        self.ready();
        self.enter("\\q");
        self.session.exp_eof().expect("the end");
    }
}

#[test]
fn statements_run_and_the_history_keeps_no_literal() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &[]);
    terminal.ready();
    terminal.enter("create external connection lake as 'nodelocal://self/swordfish';");
    terminal.expect("CREATE EXTERNAL CONNECTION");
    terminal.ready();
    terminal.enter("create external conection lake as 'nodelocal://self/halibut';");
    terminal.expect("42601");
    terminal.ready();
    terminal.enter("show external connections;");
    terminal.expect("(1 row)");
    terminal.leave();

    let history = home.path().join(".local/share/portolan/history");
    let kept = std::fs::read_to_string(history).expect("a history");
    assert!(kept.contains("SHOW EXTERNAL CONNECTIONS"), "{kept}");
    assert!(
        !kept.contains("swordfish") && !kept.contains("halibut"),
        "{kept}"
    );
}

#[test]
fn a_statement_may_span_lines_and_names_complete() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &[]);
    terminal.ready();
    terminal.enter("create external connection meadow_lake");
    terminal.enter("as 'nodelocal://self/x';");
    terminal.expect("CREATE EXTERNAL CONNECTION");
    terminal.ready();
    terminal
        .session
        .send("drop external connection mead\t")
        .expect("keys");
    terminal.session.flush().expect("keys");
    terminal.expect("meadow_lake");
    terminal.enter(";");
    terminal.expect("DROP EXTERNAL CONNECTION");
    terminal.leave();
}

#[test]
fn help_is_there_and_unknown_commands_say_so() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &[]);
    terminal.expect("Type \\? for help");
    terminal.ready();
    terminal.enter("\\?");
    terminal.expect("the grammar of a statement");
    terminal.ready();
    terminal.enter("\\h create external connection");
    terminal.expect("CREATE EXTERNAL CONNECTION");
    terminal.ready();
    terminal.enter("\\dance");
    terminal.expect("is not a command");
    terminal.leave();
}

#[test]
fn ctrl_c_clears_the_line_and_keeps_the_prompt() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &[]);
    terminal.ready();
    terminal.session.send("show external conn").expect("keys");
    terminal.session.send_control('c').expect("ctrl-C");
    terminal.ready();
    terminal.enter("show users;");
    terminal.expect("(1 row)");
    terminal.leave();
}

#[test]
fn ctrl_c_in_a_statement_cancels_it_and_keeps_the_prompt() {
    // Whoever is dialled there never answers.
    #[expect(clippy::disallowed_methods, reason = "a server that says nothing")]
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &["--allow-egress", &address]);
    terminal.ready();
    terminal.enter(&format!(
        "create user ana; create external connection web as 'http://{address}/x';"
    ));
    terminal.expect("CREATE USER");
    let (_held, _) = silent.accept().expect("the probe dials");
    terminal.session.send_control('c').expect("ctrl-C");
    terminal.session.flush().expect("keys");
    terminal.expect("ERROR: the statement was cancelled");
    terminal.expect("SQLSTATE: 57014");
    terminal.expect("DETAIL: the statement before it was done");
    terminal.ready();
    terminal.enter("show users;");
    terminal.expect("ana");
    terminal.ready();
    terminal.enter("show external connections;");
    terminal.expect("(0 rows)");
    terminal.leave();
}

#[test]
fn whoever_leaves_right_after_ctrl_c_leaves_a_row_and_no_object_behind() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &[]);
    terminal.ready();
    terminal.enter("create external connection lake as 'nodelocal://self/x';");
    terminal.expect("CREATE EXTERNAL CONNECTION");
    for _ in 0..3 {
        terminal.ready();
        terminal
            .enter("check external connection lake with transfer = '7 MiB', concurrently = 64, time = '1m';");
        // Once there is an object to be left behind.
        let objects = home.path().join(".local/share/portolan/extern/x");
        let since = std::time::Instant::now();
        while std::fs::read_dir(&objects).map_or(0, Iterator::count) < 2 {
            assert!(since.elapsed() < std::time::Duration::from_secs(10));
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        terminal.session.send_control('c').expect("ctrl-C");
        terminal.session.flush().expect("keys");
        terminal.expect("SQLSTATE: 57014");
        terminal.leave();
        assert_eq!(
            names(&objects),
            ["crdb_external_storage_location"],
            "left behind"
        );
        terminal = Terminal::open(home.path(), &[]);
    }
    terminal.ready();
    terminal.enter("show audit;");
    for _ in 0..3 {
        terminal.expect("57014");
    }
    terminal.leave();
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn ctrl_c_at_the_question_for_a_placeholder_cancels_the_statement_and_keeps_the_prompt() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &[]);
    terminal.ready();
    terminal.enter("create user ana; create user ben; create external connection lake as $1;");
    terminal.expect("$1 (not shown): ");
    terminal.session.send_control('c').expect("ctrl-C");
    terminal.session.flush().expect("keys");
    terminal.expect("ERROR: the statement was cancelled");
    terminal.expect("SQLSTATE: 57014");
    terminal.expect("DETAIL: the 2 statements before it were done");
    terminal.ready();
    terminal.enter("show external connections;");
    terminal.expect("(0 rows)");
    terminal.leave();
}

#[test]
fn ctrl_c_at_the_question_for_the_passphrase_ends_the_prompt_before_it_begins() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &["--unlock", "passphrase"]);
    terminal.expect("Passphrase (not shown): ");
    terminal.session.send_control('c').expect("ctrl-C");
    terminal.session.flush().expect("keys");
    terminal.expect("ERROR: interrupted");
    terminal.expect("SQLSTATE: 57014");
    terminal.session.exp_eof().expect("the end");
}

#[test]
fn ctrl_c_while_the_store_is_opened_ends_the_prompt_before_it_begins() {
    // The service that is to unwrap the store's key never answers.
    #[expect(clippy::disallowed_methods, reason = "a server that says nothing")]
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join("portolan.toml");
    let text = format!(
        "[master_key]\nkms = \"aws-kms:///alias/a?REGION=eu-central-1&AWS_ACCESS_KEY_ID=a\
         &AWS_SECRET_ACCESS_KEY=b\"\n\
         [egress.connect_to]\n\"kms.eu-central-1.amazonaws.com:443\" = \"{address}\"\n"
    );
    std::fs::write(&config, text).expect("written");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    let config = config.to_str().expect("text");
    let mut terminal = Terminal::open(home.path(), &["--config", config]);
    let (_held, _) = silent.accept().expect("the service is dialled");
    terminal.session.send_control('c').expect("ctrl-C");
    terminal.session.flush().expect("keys");
    terminal.expect("ERROR: interrupted");
    terminal.session.exp_eof().expect("the end");
}

#[test]
fn an_unbound_placeholder_is_asked_for_without_echo() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &[]);
    terminal.ready();
    terminal.enter("create external connection lake as $1;");
    terminal.expect("$1 (not shown): ");
    terminal.enter("nodelocal://self/swordfish");
    let shown = terminal
        .session
        .exp_string("CREATE EXTERNAL CONNECTION")
        .expect("the tag");
    assert!(!shown.contains("swordfish"), "{shown}");
    terminal.leave();
}

#[test]
fn a_named_user_is_told_once_that_naming_is_no_authentication() {
    let home = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::open(home.path(), &["--user", "root"]);
    terminal.expect("--user is no authentication");
    terminal.ready();
    terminal.enter("show users;");
    let shown = terminal.session.exp_string("(1 row)").expect("a table");
    assert!(!shown.contains("authentication"), "{shown}");
    terminal.leave();
}

/// What a mistake prints on a terminal, with this value of `NO_COLOR` or without one.
fn told_with(no_color: Option<&str>) -> String {
    let home = tempfile::tempdir().expect("a folder");
    #[expect(clippy::disallowed_methods, reason = "the test is about the command")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
    command
        .args(["sql", "-e", "SHOW EXTERNAL CONECTIONS"])
        .env_clear()
        .env("HOME", home.path())
        .env("TERM", "xterm");
    if let Some(value) = no_color {
        command.env("NO_COLOR", value);
    }
    let mut session = spawn_command(command, Some(20_000)).expect("a terminal");
    let told = session.exp_eof().expect("the end");
    assert!(told.contains("42601"), "{told}");
    told
}

#[test]
fn a_terminal_gets_colours_unless_no_color_is_set() {
    let escape = '\u{1b}';
    assert!(told_with(None).contains(escape));
    assert!(told_with(Some("")).contains(escape), "as if it were unset");
    let plain = told_with(Some("1"));
    assert!(!plain.contains(escape), "{plain:?}");
}
