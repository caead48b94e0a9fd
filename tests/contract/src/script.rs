//! The text of a walk.
//!
//! ```text
//! call probe full              the host calls the guest
//! > begin dial                 the guest calls the host
//! > connect 0
//! < ok                         the host answers
//! ! assume-role 0 …            what the host does by itself, before it answers
//! < ok …                       what it gets
//! return done                  the guest answers
//! ---                          the instance ends; the next call has a fresh one
//! ```
//!
//! A line that is indented goes on with the one before it. `#` begins a line that is not read.
//! `length` and `duplicate` of an opaque, and the drop of a handle, stand in no script.

use std::collections::VecDeque;

use wasmtime::{Result, bail, ensure, format_err};

/// What one entry of a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The host calls the guest.
    Call,
    /// The guest calls the host.
    Asked,
    /// The host does something by itself.
    Host,
    /// The host answers.
    Answered,
    /// The guest answers.
    Return,
    /// The instance ends.
    End,
}

/// One entry, with the number of its first line.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) side: Side,
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A walk that is still to be done.
#[derive(Debug, Clone)]
pub struct Script {
    entries: VecDeque<Entry>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// Names the first line that is none of a script.
    pub fn parse(text: &str) -> Result<Self> {
        let mut entries: VecDeque<Entry> = VecDeque::new();
        for (place, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with("    ") {
                let Some(before) = entries.back_mut() else {
                    bail!("line {}: nothing stands before it", place + 1);
                };
                before.text.push('\n');
                before.text.push_str(line);
                continue;
            }
            let (side, text) = match line.split_once(' ').unwrap_or((line, "")) {
                ("call", text) => (Side::Call, text),
                (">", text) => (Side::Asked, text),
                ("!", text) => (Side::Host, text),
                ("<", text) => (Side::Answered, text),
                ("return", text) => (Side::Return, text),
                ("---", "") => (Side::End, ""),
                _ => bail!("line {}: it begins as no line of a script does", place + 1),
            };
            entries.push_back(Entry {
                side,
                text: text.to_owned(),
                line: place + 1,
            });
        }
        Ok(Self { entries })
    }

    /// The next entry, if there is one.
    pub(crate) fn next(&mut self) -> Option<Entry> {
        self.entries.pop_front()
    }

    /// The answer that comes next.
    pub(crate) fn answer(&mut self) -> Result<Entry> {
        match self.next() {
            Some(entry) if entry.side == Side::Answered => Ok(entry),
            Some(entry) => bail!("line {}: the host's answer is missing", entry.line),
            None => bail!("the script ends where the host should answer"),
        }
    }

    /// Compares what happened with the next entry.
    pub(crate) fn expect(&mut self, side: Side, happened: &str) -> Result<()> {
        let who = match side {
            Side::Asked => ">",
            Side::Host => "!",
            _ => "return",
        };
        let Some(entry) = self.next() else {
            return Err(format_err!("the script ends before\n{who} {happened}"));
        };
        ensure!(
            entry.side == side && entry.text == happened,
            "line {}: the script has\n{:?} {}\nand what happened is\n{who} {happened}",
            entry.line,
            entry.side,
            entry.text,
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_differs_is_shown_with_its_line() {
        let mut script = Script::parse("# a walk\n> connect 0\n< ok\n").expect("a script");
        let error = script
            .expect(Side::Asked, "connect 1")
            .expect_err("it differs");
        assert!(error.to_string().starts_with("line 2:"), "{error}");
    }

    #[test]
    fn a_line_that_is_none_is_refused() {
        assert!(Script::parse("connect 0").is_err());
        assert!(Script::parse("    connect 0").is_err());
    }
}
