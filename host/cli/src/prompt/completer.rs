//! Completion of keywords and of the names that the user may see.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use portolan::{Body, Cell, Session};
use reedline::{Completer, CompletionResult, Span, Suggestion};

/// The names of connections and users, as they were after the last statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    names: Arc<Mutex<Vec<String>>>,
}

/// More names than a menu could show are not kept.
const MAX_NAMES: usize = 1_000;

impl Names {
    /// Reads the names anew; what the user may not see is not there.
    pub(super) async fn refresh(&self, session: &Session) {
        let mut found = Vec::new();
        for statement in ["SHOW EXTERNAL CONNECTIONS", "SHOW USERS", "SHOW ROLES"] {
            let Ok(outcome) = session.execute(statement, &[]).await else {
                continue;
            };
            let Body::Rows(mut rows) = outcome.body else {
                continue;
            };
            while let Some(Ok(row)) = rows.next().await {
                if let Some(Cell::Text(name)) = row.into_iter().next() {
                    found.push(name);
                }
                if found.len() >= MAX_NAMES {
                    break;
                }
            }
        }
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }
}

/// Completes the word before the cursor.
pub(super) struct Completion {
    names: Names,
}

impl Completion {
    pub(super) fn new(names: Names) -> Self {
        Self { names }
    }
}

impl Completer for Completion {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let before = line.get(..position).unwrap_or(line);
        let start = before
            .rfind(|letter: char| !(letter.is_alphanumeric() || "_.-".contains(letter)))
            .map_or(0, |place| {
                place + before[place..].chars().next().map_or(1, char::len_utf8)
            });
        let word = &before[start..];
        let names = self
            .names
            .names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let suggestions: Vec<Suggestion> = candidates(word, &names)
            .into_iter()
            .map(|value| Suggestion {
                value,
                span: Span::new(start, position),
                append_whitespace: true,
                ..Suggestion::default()
            })
            .collect();
        CompletionResult::fresh(suggestions)
    }
}

fn candidates(word: &str, names: &[String]) -> Vec<String> {
    let upper = word.to_uppercase();
    let keywords = portolan_statement::keywords()
        .iter()
        .filter(|keyword| !word.is_empty() && keyword.starts_with(&upper))
        .map(|keyword| (*keyword).to_owned());
    let named = names.iter().filter(|name| name.starts_with(word)).cloned();
    named.chain(keywords).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_before_keywords() {
        let names = vec!["external_lake".to_owned(), "other".to_owned()];
        assert_eq!(candidates("ext", &names), ["external_lake", "EXTERNAL"]);
    }
}
