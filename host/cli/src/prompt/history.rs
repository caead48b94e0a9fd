//! The prompt's history: the masked print of a statement, or only the first keyword of text that
//! does not parse. A secret typed at the prompt is in no file.

use std::path::Path;

use anyhow::{Context, Result};
use reedline::{
    FileBackedHistory, History, HistoryItem, HistoryItemId, HistorySessionId, SearchQuery,
};

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
    if text.trim_start().starts_with('\\') {
        return text.trim().to_owned();
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
            .filter(|word| word.chars().all(|letter| letter.is_ascii_alphabetic()))
            .unwrap_or_default()
            .to_owned(),
    }
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
    }
}
