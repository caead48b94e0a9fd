//! Messages on their way: held until they are acknowledged, and given again, in the old order, to
//! whatever is opened next after what was open has failed. So each arrives at least once.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use portolan_contract::{MAX_BATCH_MESSAGES, Message};

use crate::{Error, SqlState};

/// The most bytes that are held of one sink. Whoever emits more waits until some are acknowledged.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// The most messages that are held of one sink.
pub(super) const MOST_MESSAGES: usize = 4 * MAX_BATCH_MESSAGES;

/// Bytes that are given at once. A single message may be longer.
const BATCH_BYTES: usize = 4 << 20;

/// Messages that are given at once. A provider reads them again as soon as they were copied into its
/// memory, and small ones cost as much as the cache misses that come of them: 10,000 messages of 200
/// bytes did not fit into the cache of a processor's core and took Kafka's provider 1.4 times as long.
pub(super) const GIVEN_AT_ONCE: usize = 2_000;

/// How often in a row nothing may be acknowledged before a failure that may pass is told.
const TRIES: u32 = 5;

/// How long the second try waits; each further one waits twice as long as the one before it.
const PAUSE: Duration = Duration::from_millis(100);

/// What takes messages and acknowledges them.
#[async_trait]
pub(super) trait Target: Send {
    /// Takes messages, and says how many of all since it was opened are acknowledged, counted from
    /// the first without a gap.
    async fn emit(&mut self, messages: &[Message]) -> Result<u64, Trouble>;

    /// Waits until all is acknowledged, as far as its time allows, and says how many are.
    async fn flush(&mut self) -> Result<u64, Trouble>;

    /// Says goodbye.
    async fn close(self: Box<Self>) -> Result<(), Trouble>;
}

/// What opens targets, one after another.
#[async_trait]
pub(super) trait Opener: Send + Sync {
    async fn open(&self) -> Result<Box<dyn Target>, Trouble>;
}

/// Why a target took no more.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: Error,
    /// Whether another try may do better.
    pub(super) may_pass: bool,
}

/// The messages of one sink.
#[derive(Default)]
pub(super) struct Outbox {
    target: Option<Box<dyn Target>>,
    /// What is not acknowledged, in the order in which it was taken.
    held: VecDeque<Message>,
    bytes: usize,
    /// How many of those that are held were given to the target that is open.
    given: usize,
    /// How many it has acknowledged.
    of_target: u64,
    taken: u64,
    opened: u64,
}

impl Outbox {
    /// How many messages were taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// How many of them are acknowledged.
    pub(super) fn acknowledged(&self) -> u64 {
        self.taken - self.held.len() as u64
    }

    /// How many targets were opened one after another.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    /// Ends what is open, without a goodbye. What it did not acknowledge is given to the next one.
    pub(super) fn end(&mut self) {
        self.target = None;
    }

    /// Takes messages, all of them or none, and gives them on. Where too much is held already it
    /// first waits until that is acknowledged.
    pub(super) async fn emit(
        &mut self,
        messages: Vec<Message>,
        opener: &dyn Opener,
    ) -> Result<(), Error> {
        let bytes: usize = messages.iter().map(Message::bytes).sum();
        let fits = |outbox: &Self| {
            outbox.bytes + bytes <= MOST_BYTES
                && outbox.held.len() + messages.len() <= MOST_MESSAGES
        };
        if !fits(self) {
            self.deliver(opener, true).await?;
        }
        self.bytes += bytes;
        self.taken += messages.len() as u64;
        self.held.extend(messages);
        self.deliver(opener, false).await
    }

    /// Waits until everything that was taken is acknowledged.
    pub(super) async fn flush(&mut self, opener: &dyn Opener) -> Result<(), Error> {
        self.deliver(opener, true).await
    }

    /// Says goodbye to what is open.
    pub(super) async fn close(&mut self) -> Result<(), Error> {
        match self.target.take() {
            Some(target) => target.close().await.map_err(|trouble| trouble.error),
            None => Ok(()),
        }
    }

    /// Gives everything on; with `whole`, waits for its acknowledgement as well.
    async fn deliver(&mut self, opener: &dyn Opener, whole: bool) -> Result<(), Error> {
        let (mut tries, mut pause) = (0, PAUSE);
        while !self.held.is_empty() {
            let before = self.acknowledged();
            let Err(trouble) = self.attempt(opener, whole).await else {
                break;
            };
            if self.acknowledged() > before {
                (tries, pause) = (0, PAUSE);
            }
            tries += 1;
            if !trouble.may_pass || tries >= TRIES {
                return Err(trouble.error);
            }
            tracing::debug!(
                sqlstate = trouble.error.sqlstate().code(),
                "a sink is opened anew"
            );
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(())
    }

    /// One try. The target is put back when it did well: after a failure, and where the future is
    /// dropped on the way, it is gone.
    async fn attempt(&mut self, opener: &dyn Opener, whole: bool) -> Result<(), Trouble> {
        let mut target = match self.target.take() {
            Some(target) => target,
            None => {
                (self.given, self.of_target) = (0, 0);
                let target = opener.open().await?;
                self.opened += 1;
                target
            }
        };
        while self.given < self.held.len() {
            let batch = self.next_batch();
            let count = batch.len();
            let acknowledged = target.emit(batch).await?;
            self.given += count;
            self.acknowledge(acknowledged)?;
        }
        while whole && !self.held.is_empty() {
            let before = self.held.len();
            let acknowledged = target.flush().await?;
            self.acknowledge(acknowledged)?;
            if self.held.len() == before {
                return Err(Trouble {
                    error: Error::new(
                        SqlState::QueryCanceled,
                        "the sink acknowledged nothing within its time",
                    )
                    .with_hint("see whether the service is slow, and flush again"),
                    may_pass: true,
                });
            }
        }
        self.target = Some(target);
        Ok(())
    }

    /// The messages that are given next. Where the queue goes around its end there is a smaller batch,
    /// which costs less than to move the whole queue each time.
    fn next_batch(&self) -> &[Message] {
        let (front, back) = self.held.as_slices();
        let waiting = match self.given.checked_sub(front.len()) {
            None => front.get(self.given..),
            Some(given) => back.get(given..),
        };
        let waiting = waiting.unwrap_or_default();
        let mut bytes = 0;
        let fitting = waiting.iter().take(GIVEN_AT_ONCE).take_while(|message| {
            let is_first = bytes == 0;
            bytes += message.bytes().max(1);
            is_first || bytes <= BATCH_BYTES
        });
        let count = fitting.count();
        waiting.get(..count).unwrap_or_default()
    }

    /// Lets go of what the target has acknowledged.
    fn acknowledge(&mut self, count: u64) -> Result<(), Trouble> {
        let newly = count.checked_sub(self.of_target);
        let newly = newly.and_then(|newly| usize::try_from(newly).ok());
        let Some(newly) = newly.filter(|newly| *newly <= self.given) else {
            return Err(Trouble {
                error: Error::new(
                    SqlState::Internal,
                    "a sink acknowledged what it was not given",
                ),
                may_pass: false,
            });
        };
        self.of_target = count;
        self.given -= newly;
        let done = self.held.drain(..newly);
        self.bytes -= done.map(|message| message.bytes()).sum::<usize>();
        Ok(())
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
