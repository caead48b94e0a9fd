//! What there is to do, and how each of it ended.

use std::sync::Arc;

use anyhow::Result;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use portolan::Cell;

use super::engine::Tools;
use crate::report::Told;

/// The columns of a row for each object.
pub(super) const COLUMNS: [&str; 7] = [
    "action", "source", "target", "bytes", "outcome", "sqlstate", "message",
];

/// What is done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A local file, or a pipe, becomes an object.
    Put,
    /// An object becomes a local file.
    Get,
    /// An object is removed.
    Remove,
    /// The store copies.
    Copy,
    /// The bytes of a copy pass through here.
    Stream,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Remove => "remove",
            Self::Copy => "copy",
            Self::Stream => "stream",
        }
    }
}

/// One thing to do.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) action: Action,
    pub(super) source: String,
    pub(super) target: Option<String>,
    /// The size, where it is known before.
    pub(super) bytes: Option<u64>,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// Done; the size is that of what was written.
    Done(Option<u64>),
    /// It would be done.
    Planned,
    /// Nothing was to be done, as the caller wished.
    Kept,
    /// It is nothing that can be an object, or the other way round.
    Skipped(anyhow::Error),
    /// It failed.
    Failed(anyhow::Error),
    /// The command was asked to end before it was done.
    Interrupted,
}

impl Ending {
    fn word(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Planned => "planned",
            Self::Kept => "kept",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// Why it was not done.
    pub(super) fn error(&self) -> Option<&anyhow::Error> {
        match self {
            Self::Skipped(error) | Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl Entry {
    /// The row that tells how it ended.
    pub(super) fn row(&self, ending: &Ending) -> Vec<Cell> {
        let bytes = match ending {
            Ending::Done(Some(bytes)) => Some(*bytes),
            _ => self.bytes,
        };
        let told = ending.error().map(Told::of);
        let text = |text: Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
        vec![
            Cell::Text(self.action.word().to_owned()),
            Cell::Text(self.source.clone()),
            text(self.target.as_deref()),
            bytes.map_or(Cell::Null, |bytes| {
                Cell::Integer(i64::try_from(bytes).unwrap_or(i64::MAX))
            }),
            Cell::Text(ending.word().to_owned()),
            text(told.as_ref().map(|told| told.sqlstate)),
            text(told.as_ref().map(|told| told.message.as_ref())),
        ]
    }
}

/// Does one thing, and gives the size of what was written where there is one.
type Work = Box<dyn FnOnce(Arc<Tools>) -> BoxFuture<'static, Result<Option<u64>>> + Send>;

/// Does several things of one kind together, and tells of each, in their order.
type WorkTogether = Box<dyn FnOnce() -> BoxFuture<'static, Vec<Result<()>>> + Send>;

/// One line of a plan, or several.
pub(super) enum Planned {
    /// It is still to be done.
    Job(Entry, Work),
    /// They are still to be done, and go together.
    Together(Vec<Entry>, WorkTogether),
    /// Its ending was clear when it was planned.
    Ended(Entry, Ending),
}

/// Everything that a command has to do, found while it is done.
pub(super) type Plan = BoxStream<'static, Planned>;

impl Planned {
    /// A job that `work` does.
    pub(super) fn job<F>(entry: Entry, work: impl FnOnce(Arc<Tools>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Option<u64>>> + Send + 'static,
    {
        Self::Job(entry, Box::new(move |tools| work(tools).boxed()))
    }

    /// Jobs that `work` does together. Once begun they are not given up.
    pub(super) fn together<F>(
        entries: Vec<Entry>,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Vec<Result<()>>> + Send + 'static,
    {
        Self::Together(entries, Box::new(move || work().boxed()))
    }

    /// What could not be planned.
    pub(super) fn failed(entry: Entry, error: anyhow::Error) -> Self {
        Self::Ended(entry, Ending::Failed(error))
    }

    /// What `source` names could not be found, or not all of it.
    pub(super) fn unfound(action: Action, source: &str, error: anyhow::Error) -> Self {
        let entry = Entry {
            action,
            source: source.to_owned(),
            target: None,
            bytes: None,
        };
        Self::failed(entry, error)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        match self {
            Self::Job(entry, _) | Self::Ended(entry, _) => std::slice::from_ref(entry),
            Self::Together(entries, _) => entries,
        }
    }
}
