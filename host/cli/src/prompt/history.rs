//! The prompt's history: the masked print of a statement, or only the first keyword of text that
//! does not parse, and of a `\` command the words that are known. A secret typed at the prompt is in
//! no file.

use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use portolan_statement::help;
use reedline::{
    FileBackedHistory, History, HistoryItem, HistoryItemId, HistorySessionId, SearchQuery,
};

use crate::args::Format;

/// How many statements are kept.
const CAPACITY: usize = 1_000;

/// Opens the history in `path`, 0600.
pub(super) fn open(path: &Path) -> Result<Masked> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let inner = FileBackedHistory::with_file(CAPACITY, path.to_owned())?;
    Ok(Masked { inner })
}

/// What of a line is kept.
fn kept(text: &str) -> String {
    if let Some(command) = text.trim().strip_prefix('\\') {
        return kept_command(command);
    }
    match portolan_statement::parse_script(text) {
        Ok(statements) => {
            let printed: Vec<String> = statements
                .iter()
                .map(|statement| format!("{statement};"))
                .collect();
            printed.join(" ")
        }
        Err(_) => text
            .split_whitespace()
            .next()
            .filter(|word| begins_statements(word))
            .unwrap_or_default()
            .to_owned(),
    }
}

/// What of a `\` command is kept: a statement with its secrets may stand behind it by mistake.
fn kept_command(command: &str) -> String {
    let mut words = command.split_whitespace();
    let word = words.next().unwrap_or_default();
    let mut kept = vec![format!("\\{word}")];
    match word {
        "q" | "quit" | "exit" | "?" | "help" => {}
        "h" => kept.extend(
            words
                .take_while(|word| is_of_a_topic(word))
                .map(str::to_owned),
        ),
        "f" | "format" => {
            let format = words
                .next()
                .and_then(|name| Format::from_str(name, true).ok());
            let value = format.and_then(|format| format.to_possible_value());
            kept.extend(value.map(|value| value.get_name().to_owned()));
        }
        _ => return String::new(),
    }
    kept.join(" ")
}

/// Whether a word stands in the title of a topic of the help.
fn is_of_a_topic(word: &str) -> bool {
    help::contents()
        .iter()
        .flat_map(|topic| topic.title().split(' '))
        .any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a word is one with which a statement of the language begins: the first of a title, or
/// another word for the same that is a statement by itself.
fn begins_statements(word: &str) -> bool {
    let begins_title = help::contents()
        .iter()
        .filter_map(|topic| topic.title().split(' ').next())
        .any(|known| known.eq_ignore_ascii_case(word));
    // Behind anything but letters another word could stand, which would be kept as well.
    let is_one_word = word.chars().all(|letter| letter.is_ascii_alphabetic());
    begins_title || (is_one_word && portolan_statement::recognize(word).is_some())
}

/// A history that masks what is saved.
#[derive(Debug)]
pub(super) struct Masked {
    inner: FileBackedHistory,
}

impl History for Masked {
    fn save(&mut self, mut item: HistoryItem) -> reedline::Result<HistoryItem> {
        item.command_line = kept(&item.command_line);
        self.inner.save(item)
    }

    fn load(&self, id: HistoryItemId) -> reedline::Result<HistoryItem> {
        self.inner.load(id)
    }

    fn count(&self, query: SearchQuery) -> reedline::Result<i64> {
        self.inner.count(query)
    }

    fn search(&self, query: SearchQuery) -> reedline::Result<Vec<HistoryItem>> {
        self.inner.search(query)
    }

    fn update(
        &mut self,
        id: HistoryItemId,
        updater: &dyn Fn(HistoryItem) -> HistoryItem,
    ) -> reedline::Result<()> {
        self.inner.update(id, updater)
    }

    fn clear(&mut self) -> reedline::Result<()> {
        self.inner.clear()
    }

    fn delete(&mut self, id: HistoryItemId) -> reedline::Result<()> {
        self.inner.delete(id)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.inner.sync()
    }

    fn session(&self) -> Option<HistorySessionId> {
        self.inner.session()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_kept_with_its_uri_masked() {
        let kept =
            kept("create external connection x as 's3://b?AWS_SECRET_ACCESS_KEY=swordfish';");
        assert_eq!(kept, "CREATE EXTERNAL CONNECTION 'x' AS '*****';");
    }

    #[test]
    fn of_text_that_does_not_parse_only_the_first_keyword_is_kept() {
        assert_eq!(
            kept("create external conection x as 'swordfish';"),
            "create"
        );
        assert_eq!(kept("'swordfish'"), "");
        assert_eq!(kept("end 'swordfish';"), "end");
        assert_eq!(kept("swordfish 'x';"), "");
        assert_eq!(kept("external 'x';"), "");
        assert_eq!(kept("end/**/swordfish 'x';"), "");
    }

    #[test]
    fn of_a_command_only_the_words_that_are_known_are_kept() {
        for (typed, expected) in [
            (" \\? ", "\\?"),
            ("\\q swordfish", "\\q"),
            ("\\h", "\\h"),
            (
                "\\h create external connection",
                "\\h create external connection",
            ),
            (
                "\\h CREATE EXTERNAL CONNECTION x AS 's3://b?TOKEN=swordfish'",
                "\\h CREATE EXTERNAL CONNECTION",
            ),
            ("\\h swordfish CREATE", "\\h"),
            ("\\f JSON swordfish", "\\f json"),
            ("\\format swordfish", "\\format"),
            ("\\swordfish", ""),
            ("\\", ""),
        ] {
            assert_eq!(kept(typed), expected, "{typed}");
        }
    }
}
