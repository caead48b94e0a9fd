//! What stands before each operation of a handle: may it still be used, and in which version?
//!
//! The gate judges, for every kind of handle alike; what a handle is built from is the handle's own
//! business ([`Made`](super::made::Made)).

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use portolan_catalog::{AuditObject, CatalogHandle, ConnectionPrivilege};
use portolan_contract::Operation;
use portolan_data::{Gate, GateError};
use portolan_egress::Egress;
use tokio::sync::Mutex as AsyncMutex;

use super::OpenOptions;
use super::handles::{Handles, OpenHandle};
use super::pinned::Pinned;
use crate::access::Actor;
use crate::call::lock;
use crate::host::Shared;
use crate::metrics::Metrics;
use crate::policy;
use crate::providers::Registry;
use crate::trail::{AuditRow, outcome_of};
use crate::{Error, SqlState};

/// What the audit trail calls an operation of a handle.
const USE: &str = "USE";

/// How often a waiting handle looks for changes that other processes made.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Whose code does the work of a handle's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worker {
    /// The host's own: the plan is all that it needs.
    Host,
    /// The provider's, which has to be in force for as long as the handle is used.
    Provider,
}

/// The gate of one handle.
///
/// Its verdict holds for one revision of the catalog and one generation of the policy. The
/// revision is refreshed at most once a second, and at once for changes of this process; an
/// operation between two changes costs two comparisons.
pub(crate) struct HandleGate {
    number: u64,
    actor: Actor,
    operation: Operation,
    worker: Worker,
    follow: bool,
    opened: Timestamp,
    /// The connection's name when it was opened.
    name: String,
    catalog: CatalogHandle,
    egress: Egress,
    providers: Arc<Registry>,
    handles: Handles,
    metrics: Metrics,
    state: Mutex<State>,
    /// Held while a verdict is formed, so that operations that come meanwhile wait for it.
    judging: AsyncMutex<()>,
}

/// The revision of the catalog and the generation of the policy that a verdict is about.
type Seen = (u64, u64);

#[derive(Debug)]
struct State {
    pinned: Arc<Pinned>,
    seen: Option<Seen>,
    verdict: Result<(), GateError>,
    /// Whether the refusal of an operation is in the audit trail: one row for a verdict, and not one
    /// for each operation that meets it.
    noted: bool,
    /// The version that the catalog has, where the connection is still there.
    newest: Option<u64>,
}

/// What a look at the catalog gave.
struct Judged {
    newest: u64,
    /// What the handle uses from now on, where that is something else.
    instead: Option<Arc<Pinned>>,
}

