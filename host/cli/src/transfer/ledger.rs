//! The account of a command: a row for each thing, a line for each failure, and the sum.

use std::collections::VecDeque;

use anyhow::Result;

use super::entry::{COLUMNS, Ending, Entry};
use crate::format::ResultWriter;
use crate::report::{self, AGAIN_FOR_THE_REST, Failure, Interrupted};

/// How many names of each kind the sum tells.
const MAX_NAMED: usize = 5;

/// What a command does with objects, for its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Copy,
    Print,
    Remove,
}

impl Verb {
    pub(super) fn participle(self) -> &'static str {
        match self {
            Self::Copy => "copied",
            Self::Print => "printed",
            Self::Remove => "removed",
        }
    }
}

/// Some of the names of things that ended alike, and their number.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    names: VecDeque<String>,
}

impl Tally {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < MAX_NAMED {
            self.names.push_back(name.to_owned());
        }
    }

    /// `WORD: a, b and 3 more`.
    fn named(&self, word: &str) -> Option<String> {
        if self.count == 0 {
            return None;
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let more = self.count - names.len() as u64;
        let names = names.join(", ");
        Some(match more {
            0 => format!("{word}: {names}"),
            more => format!("{word}: {names} and {more} more"),
        })
    }
}

/// The account.
pub(super) struct Ledger<'a> {
    verb: Verb,
    dry_run: bool,
    sheet: Option<Box<dyn ResultWriter + 'a>>,
    done: Tally,
    undone: Tally,
    /// The error of the only thing that there was, which is then the command's own.
    only: Option<anyhow::Error>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        verb: Verb,
        dry_run: bool,
        mut sheet: Option<Box<dyn ResultWriter + 'a>>,
    ) -> Result<Self> {
        if let Some(sheet) = &mut sheet {
            sheet.begin(&COLUMNS.map(str::to_owned))?;
        }
        Ok(Self {
            verb,
            dry_run,
            sheet,
            done: Tally::default(),
            undone: Tally::default(),
            only: None,
        })
    }

    /// Writes down how one thing ended.
    pub(super) fn record(&mut self, entry: &Entry, ending: Ending) -> Result<()> {
        if let Some(sheet) = &mut self.sheet {
            sheet.row(&entry.row(&ending))?;
        }
        match ending {
            Ending::Done(_) | Ending::Planned | Ending::Kept => {
                self.tell_first();
                self.done.add(&entry.source);
            }
            Ending::Interrupted => self.undone.add(&entry.source),
            Ending::Skipped(error) | Ending::Failed(error) => {
                self.tell_first();
                self.undone.add(&entry.source);
                if self.undone.count == 1 && self.done.count == 0 {
                    self.only = Some(error);
                } else {
                    self.tell(&entry.source, &error);
                }
            }
        }
        Ok(())
    }

    /// The first failure is told once it is known not to be the only thing.
    fn tell_first(&mut self) {
        if let Some(error) = self.only.take() {
            let name = self.undone.names.front().cloned().unwrap_or_default();
            self.tell(&name, &error);
        }
    }

    fn tell(&self, name: &str, error: &anyhow::Error) {
        report::line(&format!("not {}: {name}", self.verb.participle()));
        report::print(error);
    }

    /// Ends the rows, and tells the sum where not everything was done. `not_begun` is how many
    /// things were known and not begun, and whether there may have been more.
    pub(super) fn close(mut self, interrupted: bool, not_begun: (u64, bool)) -> Result<()> {
        if let Some(mut sheet) = self.sheet.take() {
            sheet.end()?;
        }
        let word = self.verb.participle();
        if interrupted {
            self.tell_first();
            let mut message = format!(
                "interrupted: {} {word}, {} not {word}",
                self.done.count, self.undone.count
            );
            match not_begun {
                (0, false) => {}
                (count, false) => message.push_str(&format!(", {count} not begun")),
                (count, true) => message.push_str(&format!(", {count} or more not begun")),
            }
            let account = self.with_names(Failure::new("57014", message), AGAIN_FOR_THE_REST);
            return Err(Interrupted {
                account: Some(account),
            }
            .into());
        }
        if let Some(error) = self.only {
            return Err(error);
        }
        let (undone, all) = (self.undone.count, self.done.count + self.undone.count);
        if undone == 0 {
            return Ok(());
        }
        let were = match (self.dry_run, undone) {
            (true, _) => "would not be",
            (false, 1) => "was not",
            (false, _) => "were not",
        };
        let failure = Failure::new("58030", format!("{undone} of {all} {were} {word}"));
        let next = match self.dry_run {
            true => "do what the errors above say, and look again",
            false => "do what the errors above say, and run it again for the rest",
        };
        Err(self.with_names(failure, next).into())
    }

    /// The failure with some of the names, and with what to do next.
    fn with_names(&self, failure: Failure, next: &str) -> Failure {
        let word = self.verb.participle();
        let (done, undone) = if self.dry_run {
            ("would be ", "would not be ")
        } else {
            ("", "not ")
        };
        let names: Vec<String> = [
            self.done.named(&format!("{done}{word}")),
            self.undone.named(&format!("{undone}{word}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        let failure = if names.is_empty() {
            failure
        } else {
            failure.detail(names.join("; "))
        };
        let all = self.done.names.len() + self.undone.names.len();
        if (all as u64) < self.done.count + self.undone.count && self.sheet.is_none() {
            return failure.hint(format!("{next}; --format prints a row for each"));
        }
        failure.hint(next)
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Action;
    use super::*;
    use crate::report::Told;

    fn entry(source: &str) -> Entry {
        Entry {
            action: Action::Put,
            source: source.to_owned(),
            target: None,
            bytes: None,
        }
    }

    fn failed(text: &str) -> Ending {
        Ending::Failed(Failure::new("22023", text).into())
    }

    #[test]
    fn the_only_failure_of_the_only_thing_is_the_commands_own() {
        let mut ledger = Ledger::new(Verb::Copy, false, None).expect("a ledger");
        ledger.record(&entry("a"), failed("no")).expect("recorded");
        let error = ledger.close(false, (0, false)).expect_err("failed");
        assert_eq!(Told::of(&error).message, "no");
    }

    #[test]
    fn the_sum_names_some_of_what_was_and_was_not_done() {
        let mut ledger = Ledger::new(Verb::Remove, false, None).expect("a ledger");
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            ledger
                .record(&entry(name), Ending::Done(None))
                .expect("recorded");
        }
        ledger.record(&entry("x"), failed("no")).expect("recorded");
        ledger.record(&entry("y"), failed("no")).expect("recorded");
        let error = ledger.close(false, (0, false)).expect_err("failed");
        let failure = error.downcast_ref::<Failure>().expect("a failure");
        assert_eq!(failure.message, "2 of 9 were not removed");
        assert_eq!(
            failure.detail.as_deref(),
            Some("removed: a, b, c, d, e and 2 more; not removed: x, y")
        );
        assert_eq!(
            failure.hint.as_deref(),
            Some(
                "do what the errors above say, and run it again for the rest; --format prints a row \
                 for each"
            )
        );
    }

    #[test]
    fn an_interrupt_says_what_was_not_begun() {
        let mut ledger = Ledger::new(Verb::Copy, false, None).expect("a ledger");
        ledger
            .record(&entry("a"), Ending::Done(None))
            .expect("recorded");
        ledger
            .record(&entry("b"), Ending::Interrupted)
            .expect("recorded");
        let error = ledger.close(true, (7, true)).expect_err("interrupted");
        let account = error
            .downcast::<Interrupted>()
            .expect("an interrupt")
            .account
            .expect("told");
        assert_eq!(
            account.message,
            "interrupted: 1 copied, 1 not copied, 7 or more not begun"
        );
        assert_eq!(account.detail.as_deref(), Some("copied: a; not copied: b"));
        assert_eq!(account.hint.as_deref(), Some(AGAIN_FOR_THE_REST));
    }
}
