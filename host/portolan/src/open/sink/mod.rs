//! The handle of a connection that takes messages.
//!
//! * `outbox`: messages on their way, held until they are acknowledged.
//! * `guest`: a provider's sink. `files`: an object store as a sink.

mod files;
mod guest;
mod outbox;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use portolan_contract::{MAX_BATCH_BYTES, MAX_BATCH_MESSAGES, Message, Operation, SubPath};
use tokio::sync::Mutex;

use super::OpenOptions;
use super::gate::{HandleGate, Worker};
use super::pinned::Pinned;
use super::service::Services;
use super::storage::Builder;
use crate::access::Actor;
use crate::host::Shared;
use crate::metrics::{Metrics, SinkOperation, sqlstate_of};
use crate::{Error, SqlState};
use outbox::{Opener, Outbox};

/// An open connection that takes messages: a provider's sink, or an object store that they are
/// written to in files.
///
/// Each message is delivered at least once, and messages of a topic with the same key keep their
/// order. What is not acknowledged is held, within bounds: whoever emits more waits. After a failure
/// that may pass another instance is opened and given what is held, in the old order; a failure that
/// is told leaves it with the handle, so that the next call tries again. A handle that is dropped
/// gives up what it holds: [`flush`](Self::flush) or [`close`](Self::close) before.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on.
#[derive(Clone)]
pub struct Sink {
    gate: Arc<HandleGate>,
    shared: Arc<Parts>,
}

/// What clones of a handle have in common.
struct Parts {
    /// One call at a time.
    state: Mutex<State>,
    way: Way,
    metrics: Metrics,
}

struct State {
    /// What is open was made of it.
    pinned: Arc<Pinned>,
    outbox: Outbox,
}

/// How messages get there.
enum Way {
    Guest(Services),
    Files(Builder),
}

/// How far a sink has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Messages that it took.
    pub taken: u64,
    /// Messages that are acknowledged: the first ones of those, without a gap.
    pub acknowledged: u64,
}

impl Sink {
    /// Opens a provider's sink, or an object store at a path as one. Nothing is dialled before the
    /// first message.
    pub(crate) async fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        path: &SubPath,
        operation: Operation,
        options: OpenOptions,
    ) -> Result<Self, Error> {
        let (way, worker) = if pinned.plan().object_store().is_some() {
            (Way::Files(Builder::new(host, path)?), Worker::Host)
        } else {
            let services = Services::open(host, &pinned).await?;
            (Way::Guest(services), Worker::Provider)
        };
        let gate = HandleGate::new(host, actor, Arc::clone(&pinned), operation, worker, options);
        host.handles.add(&gate);
        let state = State {
            pinned,
            outbox: Outbox::default(),
        };
        Ok(Self {
            gate,
            shared: Arc::new(Parts {
                state: Mutex::new(state),
                way,
                metrics: host.metrics.clone(),
            }),
        })
    }

    /// Takes messages, all of them or none, and gives them on: at most 10,000 with 16 MiB in all.
    /// It may come back before they are acknowledged, and waits while too many are not.
    ///
    /// # Errors
    /// 22023 for messages that break a bound, which are not taken; why the handle may not be used
    /// any more; and why they could not be given on. Then [`delivered`](Self::delivered) says
    /// whether they were taken, and what was taken is tried again by the next call.
    pub async fn emit(&self, messages: Vec<Message>) -> Result<Delivered, Error> {
        check(&messages)?;
        self.run("emit", async |state: &mut State, opener| {
            state.outbox.emit(messages, opener).await
        })
        .await
    }

    /// Waits until everything that was taken is acknowledged.
    ///
    /// # Errors
    /// As [`emit`](Self::emit).
    pub async fn flush(&self) -> Result<Delivered, Error> {
        self.run("flush", async |state: &mut State, opener| {
            state.outbox.flush(opener).await
        })
        .await
    }

    /// Flushes, and says goodbye to the service. A later call opens it again.
    ///
    /// # Errors
    /// As [`emit`](Self::emit).
    pub async fn close(&self) -> Result<Delivered, Error> {
        self.run("close", async |state: &mut State, opener| {
            state.outbox.flush(opener).await?;
            state.outbox.close().await
        })
        .await
    }

    /// How far it has come. It waits while another call is under way.
    pub async fn delivered(&self) -> Delivered {
        self.shared.state.lock().await.delivered()
    }

    /// The name of the provider.
    #[must_use]
    pub fn provider(&self) -> String {
        self.gate.pinned().connection.provider.clone()
    }

    /// The version of the connection that the handle uses.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.gate.version()
    }

    /// Whether the handle may be used and its version is the newest. A handle that follows takes
    /// the newest with this.
    pub async fn is_current(&self) -> bool {
        self.gate.is_current().await
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub async fn changed(&self) {
        self.gate.changed().await;
    }

    /// Does something with what is held, once the gate has agreed.
    async fn run(
        &self,
        operation: &'static str,
        run: impl AsyncFnOnce(&mut State, &dyn Opener) -> Result<(), Error>,
    ) -> Result<Delivered, Error> {
        let started = Instant::now();
        let mut state = self.shared.state.lock().await;
        let before = state.counts();
        let result = match self.gate.pass().await {
            Ok(pinned) => {
                state.use_version(&pinned);
                match &self.shared.way {
                    Way::Guest(services) => {
                        let guest = guest::Guest { services, pinned };
                        run(&mut state, &guest).await
                    }
                    Way::Files(builder) => {
                        let gate = Arc::clone(&self.gate);
                        let files = files::Files {
                            builder,
                            pinned,
                            gate,
                        };
                        run(&mut state, &files).await
                    }
                }
            }
            Err(refused) => {
                // Nobody may use what is open any more.
                state.outbox.end();
                Err(refused.into())
            }
        };
        let (delivered, opened) = state.counts();
        let done = SinkOperation {
            operation,
            sqlstate: sqlstate_of(&result),
            acknowledged: delivered.acknowledged - before.0.acknowledged,
            opened: opened - before.1,
            took: started.elapsed(),
        };
        let provider = &state.pinned.connection.provider;
        self.shared.metrics.sink_operation(provider, &done);
        result.map(|()| delivered)
    }
}

impl State {
    /// What is open belongs to a version; where the handle uses another one, that is opened.
    fn use_version(&mut self, pinned: &Arc<Pinned>) {
        if !Arc::ptr_eq(&self.pinned, pinned) {
            self.outbox.end();
            self.pinned = Arc::clone(pinned);
        }
    }

    fn delivered(&self) -> Delivered {
        Delivered {
            taken: self.outbox.taken(),
            acknowledged: self.outbox.acknowledged(),
        }
    }

    fn counts(&self) -> (Delivered, u64) {
        (self.delivered(), self.outbox.opened())
    }
}

fn check(messages: &[Message]) -> Result<(), Error> {
    let bytes: usize = messages.iter().map(Message::bytes).sum();
    let problem = if messages.len() > MAX_BATCH_MESSAGES {
        Some("a batch has more than 10,000 messages".to_owned())
    } else if bytes > MAX_BATCH_BYTES {
        Some("a batch has more than 16 MiB".to_owned())
    } else {
        let mut places = messages.iter().enumerate();
        places.find_map(|(place, message)| {
            let problem = message.check().err()?;
            Some(format!("message {} of the batch {problem}", place + 1))
        })
    };
    match problem {
        None => Ok(()),
        Some(problem) => Err(Error::new(SqlState::InvalidParameterValue, problem)
            .with_hint("a message has a topic, at most 64 headers and 16 MiB; emit fewer at once")),
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
