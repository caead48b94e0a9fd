//! A sink: messages become batches for the leaders of their partitions, and answers a count.
//!
//! * `records`: the bytes of records, and `batch`: batches of them, which stay the same when they are
//!   sent again.
//! * `topics`: what waits, by topic and partition, and which partition a message is for.
//! * `leaders`: one connection to each leader, with one request under way.
//! * `acknowledged`: the count, from the first message without a gap.
//! * `steering`: dialling, metadata, and what is done after a failure.

mod acknowledged;
mod batch;
mod leaders;
mod records;
mod steering;
mod topics;

use portolan_sdk::{Failure, Message, OpenSink, Plan};

use crate::settings::Settings;
use crate::wire::{Broker, Place};
use acknowledged::Acknowledged;
use leaders::Leader;
use topics::Topics;

/// So much may be under way when `emit` comes back: with the next messages, of at most 16 MiB, and
/// a request that is being written, it stays within the memory of an instance.
const MOST_HELD: usize = 8 * 1024 * 1024;

/// How long one wait for brokers is.
const WAIT_MILLISECONDS: u32 = 1_000;

/// A `flush` ends when it has waited so long and nothing came.
const VAIN_MILLISECONDS: u32 = 10_000;

/// A sink that is open.
pub struct Producer {
    settings: Settings,
    /// Which brokers there are, and the one that is asked.
    brokers: Vec<Place>,
    control: Option<Broker>,
    topics: Topics,
    leaders: Vec<Leader>,
    acknowledged: Acknowledged,
    /// The bytes of everything that is not acknowledged.
    held: usize,
    /// The time, as far as messages have told it.
    now: u64,
    /// Whether what is known of leaders may be wrong.
    is_stale: bool,
    /// Attempts in a row that came to nothing, and why the last one did.
    vain: u32,
    last: Option<Failure>,
    /// Milliseconds that were waited since something was acknowledged.
    waited: u32,
    /// The count that was told last, and why there will be no other: what was acknowledged before
    /// is told first, so that it is not sent again.
    told: u64,
    failure: Option<Failure>,
}

impl Producer {
    /// Connects to the first broker of the plan that answers, and authenticates.
    pub(crate) fn open(plan: &Plan) -> Result<Self, Failure> {
        let settings = Settings::of(plan);
        let control = steering::bootstrap(&settings)?;
        Ok(Self {
            settings,
            brokers: Vec::new(),
            control: Some(control),
            topics: Topics::default(),
            leaders: Vec::new(),
            acknowledged: Acknowledged::default(),
            held: 0,
            now: 0,
            is_stale: false,
            vain: 0,
            last: None,
            waited: 0,
            told: 0,
            failure: None,
        })
    }

    fn take(&mut self, messages: Vec<Message>) -> Result<(), Failure> {
        // Messages come in runs of one topic, mostly.
        let mut named: Vec<(&str, String)> = Vec::new();
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for message in &messages {
            let topic = message.topic.as_str();
            let is_last = |(place, _): &&mut (usize, usize)| named[*place].0 == topic;
            if let Some((_, count)) = runs.last_mut().filter(is_last) {
                *count += 1;
                continue;
            }
            let place = named.iter().position(|(it, _)| *it == topic);
            let place = place.unwrap_or(named.len());
            if place == named.len() {
                named.push((topic, self.settings.topic(topic)?));
            }
            runs.push((place, 1));
        }
        let named: Vec<String> = named.into_iter().map(|(_, named)| named).collect();
        self.know(&named)?;
        let mut messages = messages.into_iter();
        for (place, count) in runs {
            let place = named.get(place).and_then(|named| self.topics.place(named));
            let mut topic = place.and_then(|place| self.topics.all.get_mut(place));
            for message in messages.by_ref().take(count) {
                self.now = self.now.max(message.timestamp);
                let key = message.key.as_deref();
                let partition = topic.as_mut().and_then(|topic| topic.partition(key));
                let partition =
                    partition.ok_or_else(|| crate::wire::garbled("a topic has no partition"))?;
                let number = self.acknowledged.begin();
                self.held += partition.waiting.push(number, &message);
            }
        }
        Ok(())
    }

    /// Runs, and tells the count; a failure only when nothing new is acknowledged.
    fn run(&mut self, run: impl FnOnce(&mut Self) -> Result<(), Failure>) -> Result<u64, Failure> {
        if self.failure.is_none() {
            self.failure = run(self).err();
        }
        let count = self.acknowledged.count();
        match &self.failure {
            Some(failure) if count == self.told => Err(failure.clone()),
            _ => {
                self.told = count;
                Ok(count)
            }
        }
    }
}

impl OpenSink for Producer {
    fn emit(&mut self, messages: Vec<Message>) -> Result<u64, Failure> {
        self.run(|producer| {
            producer.take(messages)?;
            producer.turn(0)?;
            while producer.held > MOST_HELD {
                producer.turn(WAIT_MILLISECONDS)?;
            }
            Ok(())
        })
    }

    fn flush(&mut self) -> Result<u64, Failure> {
        self.run(|producer| {
            producer.waited = 0;
            while !producer.acknowledged.is_whole() && producer.waited < VAIN_MILLISECONDS {
                producer.turn(WAIT_MILLISECONDS)?;
            }
            Ok(())
        })
    }

    fn close(&mut self) -> Result<(), Failure> {
        let leaders = self.leaders.iter().map(|leader| &leader.broker);
        for broker in leaders.chain(&self.control) {
            // It goes away in any case.
            let _ = broker.frames.connection().close();
        }
        Ok(())
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}
