//! What goes to standard error, and the exit status.
//!
//! An error is `ERROR: message` and then `SQLSTATE:`, `DETAIL:` and `HINT:` lines where there are
//! any; a notice is `NOTICE: message`. Every text comes from the library, which has scrubbed it. Names
//! and paths that the command line was given come as they are, so nothing that steers a terminal
//! goes out but the colours of a place in a statement.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use portolan::{Error, Notice};
use portolan_contract::strip_controls;
use portolan_secret::KeyError;

/// The status after an interrupt, 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// What to do after an interrupt.
pub(crate) const AGAIN_FOR_THE_REST: &str =
    "what was finished before stays; run it again for the rest";

/// The user pressed ctrl-C, or the system ends the session.
#[derive(Debug, Default)]
pub(crate) struct Interrupted {
    /// What the command has to say about what it had done.
    pub(crate) account: Option<Failure>,
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// An error of the command line itself, with its SQLSTATE and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong.
    pub(crate) message: String,
    /// The class, as statements have it.
    pub(crate) sqlstate: &'static str,
    /// More about it: the place in a statement.
    pub(crate) detail: Option<String>,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure with a message and its SQLSTATE.
    pub(crate) fn new(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            sqlstate,
            detail: None,
            hint: None,
        }
    }

    /// The same with what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with more about it.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(plain(&detail.into()));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Prints `error` and gives the exit status for it.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        match &interrupted.account {
            Some(account) => Told::from(account).print(),
            None => print(
                &Failure::new("57014", interrupted.to_string())
                    .hint(AGAIN_FOR_THE_REST)
                    .into(),
            ),
        }
        return ExitCode::from(INTERRUPTED);
    }
    print(error);
    ExitCode::FAILURE
}

/// Prints `error` in its lines.
pub(crate) fn print(error: &anyhow::Error) {
    Told::of(error).print();
}

/// An error in the parts that are shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    /// What went wrong.
    pub(crate) message: Cow<'a, str>,
    /// Its class.
    pub(crate) sqlstate: &'a str,
    pub(crate) detail: Option<&'a str>,
    pub(crate) hint: Option<&'a str>,
}

impl<'a> Told<'a> {
    /// The parts of an error, whichever crate it comes from.
    pub(crate) fn of(error: &'a anyhow::Error) -> Self {
        if let Some(error) = error.downcast_ref::<Error>() {
            let sqlstate = error.sqlstate().code();
            let unforeseen = (sqlstate == INTERNAL).then_some(UNFORESEEN);
            Self {
                message: error.message().into(),
                sqlstate,
                detail: error.detail(),
                hint: error.hint().or(unforeseen),
            }
        } else if let Some(failure) = error.downcast_ref::<Failure>() {
            failure.into()
        } else {
            let cause = error
                .chain()
                .find_map(|cause| cause.downcast_ref::<io::Error>());
            // Whatever else there is has been foreseen by nobody.
            let (sqlstate, hint) = cause.map_or((INTERNAL, UNFORESEEN), of_the_system);
            Self {
                message: format!("{error:#}").into(),
                sqlstate,
                detail: None,
                hint: Some(hint),
            }
        }
    }

    fn print(&self) {
        // Nothing can be said when standard error is gone.
        let _ = io::stderr().write_all(self.lines().as_bytes());
    }

    fn lines(&self) -> String {
        let mut text = format!("ERROR: {}\n", plain(&self.message));
        text.push_str(&format!("SQLSTATE: {}\n", self.sqlstate));
        // A place in a statement has several lines, and colours of its own.
        if let Some(detail) = self.detail {
            text.push_str(&format!("DETAIL: {detail}\n"));
        }
        if let Some(hint) = self.hint {
            text.push_str(&format!("HINT: {}\n", plain(hint)));
        }
        text
    }
}

impl<'a> From<&'a Failure> for Told<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            message: failure.message.as_str().into(),
            sqlstate: failure.sqlstate,
            detail: failure.detail.as_deref(),
            hint: failure.hint.as_deref(),
        }
    }
}

/// The class of an error that nobody has foreseen.
const INTERNAL: &str = "XX000";

/// What to do about an error that nobody has foreseen.
const UNFORESEEN: &str = "run it again; if it comes back, this is a mistake of Portolan: report it";

