//! What a provider of sinks is called for: one instance that lives over many calls.
//!
//! Every call is an operation with a turn, a wall time and a budget of its own; what the instance
//! keeps between two calls is its memory, its connections and a place among those that are open.

use portolan_contract::{Kind, Message};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;
use wasmtime::component::{ComponentType, Func, Lower};

use crate::acting::{Acting, Grants};
use crate::answer::AnswerProblem;
use crate::bindings::provided::sink as guest;
use crate::bindings::types;
use crate::guest::Guest;
use crate::refusal::Refusal;
use crate::{Fault, Provider, ProviderError};

/// A sink that is connected and authenticated. It takes one call at a time; a call that fails, or
/// whose future is dropped before its end, ends the instance, and every later one fails.
pub struct OpenSink {
    provider: Provider,
    grants: Grants,
    sink: guest::Guest,
    /// The sink's `emit`, which is given borrowed messages.
    emit: Func,
    /// None after a call that did not come to its end.
    acting: Option<Acting>,
    emitted: u64,
    acknowledged: u64,
    _place: OwnedSemaphorePermit,
}

impl std::fmt::Debug for OpenSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSink")
            .field("provider", self.provider.id())
            .field("emitted", &self.emitted)
            .field("acknowledged", &self.acknowledged)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Opens the sink of a plan in an instance of its own, which ends when it is closed or dropped.
    /// Waits while as many are open as the limits allow.
    ///
    /// # Errors
    ///
    /// The service or the provider refuses, or the provider was stopped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn open_sink(&self, grants: &Grants) -> Result<OpenSink, ProviderError> {
        let (operation, guest) = self.acting(grants);
        let opening = async {
            let place = operation.place().await;
            let mut acting = Acting::start(&operation, guest).await?;
            let (sink, emit) = acting.sink(self)?;
            let plan = self.acting_plan(grants);
            let called = sink.call_open(&mut acting.store, &plan).await;
            let answer = called.map_err(|error| acting.stopped(&error))?;
            answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))?;
            acting.rest();
            Ok(OpenSink {
                provider: self.clone(),
                grants: grants.clone(),
                sink,
                emit,
                acting: Some(acting),
                emitted: 0,
                acknowledged: 0,
                _place: place,
            })
        };
        operation.run(opening).await
    }
}

/// A message as a guest gets it. The generated type owns what it holds, and would copy each message
/// once more.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Borrowed<'a> {
    topic: &'a str,
    key: Option<&'a [u8]>,
    value: &'a [u8],
    headers: &'a [(String, Vec<u8>)],
    timestamp: u64,
}

/// What is asked of an open sink.
enum Ask<'a> {
    Emit(&'a [Borrowed<'a>]),
    Flush,
    Close,
}

impl OpenSink {
    /// Hands over messages, at most [`MAX_BATCH_MESSAGES`](portolan_contract::MAX_BATCH_MESSAGES)
    /// and [`MAX_BATCH_BYTES`](portolan_contract::MAX_BATCH_BYTES), and says how many of all since
    /// it was opened are acknowledged, counted from the first without a gap.
    ///
    /// # Errors
    ///
    /// The service or the provider refuses, or the provider was stopped or gave an answer that
    /// breaks a rule. The instance has ended; the service may have taken any of the messages.
    pub async fn emit(&mut self, messages: &[Message]) -> Result<u64, ProviderError> {
        let given: Vec<_> = messages.iter().map(borrowed).collect();
        self.emitted += given.len() as u64;
        self.ask(Ask::Emit(&given)).await
    }

    /// Waits until all is acknowledged, or the time is up, and says as [`emit`](Self::emit) how
    /// many are.
    ///
    /// # Errors
    ///
    /// As [`emit`](Self::emit).
    pub async fn flush(&mut self) -> Result<u64, ProviderError> {
        self.ask(Ask::Flush).await
    }

    /// Says goodbye to the service; what is not acknowledged is given up.
    ///
    /// # Errors
    ///
    /// As [`emit`](Self::emit).
    pub async fn close(mut self) -> Result<(), ProviderError> {
        self.ask(Ask::Close).await.map(drop)
    }

    async fn ask(&mut self, ask: Ask<'_>) -> Result<u64, ProviderError> {
        let Some(mut acting) = self.acting.take() else {
            let ended = Fault::Host("its instance has ended".to_owned());
            return Err(self.provider.stopped(ended));
        };
        let operation = self.provider.next_call(&self.grants, &mut acting);
        let (sink, emit) = (&self.sink, self.emit);
        let asking = async {
            acting.resume(&operation).await;
            let store = &mut acting.store;
            let called = match ask {
                Ask::Emit(messages) => call_emit(emit, store, messages).await,
                Ask::Flush => sink.call_flush(store).await,
                Ask::Close => {
                    let closed = sink.call_close(store).await;
                    closed.map(|closed| closed.map(|()| self.acknowledged))
                }
            };
            let answer = called.map_err(|error| acting.stopped(&error))?;
            let count = answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))?;
            if !(self.acknowledged..=self.emitted).contains(&count) {
                return Err(AnswerProblem::Acknowledged(count, self.emitted).into());
            }
            acting.rest();
            Ok((count, acting))
        };
        let (count, acting) = operation.run(asking).await?;
        self.acknowledged = count;
        self.acting = Some(acting);
        Ok(count)
    }
}

impl Acting {
    /// The interface of sinks, and its `emit`.
    fn sink(&mut self, provider: &Provider) -> Result<(guest::Guest, Func), Fault> {
        let actor = &provider.prepared.actor;
        let (Some(sink), Some(emit)) = (&actor.sink, actor.emit) else {
            return Err(Fault::unlisted(Some(Kind::Sink)));
        };
        let loaded = sink.load(&mut self.store, &self.instance);
        let loaded = loaded.map_err(|error| self.stopped(&error))?;
        match self.instance.get_func(&mut self.store, emit) {
            Some(emit) => Ok((loaded, emit)),
            None => Err(Fault::Contract("exports no `emit`".to_owned())),
        }
    }
}

async fn call_emit(
    emit: Func,
    store: &mut Store<Guest>,
    messages: &[Borrowed<'_>],
) -> wasmtime::Result<Result<u64, types::Failure>> {
    let emit = emit.typed::<(&[Borrowed<'_>],), (Result<u64, types::Failure>,)>(&store)?;
    let (answer,) = emit.call_async(store, (messages,)).await?;
    Ok(answer)
}

fn borrowed(message: &Message) -> Borrowed<'_> {
    Borrowed {
        topic: &message.topic,
        key: message.key.as_deref(),
        value: &message.value,
        headers: &message.headers,
        timestamp: message.timestamp,
    }
}
