//! What stands before each operation of a handle: may it still be used, and in which version?

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use object_store::path::Path;
use portolan_catalog::{CatalogHandle, ConnectionPrivilege};
use portolan_contract::Operation;
use portolan_data::{Backends, Confined, ConfinedUploads, Gate, GateError, OpenGate};
use portolan_egress::Egress;
use tokio::runtime::Handle;
use tokio::sync::Mutex as AsyncMutex;

use super::handles::{Handles, OpenHandle};
use super::pinned::Pinned;
use crate::access::Actor;
use crate::call::lock;
use crate::host::Shared;
use crate::metrics::Metrics;
use crate::policy;
use crate::probing::interrupted;
use crate::providers::Registry;
use crate::{Error, SqlState};

/// The gate of one handle.
///
/// Its verdict holds for one revision of the catalog and one generation of the policy. The
/// revision is refreshed at most once a second, and at once for changes of this process; an
/// operation between two changes costs two comparisons.
pub(crate) struct HandleGate {
    number: u64,
    actor: Actor,
    operation: Operation,
    follow: bool,
    opened: Timestamp,
    /// The connection's name when it was opened.
    name: String,
    sub_path: Path,
    pub(crate) catalog: CatalogHandle,
    pub(crate) egress: Egress,
    providers: Arc<Registry>,
    backends: Backends,
    runtime: Handle,
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
    /// What replaced the first store of a handle that follows.
    store: Option<Arc<Confined>>,
    seen: Option<Seen>,
    verdict: Result<(), GateError>,
    /// The version that the catalog has, where the connection is still there.
    newest: Option<u64>,
}

/// What a look at the catalog gave.
struct Judged {
    newest: u64,
    /// The newer version, for a handle that follows.
    replacement: Option<(Arc<Pinned>, Confined)>,
}

impl HandleGate {
    pub(crate) fn new(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        sub_path: Path,
        operation: Operation,
        follow: bool,
    ) -> Self {
        Self {
            number: host.handles.number(),
            actor: actor.clone(),
            operation,
            follow,
            opened: Timestamp::now(),
            name: pinned.connection.name.clone(),
            sub_path,
            catalog: host.catalog.clone(),
            egress: host.egress.clone(),
            providers: Arc::clone(&host.providers),
            backends: host.backends.clone(),
            runtime: host.runtime.clone(),
            handles: host.handles.clone(),
            metrics: host.metrics.clone(),
            state: Mutex::new(State {
                newest: Some(pinned.connection.version),
                pinned,
                store: None,
                seen: None,
                verdict: Ok(()),
            }),
            judging: AsyncMutex::default(),
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn describe(&self) -> OpenHandle {
        OpenHandle {
            number: self.number,
            connection: self.name.clone(),
            version: self.pinned().connection.version,
            principal: self.actor.name().to_owned(),
            operation: self.operation,
            follow: self.follow,
            opened: self.opened,
        }
    }

    /// The version that the handle uses.
    pub(crate) fn pinned(&self) -> Arc<Pinned> {
        Arc::clone(&lock(&self.state).pinned)
    }

    /// Builds the store that the handle begins with, behind this gate. `known` says that a store of
    /// the plan was built before.
    pub(crate) async fn first_store(self: &Arc<Self>, known: bool) -> Result<Arc<Confined>, Error> {
        let gate: Arc<dyn Gate> = Arc::<Self>::clone(self);
        let pinned = self.pinned();
        if known && !self.backends.opens_directory(&pinned.stored) {
            // Its certificates were read then, so there is nothing left that could take long.
            let _runtime = self.runtime.enter();
            let built = self
                .backends
                .build_confined(&pinned.stored, &self.sub_path, gate)?;
            return Ok(Arc::new(built));
        }
        Ok(Arc::new(self.store_of(&pinned, gate).await?))
    }

    /// What tells of the unfinished uploads below the handle's URL.
    pub(crate) async fn uploads(&self) -> Result<Option<ConfinedUploads>, Error> {
        self.refresh().await?;
        let backends = self.backends.clone();
        let (pinned, sub_path) = (self.pinned(), self.sub_path.clone());
        let built = self
            .runtime
            .spawn_blocking(move || backends.unfinished_uploads(&pinned.stored, &sub_path))
            .await
            .map_err(|_| interrupted())?;
        Ok(built?)
    }

    async fn store_of(&self, pinned: &Arc<Pinned>, gate: Arc<dyn Gate>) -> Result<Confined, Error> {
        let backends = self.backends.clone();
        let pinned = Arc::clone(pinned);
        let sub_path = self.sub_path.clone();
        let built = self
            .runtime
            .spawn_blocking(move || backends.build_confined(&pinned.stored, &sub_path, gate))
            .await
            .map_err(|_| interrupted())?;
        Ok(built?)
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
        state.verdict = match judged {
            Ok(Some(judged)) => {
                state.newest = Some(judged.newest);
                if let Some((pinned, store)) = judged.replacement {
                    state.pinned = pinned;
                    state.store = Some(Arc::new(store));
                }
                Ok(())
            }
            Ok(None) => {
                state.newest = None;
                Err(refusal(&dropped(&self.name)))
            }
            Err(error) => Err(refusal(&error)),
        };
        state.verdict.clone()
    }

    /// Looks at the catalog and asks the policy; none when the connection is gone.
    async fn judge(&self) -> Result<Option<Judged>, Error> {
        let pinned = self.pinned();
        let actor = self.actor.clone();
        let (id, used) = (pinned.connection.id, pinned.connection.version);
        let (follow, operation) = (self.follow, self.operation);
        let registry = Arc::clone(&self.providers);
        let found = self
            .catalog
            .read::<_, Error, _>(move |reader| {
                let Some(connection) = reader.connection_by_id(id)? else {
                    return Ok(None);
                };
                let access = actor.access(reader)?;
                let usage = ConnectionPrivilege::Usage;
                access.require(&connection.name, Some(&connection), usage)?;
                let newest = connection.version;
                let newer = if follow && newest != used {
                    let newer = Pinned::read(&access, &registry, connection, operation)?;
                    Some(Arc::new(newer))
                } else {
                    None
                };
                Ok(Some((newest, newer)))
            })
            .await?;
        let Some((newest, newer)) = found else {
            return Ok(None);
        };
        policy::judge(&self.egress, newer.as_ref().unwrap_or(&pinned).plan())?;
        let replacement = match newer {
            // Whoever asks for this store has asked this gate before.
            Some(newer) => {
                let store = self.store_of(&newer, Arc::new(OpenGate)).await?;
                Some((newer, store))
            }
            None => None,
        };
        Ok(Some(Judged {
            newest,
            replacement,
        }))
    }

    /// The store that replaced the first one of a handle that follows.
    pub(crate) fn replacement(&self) -> Option<Arc<Confined>> {
        lock(&self.state).store.clone()
    }

    /// Whether the handle may be used and has the newest version, as far as the last look told.
    pub(crate) fn is_newest(&self) -> bool {
        let state = lock(&self.state);
        state.verdict.is_ok() && state.newest == Some(state.pinned.connection.version)
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

fn refusal(error: &Error) -> GateError {
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
        self.refresh().await
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