/// The class of what the system refuses, as PostgreSQL has it for files, and what to do.
pub(crate) fn of_the_system(error: &io::Error) -> (&'static str, &'static str) {
    match error.kind() {
        ErrorKind::NotFound => ("58P01", "check the path, and that the directory is there"),
        ErrorKind::PermissionDenied => ("42501", "check who may use the file and its directory"),
        ErrorKind::AlreadyExists => ("58P02", "name another path, or move away what is there"),
        ErrorKind::NotADirectory | ErrorKind::IsADirectory => (
            "42809",
            "check which part of the path is a file and which a directory",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ("53100", "free some space, and run it again")
        }
        ErrorKind::FileTooLarge => (
            "53100",
            "write a smaller file, or raise the limit on the size of files (`ulimit -f`)",
        ),
        ErrorKind::ReadOnlyFilesystem => ("25006", "name a path that may be written to"),
        ErrorKind::InvalidData => ("22021", "write the file in UTF-8"),
        _ => ("58030", "look into the system's log, and run it again"),
    }
}

/// What is wrong with a key that was to be added.
pub(crate) fn key_failure(error: KeyError) -> Failure {
    let sqlstate = match &error {
        KeyError::File { .. } | KeyError::NoRandomness => "58030",
        KeyError::NotAPhrase { .. } | KeyError::ShortPassphrase | KeyError::NotAKey { .. } => {
            "22023"
        }
        KeyError::Service { sqlstate, .. } => sqlstate,
        _ => "F0000",
    };
    let hint = match &error {
        // The usual hint is about the key that opens the store.
        KeyError::NotAKey { .. } => Some("give a key, or the name of a new file".to_owned()),
        error => error.hint(),
    };
    Failure {
        message: error.to_string(),
        sqlstate,
        detail: None,
        hint,
    }
}

/// Prints a notice.
pub(crate) fn notice(notice: &Notice) {
    line(&format!("NOTICE: {}", notice.message()));
}

/// Prints one line on standard error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stderr(), "{}", plain(text));
}

/// Prints each line of a text on standard error.
pub(crate) fn lines(text: &str) {
    text.lines().for_each(line);
}

/// One line of text without what steers a terminal.
pub(crate) fn plain(text: &str) -> String {
    strip_controls(text, usize::MAX)
}

/// Whether colours may be used on standard error: a terminal, and `NO_COLOR` empty or unset.
pub(crate) fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    !refused && !dumb && io::stderr().is_terminal()
}

/// `portolan … | head` ends as other tools do: a write to a closed pipe is an error that says so
/// nowhere. Rust ignores SIGPIPE, so the broken pipe comes back as an I/O error from the writer.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use portolan::SqlState;

    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_goes_out_but_the_colours_of_a_place() {
        let failure = Failure::new("22023", "no user ev\u{1b}[2Jil\nERROR: forged")
            .detail("from \u{202e}a")
            .hint("ask \u{1b}]0;title\u{7}root");
        assert_eq!(
            Told::from(&failure).lines(),
            "ERROR: no user evil ERROR: forged\nSQLSTATE: 22023\nDETAIL: from a\nHINT: ask root\n"
        );
        let place = "\n  |\n1 | \u{1b}[31mSHO\u{1b}[0m";
        let error = Error::new(SqlState::Syntax, "unknown")
            .with_detail(place)
            .into();
        let told = Told::of(&error);
        let shown = format!("ERROR: unknown\nSQLSTATE: 42601\nDETAIL: {place}\n");
        assert_eq!(told.lines(), shown);
    }

    #[test]
    fn every_error_has_a_class_and_says_what_to_do() {
        let system = |kind: ErrorKind| {
            let failed: Result<(), _> = Err(io::Error::from(kind));
            failed
                .context("cannot read a")
                .context("in b")
                .expect_err("an error")
        };
        for (error, sqlstate, hint) in [
            (system(ErrorKind::NotFound), "58P01", "check the path"),
            (system(ErrorKind::PermissionDenied), "42501", "check who"),
            (system(ErrorKind::StorageFull), "53100", "free some space"),
            (system(ErrorKind::FileTooLarge), "53100", "write a smaller"),
            (
                system(ErrorKind::InvalidData),
                "22021",
                "write the file in UTF-8",
            ),
            (
                system(ErrorKind::TimedOut),
                "58030",
                "look into the system's log",
            ),
            (anyhow::anyhow!("a task panicked"), "XX000", "run it again"),
            (
                Error::new(SqlState::Internal, "broken").into(),
                "XX000",
                "run it again",
            ),
        ] {
            let told = Told::of(&error);
            assert_eq!(told.sqlstate, sqlstate, "{error:#}");
            let given = told.hint.expect("a hint");
            assert!(given.starts_with(hint), "{error:#}: {given}");
        }
    }
}