impl HandleGate {
    /// The gate of a handle that is about to be opened. It is in the host's list once it is
    /// [added](Handles::add).
    pub(crate) fn new(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        operation: Operation,
        worker: Worker,
        OpenOptions { follow }: OpenOptions,
    ) -> Arc<Self> {
        Arc::new(Self {
            number: host.handles.number(),
            actor: actor.clone(),
            operation,
            worker,
            follow,
            opened: Timestamp::now(),
            name: pinned.connection.name.clone(),
            catalog: host.catalog.clone(),
            egress: host.egress.clone(),
            providers: Arc::clone(&host.providers),
            handles: host.handles.clone(),
            metrics: host.metrics.clone(),
            state: Mutex::new(State {
                newest: Some(pinned.connection.version),
                pinned,
                seen: None,
                verdict: Ok(()),
                noted: false,
            }),
            judging: AsyncMutex::default(),
        })
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn describe(&self) -> OpenHandle {
        OpenHandle {
            number: self.number,
            connection: self.name.clone(),
            version: self.version(),
            principal: self.actor.name().to_owned(),
            operation: self.operation,
            follow: self.follow,
            opened: self.opened,
        }
    }

    /// What the handle uses: a version of its connection, and the provider of it.
    pub(crate) fn pinned(&self) -> Arc<Pinned> {
        Arc::clone(&lock(&self.state).pinned)
    }

    /// The version that the handle uses.
    pub(crate) fn version(&self) -> u64 {
        lock(&self.state).pinned.connection.version
    }

    /// Lets an operation pass, and says what it uses; or says why the handle may not be used.
    pub(crate) async fn pass(&self) -> Result<Arc<Pinned>, GateError> {
        match self.refresh().await {
            Ok(()) => Ok(self.pinned()),
            Err(refusal) => {
                self.note(&refusal).await;
                Err(refusal)
            }
        }
    }

    /// Writes into the audit trail that an operation was refused, if nobody has yet. What could not
    /// be looked up was not refused.
    async fn note(&self, refusal: &GateError) {
        {
            let mut state = lock(&self.state);
            if state.noted || state.seen.is_none() {
                return;
            }
            state.noted = true;
        }
        let object = AuditObject::connection(&self.name);
        let row = AuditRow::new(&self.actor, USE, Some(object))
            .ended(outcome_of(refusal.sqlstate()), refusal.message());
        if row.write(&self.catalog).await.is_err() {
            // The next operation tries again.
            lock(&self.state).noted = false;
        }
    }

    /// Judges the handle anew where the catalog or the policy has changed since.
    pub(crate) async fn refresh(&self) -> Result<(), GateError> {
        let revision = match self.catalog.revision().await {
            Ok(revision) => revision,
            // What cannot be looked up is not allowed; the next operation looks again.
            Err(error) => return Err(refusal(&error.into())),
        };
        let (generation, _) = self.egress.policy().get();
        let seen = (revision, generation);
        if let Some(verdict) = self.verdict_of(seen) {
            return self.counted(verdict);
        }
        let _judging = self.judging.lock().await;
        if let Some(verdict) = self.verdict_of(seen) {
            return self.counted(verdict);
        }
        let judged = self.judge().await;
        let verdict = self.remember(seen, judged);
        self.counted(verdict)
    }

    fn verdict_of(&self, seen: Seen) -> Option<Result<(), GateError>> {
        let state = lock(&self.state);
        (state.seen == Some(seen)).then(|| state.verdict.clone())
    }

    fn remember(&self, seen: Seen, judged: Result<Option<Judged>, Error>) -> Result<(), GateError> {
        let mut state = lock(&self.state);
        // A failure to look is no answer, so the next operation looks again.
        state.seen = match &judged {
            Err(error) if !is_answer(error) => None,
            _ => Some(seen),
        };
        let before = state.verdict.as_ref().err().map(ToString::to_string);
        state.verdict = match judged {
            Ok(Some(judged)) => {
                state.newest = Some(judged.newest);
                if let Some(instead) = judged.instead {
                    state.pinned = instead;
                }
                Ok(())
            }
            Ok(None) => {
                state.newest = None;
                Err(refusal(&dropped(&self.name)))
            }
            Err(error) => Err(refusal(&error)),
        };
        let now = state.verdict.as_ref().err().map(ToString::to_string);
        state.noted &= now == before;
        state.verdict.clone()
    }

    /// Looks at the catalog and asks the policy; none when the connection is gone.
    async fn judge(&self) -> Result<Option<Judged>, Error> {
        let pinned = self.pinned();
        let actor = self.actor.clone();
        let used = Arc::clone(&pinned);
        let (follow, operation, worker) = (self.follow, self.operation, self.worker);
        let registry = Arc::clone(&self.providers);
        let found = self
            .catalog
            .read::<_, Error, _>(move |reader| {
                let Some(connection) = reader.connection_by_id(used.connection.id)? else {
                    return Ok(None);
                };
                let access = actor.access(reader)?;
                let usage = ConnectionPrivilege::Usage;
                access.require(&connection.name, Some(&connection), usage)?;
                let newest = connection.version;
                let instead = if follow && newest != used.connection.version {
                    Some(Pinned::read(&access, &registry, connection, operation)?)
                } else if worker == Worker::Provider {
                    used.with_provider_in_force(&access, &registry)?
                } else {
                    None
                };
                Ok(Some(Judged {
                    newest,
                    instead: instead.map(Arc::new),
                }))
            })
            .await?;
        if let Some(judged) = &found {
            let pinned = judged.instead.as_ref().unwrap_or(&pinned);
            policy::judge(&self.egress, &pinned.stored)?;
        }
        Ok(found)
    }

    /// Whether the handle may be used and its version is the newest.
    pub(crate) async fn is_current(&self) -> bool {
        if self.refresh().await.is_err() {
            return false;
        }
        let state = lock(&self.state);
        state.verdict.is_ok() && state.newest == Some(state.pinned.connection.version)
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub(crate) async fn changed(&self) {
        let mut revisions = self.catalog.subscribe();
        let mut policies = self.egress.policy().subscribe();
        let version = self.version();
        while self.is_current().await && self.version() == version {
            tokio::select! {
                _ = revisions.changed() => {}
                _ = policies.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    fn counted(&self, verdict: Result<(), GateError>) -> Result<(), GateError> {
        if let Err(error) = &verdict {
            self.metrics.handle_refused(error.sqlstate());
        }
        verdict
    }
}

/// Whether an error is an answer, and not a failure to get one.
fn is_answer(error: &Error) -> bool {
    matches!(
        error.sqlstate(),
        SqlState::InsufficientPrivilege
            | SqlState::WrongObjectType
            | SqlState::FeatureNotSupported
            | SqlState::InvalidParameterValue
            | SqlState::ObjectNotInPrerequisiteState
    )
}

/// An error as a gate tells it.
pub(crate) fn refusal(error: &Error) -> GateError {
    let refusal = GateError::new(error.sqlstate().code(), error.message());
    match error.hint() {
        Some(hint) => refusal.with_hint(hint),
        None => refusal,
    }
}

fn dropped(name: &str) -> Error {
    Error::new(
        SqlState::UndefinedObject,
        format!("external connection {name} was dropped"),
    )
    .with_hint("open the connection that is meant now")
}

#[async_trait]
impl Gate for HandleGate {
    async fn check(&self) -> Result<(), GateError> {
        self.pass().await.map(drop)
    }
}

impl Drop for HandleGate {
    fn drop(&mut self) {
        self.handles.remove(self.number);
    }
}

impl fmt::Debug for HandleGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleGate")
            .field("number", &self.number)
            .field("connection", &self.name)
            .finish_non_exhaustive()
    }
}
