//! What each statement is for, how it is written, and an example.
//!
//! Every form of the grammar is written down once, in [`Topic::synopsis`]; the tests expand each
//! synopsis into the texts that it stands for and parse them all, so it cannot differ from the
//! parser.
//!
//! In a synopsis words in capitals are written as they are, `[…]` may be left out, `{… | …}` is one
//! of several, `[, …]` stands for more of the same, and words in small letters are [`Term`]s.

mod topics;

use crate::ast::StatementKind;

/// The help on one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Which statement.
    pub kind: StatementKind,
    /// How it is written, in one or more lines.
    pub synopsis: &'static str,
    /// What it does, who may do it and what it answers, in whole sentences.
    pub text: &'static str,
    /// A statement that parses.
    pub example: &'static str,
}

impl Topic {
    /// Its title: `CREATE EXTERNAL CONNECTION`.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.kind.tag()
    }

    /// What the small words in its synopsis stand for, in the order in which they come.
    #[must_use]
    pub fn terms(&self) -> Vec<&'static Term> {
        let mut terms: Vec<&'static Term> = Vec::new();
        for word in self.synopsis.split(|c: char| !is_word(c)) {
            let found = topics::TERMS.iter().find(|term| term.name == word);
            if let Some(term) = found
                && !terms.contains(&term)
            {
                terms.push(term);
            }
        }
        terms
    }
}

/// A small word of a synopsis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The word.
    pub name: &'static str,
    /// What stands for it.
    pub meaning: &'static str,
    /// How it may look; the tests put each of them into each synopsis.
    samples: &'static [&'static str],
}

/// Every topic, those that are needed first being first.
#[must_use]
pub fn contents() -> &'static [Topic] {
    topics::TOPICS
}

/// The topic with this title. Case and the number of blanks do not count, the singular finds the
/// plural, and the beginning of a title is enough where only one statement begins like that.
#[must_use]
pub fn find(topic: &str) -> Option<&'static Topic> {
    let wanted: Vec<_> = topic
        .split(|c: char| c.is_whitespace() || c == ';')
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    if wanted.is_empty() {
        return None;
    }
    let (last, first) = wanted.split_last()?;
    let matches = |topic: &&Topic, begins: bool| {
        let mut words = topic.title().split(' ');
        first.iter().all(|word| words.next() == Some(word))
            && words.next().is_some_and(|word| {
                word == last
                    || singular(word) == singular(last)
                    || (begins && word.starts_with(last.as_str()))
            })
            && (begins || words.next().is_none())
    };
    if let Some(topic) = contents().iter().find(|topic| matches(topic, false)) {
        return Some(topic);
    }
    let mut found = contents().iter().filter(|topic| matches(topic, true));
    found.next().filter(|_| found.next().is_none())
}

fn singular(word: &str) -> &str {
    word.strip_suffix('S').unwrap_or(word)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests;
