//! What a statement gives: notices, and a tag or a stream of rows.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};

use crate::Error;

/// What a statement that succeeded gives.
#[derive(Debug)]
pub struct Outcome {
    /// What the caller should know, in order.
    pub notices: Vec<Notice>,
    /// The answer itself.
    pub body: Body,
    /// Why the connection that VALIDATE tried out does not work: the first step that failed, of those
    /// that its rows tell. The statement itself is done, and no error.
    pub failed: Option<Error>,
}

impl Outcome {
    /// An answer of nothing but a tag.
    pub(crate) fn tag(tag: &str) -> Self {
        Self {
            notices: Vec::new(),
            body: Body::Tag(tag.to_owned()),
            failed: None,
        }
    }

    /// An answer of rows.
    pub(crate) fn rows(rows: Rows) -> Self {
        Self {
            notices: Vec::new(),
            body: Body::Rows(rows),
            failed: None,
        }
    }

    /// The same outcome with one more notice.
    pub(crate) fn with_notice(mut self, message: impl Into<String>) -> Self {
        self.notices.push(Notice::new(message));
        self
    }

    /// The tag, if the answer is one.
    #[must_use]
    pub fn as_tag(&self) -> Option<&str> {
        match &self.body {
            Body::Tag(tag) => Some(tag),
            Body::Rows(_) => None,
        }
    }

    /// The rows, if the answer has some.
    #[must_use]
    pub fn into_rows(self) -> Option<Rows> {
        match self.body {
            Body::Tag(_) => None,
            Body::Rows(rows) => Some(rows),
        }
    }
}

/// A sentence that goes along with a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(String);

impl Notice {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The sentence; it holds no secret.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The answer of a statement.
#[derive(Debug)]
pub enum Body {
    /// What was done: `CREATE EXTERNAL CONNECTION`.
    Tag(String),
    /// A table.
    Rows(Rows),
}

/// A column of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    name: &'static str,
}

impl Column {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }
}

/// A value of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value.
    Null,
    /// A text. In an answer of SHOW CREATE it holds the secrets of the URI.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A truth value.
    Boolean(bool),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows of an answer, with the names of their columns at hand before the first one.
///
/// Rows are read while they are asked for, in constant memory. Dropping the stream ends the
/// reading.
pub struct Rows {
    columns: Vec<Column>,
    rows: BoxStream<'static, Result<Vec<Cell>, Error>>,
}

impl Rows {
    /// Rows that come while they are asked for.
    pub(crate) fn streamed(
        columns: &[&'static str],
        rows: impl Stream<Item = Result<Vec<Cell>, Error>> + Send + 'static,
    ) -> Self {
        Self {
            columns: columns.iter().map(|name| Column { name }).collect(),
            rows: rows.boxed(),
        }
    }

    /// Rows that are there already.
    pub(crate) fn ready(columns: &[&'static str], rows: Vec<Vec<Cell>>) -> Self {
        Self::streamed(columns, futures::stream::iter(rows.into_iter().map(Ok)))
    }

    /// The columns, in the order of each row's cells.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Reads all that is left into memory.
    ///
    /// # Errors
    /// The first error of the stream.
    pub async fn collect_all(self) -> Result<Vec<Vec<Cell>>, Error> {
        self.rows.try_collect().await
    }
}

impl Stream for Rows {
    type Item = Result<Vec<Cell>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.rows.poll_next_unpin(context)
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[tokio::test]
    async fn the_columns_are_known_before_the_first_row() {
        let rows = Rows::ready(
            &["connection_name", "rows"],
            vec![vec!["a".into(), 1.into()]],
        );
        let names: Vec<_> = rows.columns().iter().map(Column::name).collect();
        assert_eq!(names, ["connection_name", "rows"]);
        let all = rows.collect_all().await.expect("rows that are ready");
        assert_eq!(all, [[Cell::Text("a".to_owned()), Cell::Integer(1)]]);
    }

    #[test]
    fn debug_shows_no_cell() {
        let rows = Rows::ready(&["create_statement"], vec![vec!["hunter2".into()]]);
        assert!(!format!("{rows:?}").contains("hunter2"));
    }
}
