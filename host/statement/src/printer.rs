//! The hands of the printers: one walk over a statement serves both, and the printer alone knows
//! whether it may show what it is given.

use std::fmt::{self, Write};

use portolan_secret::SecretText;

use crate::ast::{Number, Statement, Text};
use crate::literal::{write_identifier, write_string};
use crate::parser::is_option_name;

/// What stands for a text that is not shown.
pub(crate) const MASK: &str = "*****";

/// Prints into `out`, with or without secrets.
pub(crate) struct Printer<'a> {
    out: &'a mut dyn Write,
    with_secrets: bool,
}

impl Printer<'_> {
    /// Words of the grammar.
    pub(crate) fn raw(&mut self, words: &str) -> fmt::Result {
        self.out.write_str(words)
    }

    /// The name of a connection, always as a string. What cannot be one may be a secret in the
    /// wrong place and is masked.
    pub(crate) fn name(&mut self, name: &Text) -> fmt::Result {
        self.text_if(name, is_shown_name)
    }

    /// A text that may hold a secret.
    pub(crate) fn secret(&mut self, text: &Text) -> fmt::Result {
        self.text_if(text, |_| false)
    }

    /// A text that is shown, even when masking, where `harmless` says so.
    pub(crate) fn text_if(&mut self, text: &Text, harmless: fn(&str) -> bool) -> fmt::Result {
        match text {
            Text::Placeholder(number) => write!(self.out, "${number}"),
            Text::Literal(text) if self.with_secrets || harmless(text.expose()) => {
                write_string(&mut self.out, text.expose())
            }
            Text::Literal(_) => write!(self.out, "'{MASK}'"),
        }
    }

    /// A whole number.
    pub(crate) fn number(&mut self, number: Number) -> fmt::Result {
        match number {
            Number::Placeholder(number) => write!(self.out, "${number}"),
            Number::Literal(number) => write!(self.out, "{number}"),
        }
    }

    /// An identifier, masked where it could not be a name.
    pub(crate) fn identifier(&mut self, word: &str) -> fmt::Result {
        if self.with_secrets || is_shown_name(word) {
            write_identifier(&mut self.out, word)
        } else {
            write!(self.out, "\"{MASK}\"")
        }
    }

    /// The name of an option, which keeps its case and is quoted only for `.` and `-`.
    pub(crate) fn option_name(&mut self, name: &str) -> fmt::Result {
        if !self.with_secrets && !is_option_name(name) {
            write!(self.out, "\"{MASK}\"")
        } else if name.contains(['.', '-']) {
            write!(self.out, "\"{name}\"")
        } else {
            self.out.write_str(name)
        }
    }

    /// Items with commas between them.
    pub(crate) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T) -> fmt::Result,
    ) -> fmt::Result {
        for (index, it) in items.into_iter().enumerate() {
            if index > 0 {
                self.raw(", ")?;
            }
            item(self, it)?;
        }
        Ok(())
    }
}

/// Whether a text is a name as connections, users and roles have them.
fn is_shown_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

impl Statement {
    /// Prints the statement with everything in it, so that parsing the text gives this statement
    /// again. Only what is meant to show secrets (SHOW CREATE) may call it.
    #[must_use]
    pub fn to_sql_with_secrets(&self) -> SecretText {
        // The length is counted first, so that the text never grows and leaves a copy behind.
        let mut length = Counter(0);
        let mut text = String::new();
        let printed = self
            .print(&mut Printer {
                out: &mut length,
                with_secrets: true,
            })
            .and_then(|()| {
                text.reserve_exact(length.0);
                self.print(&mut Printer {
                    out: &mut text,
                    with_secrets: true,
                })
            });
        debug_assert!(
            printed.is_ok(),
            "neither a counter nor a String refuses text"
        );
        SecretText::new(text)
    }
}

/// Prints the statement with every text that may hold a secret as `'*****'`.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(&mut Printer {
            out: f,
            with_secrets: false,
        })
    }
}

/// Counts bytes.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
