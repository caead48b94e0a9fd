//! For native tests of a provider: pieces from a URI, markers in memory, recorded steps.
//!
//! The host's own splitter is stricter and knows formats; this one is for URIs that a test writes.

use std::cell::{Cell, RefCell};

use crate::{
    Failure, FailureClass, FormatVerdict, OptionPair, Outcome, ReadMarker, Secret, StepLog,
    UriPieces, Value, WriteMarker,
};

/// Splits a URI as the host does, with these options public and every other one a secret, as are the
/// password and a user without one. Numbers are given from left to right.
///
/// A scheme is expected; text without one comes out as a path.
#[must_use]
pub fn pieces(uri: &str, public: &[&str]) -> UriPieces {
    let next = Cell::new(0);
    let secret = |text: &str| {
        let number = next.replace(next.get() + 1);
        Value::Secret(Secret {
            number,
            empty: text.is_empty(),
            verdict: FormatVerdict::Unchecked,
        })
    };
    let (before, query) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (userinfo, authority) = match authority.rsplit_once('@') {
        Some((userinfo, authority)) => (Some(userinfo), authority),
        None => (None, authority),
    };
    let (user, password) = match userinfo.map(|userinfo| userinfo.split_once(':')) {
        Some(Some((user, password))) => {
            (Some(Value::Text(user.to_owned())), Some(secret(password)))
        }
        Some(None) => (userinfo.map(&secret), None),
        None => (None, None),
    };
    UriPieces {
        scheme: scheme.to_ascii_lowercase(),
        user,
        password,
        authority: authority.to_owned(),
        path: Value::Text(path.to_owned()),
        options: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| {
                let name = decoded(name);
                let value = match public.contains(&name.as_str()) {
                    true => Value::Text(decoded(value)),
                    false => secret(value),
                };
                OptionPair { name, value }
            })
            .collect(),
    }
}

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text)
        .decode_utf8_lossy()
        .into_owned()
}

/// A store in memory that holds nothing but the marker, and fails on demand.
#[derive(Debug, Default)]
pub struct MemoryMarkers {
    content: RefCell<Option<Vec<u8>>>,
    hidden: bool,
    reads_as: Option<Vec<u8>>,
    write_failure: Option<Failure>,
    list_failure: Option<Failure>,
    read_failure: Option<Failure>,
}

impl MemoryMarkers {
    /// What the marker holds now.
    #[must_use]
    pub fn content(&self) -> Option<Vec<u8>> {
        self.content.borrow().clone()
    }

    /// Puts a marker there.
    pub fn put(&self, content: &[u8]) {
        *self.content.borrow_mut() = Some(content.to_vec());
    }

    /// Every write fails so.
    #[must_use]
    pub fn fail_write(mut self, failure: Failure) -> Self {
        self.write_failure = Some(failure);
        self
    }

    /// Every list fails so.
    #[must_use]
    pub fn fail_list(mut self, failure: Failure) -> Self {
        self.list_failure = Some(failure);
        self
    }

    /// Every read fails so.
    #[must_use]
    pub fn fail_read(mut self, failure: Failure) -> Self {
        self.read_failure = Some(failure);
        self
    }

    /// No list shows the marker.
    #[must_use]
    pub fn hidden_from_lists(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Every read gives this, whatever was written.
    #[must_use]
    pub fn reads_as(mut self, content: &[u8]) -> Self {
        self.reads_as = Some(content.to_vec());
        self
    }
}

impl ReadMarker for MemoryMarkers {
    fn name(&self) -> String {
        "crdb_external_storage_location".to_owned()
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        match (&self.read_failure, &self.reads_as) {
            (Some(failure), _) => Err(failure.clone()),
            (None, Some(content)) => Ok(content.clone()),
            (None, None) => self
                .content()
                .ok_or_else(|| Failure::new(FailureClass::NotFound, "no such object")),
        }
    }

    fn list(&self, _at_most: u32) -> Result<Vec<String>, Failure> {
        match &self.list_failure {
            Some(failure) => Err(failure.clone()),
            None if self.hidden || self.content.borrow().is_none() => Ok(Vec::new()),
            None => Ok(vec![self.name()]),
        }
    }
}

impl WriteMarker for MemoryMarkers {
    fn write(&self, content: &[u8]) -> Result<(), Failure> {
        match &self.write_failure {
            Some(failure) => Err(failure.clone()),
            None => {
                self.put(content);
                Ok(())
            }
        }
    }
}

/// One step that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedStep {
    /// Its name.
    pub name: String,
    /// How it ended; none while it is open.
    pub outcome: Option<Outcome>,
    /// Its details.
    pub details: Vec<(String, String)>,
}

/// Steps, kept in memory.
#[derive(Debug, Default)]
pub struct RecordedSteps {
    /// In the order in which they were begun.
    pub steps: Vec<RecordedStep>,
}

impl RecordedSteps {
    /// Each step's name with `ok`, `skipped`, `failed`, `other`, or `open`.
    #[must_use]
    pub fn words(&self) -> Vec<(&str, &str)> {
        self.steps
            .iter()
            .map(|step| {
                let word = match &step.outcome {
                    Some(Outcome::Ok) => "ok",
                    Some(Outcome::Skipped(_)) => "skipped",
                    Some(Outcome::Failed(_)) => "failed",
                    Some(Outcome::Other(_)) => "other",
                    None => "open",
                };
                (step.name.as_str(), word)
            })
            .collect()
    }

    /// The first failure.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.steps.iter().find_map(|step| match &step.outcome {
            Some(Outcome::Failed(failure)) => Some(failure),
            _ => None,
        })
    }
}

impl StepLog for RecordedSteps {
    fn begin(&mut self, name: &str) {
        self.steps.push(RecordedStep {
            name: name.to_owned(),
            outcome: None,
            details: Vec::new(),
        });
    }

    fn end(&mut self, outcome: Outcome, details: &[(String, String)]) {
        if let Some(step) = self.steps.last_mut() {
            step.outcome = Some(outcome);
            step.details = details.to_vec();
        }
    }
}
