//! For native tests of a provider: pieces from a URI, markers in memory, a recorded network and
//! recorded steps.
//!
//! The host's own splitter is stricter and knows formats; this one is for URIs that a test writes.

use std::cell::{Cell, RefCell};

use crate::{
    Dialled, Failure, FailureClass, FormatVerdict, Network, OptionPair, Outcome, PlanEntry,
    Provider, ReadMarker, Secret, StepLog, TlsFacts, UriPieces, Value, WriteMarker, print_redacted,
};

/// Splits a URI as the host does, with these options public and every other one a secret, as are the
/// password, and a user without one unless `{user}` is public. Numbers are given from left to right.
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
        Some(None) if public.contains(&"{user}") => {
            (userinfo.map(|user| Value::Text(user.to_owned())), None)
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

/// The public options of a manifest, as far as a test needs to read one, and `{user}` where it makes
/// the user public.
#[must_use]
pub fn public_options(manifest: &str) -> Vec<&str> {
    let mut lines = manifest.lines();
    let user = lines.any(|line| line == "user = \"public\"");
    let tables = manifest.split("[[option]]").skip(1);
    tables
        .filter_map(|table| {
            // The last option ends where the next kind of table begins.
            let table = table.split("\n[").next()?;
            let is_public = table.lines().any(|line| line == "public = true");
            let name = table
                .lines()
                .find_map(|line| line.strip_prefix("name = \""))?;
            name.strip_suffix('"').filter(|_| is_public)
        })
        .chain(user.then_some("{user}"))
        .collect()
}

/// The same pieces, with an option whose format the host finds broken at a byte.
#[must_use]
pub fn broken_at(mut uri: UriPieces, option: &str, at: u32) -> UriPieces {
    for pair in uri.options.iter_mut().filter(|pair| pair.name == option) {
        if let Value::Secret(secret) = &mut pair.value {
            secret.verdict = FormatVerdict::InvalidAt(at);
        }
    }
    uri
}

/// As [`plan_by_the_common_laws`], and the law of every provider of object stores: a plan has one
/// store that cannot be climbed out of.
///
/// # Panics
///
/// Where a law does not hold.
pub fn plan_by_the_laws<P: Provider>(uri: &str, public: &[&str]) -> Option<crate::Plan> {
    let plan = plan_by_the_common_laws::<P>(uri, public)?;
    let mut stores = plan.entries().iter().filter_map(|entry| match entry {
        PlanEntry::ObjectStore(store) => Some(store),
        _ => None,
    });
    let (Some(store), None) = (stores.next(), stores.next()) else {
        unreachable!("a plan has one store");
    };
    let climbs = |name: &str| matches!(name, "." | "..");
    assert!(!store.prefix.split('/').any(climbs), "a prefix climbs");
    assert!(!store.prefix.starts_with('/'), "a prefix is absolute");
    let is_hidden = |c: char| c.is_ascii_control() || c == '\\';
    assert!(!store.prefix.contains(is_hidden), "a prefix is no name");
    Some(plan)
}

/// Plans one URI and holds the answer against the laws of every provider: planning is deterministic,
/// a plan is not too long, a refusal says something, and what is shown is shown the same again.
///
/// # Panics
///
/// Where a law does not hold.
pub fn plan_by_the_common_laws<P: Provider>(uri: &str, public: &[&str]) -> Option<crate::Plan> {
    let planned = P::plan(&pieces(uri, public));
    assert_eq!(
        planned,
        P::plan(&pieces(uri, public)),
        "a URI is planned in two ways"
    );
    match &planned {
        Ok(plan) => {
            assert!(plan.entries().len() <= 256, "a plan is too long");
        }
        Err(failure) => {
            assert_eq!(failure.class, FailureClass::InvalidUri);
            assert!(!failure.message.is_empty(), "a refusal says nothing");
        }
    }
    let shown = print_redacted(&P::redact(pieces(uri, public)));
    // This splitter is for well-formed URIs; what it makes of others may be shown as another.
    let scheme = uri.split("://").next().unwrap_or_default();
    if shown.starts_with(&format!("{scheme}://")) && !shown.contains(['%', '#', '+']) {
        let again = print_redacted(&P::redact(pieces(&shown, public)));
        assert_eq!(again, shown, "what is shown is not shown the same again");
    }
    planned.ok()
}

/// A network in which every endpoint has two addresses and speaks TLS 1.3, and which fails on
/// demand.
#[derive(Debug, Default)]
pub struct RecordedNetwork {
    asked: std::rc::Rc<RefCell<Vec<String>>>,
    resolve_failure: Option<Failure>,
    dial_failure: Option<Failure>,
    tls_failure: Option<Failure>,
}

impl RecordedNetwork {
    /// What it was asked for, in order: `resolve 0`, `dial 0`, `tls PROFILE PROTOCOLS`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    /// Every name fails so.
    #[must_use]
    pub fn fail_resolve(mut self, failure: Failure) -> Self {
        self.resolve_failure = Some(failure);
        self
    }

    /// Every dial fails so.
    #[must_use]
    pub fn fail_dial(mut self, failure: Failure) -> Self {
        self.dial_failure = Some(failure);
        self
    }

    /// Every handshake fails so.
    #[must_use]
    pub fn fail_tls(mut self, failure: Failure) -> Self {
        self.tls_failure = Some(failure);
        self
    }

    fn asks(&self, what: String) {
        self.asked.borrow_mut().push(what);
    }
}

impl Network for RecordedNetwork {
    fn resolve(&self, endpoint: u32) -> Result<u32, Failure> {
        self.asks(format!("resolve {endpoint}"));
        self.resolve_failure.clone().map_or(Ok(2), Err)
    }

    fn dial(&self, endpoint: u32) -> Result<Box<dyn Dialled>, Failure> {
        self.asks(format!("dial {endpoint}"));
        match &self.dial_failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(Box::new(RecordedConnection {
                asked: std::rc::Rc::clone(&self.asked),
                tls_failure: self.tls_failure.clone(),
            })),
        }
    }
}

struct RecordedConnection {
    asked: std::rc::Rc<RefCell<Vec<String>>>,
    tls_failure: Option<Failure>,
}

impl Dialled for RecordedConnection {
    fn start_tls(&self, profile: &str, alpn: &[String]) -> Result<TlsFacts, Failure> {
        let protocols = alpn.join(",");
        self.asked
            .borrow_mut()
            .push(format!("tls {profile} {protocols}"));
        match &self.tls_failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(TlsFacts {
                version: "TLSv1.3".to_owned(),
                alpn: alpn.first().cloned(),
                server_end_point: vec![1; 32],
            }),
        }
    }
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
