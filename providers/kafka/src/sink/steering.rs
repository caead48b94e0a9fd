//! Dialling, metadata, and what is done after a failure.

use kafka_protocol::error::ResponseError;
use portolan_sdk::lent::net::wait;
use portolan_sdk::{Failure, FailureClass, joined};

use super::Producer;
use super::leaders::{Batches, Came, Leader, gather, ready_for};
use crate::settings::Settings;
use crate::wire::{Broker, Cluster, garbled, is_passing, refusal};

/// So many attempts in a row may come to nothing; with the pauses between them about 9 seconds,
/// after which the host begins anew.
const MOST_VAIN: u32 = 12;

/// So often a topic is asked for that is not there; a broker that creates it needs a moment.
const MOST_ASKED: u32 = 8;

/// The first pause, which doubles up to the longest.
const PAUSE_MILLISECONDS: u32 = 50;
const LONGEST_PAUSE_MILLISECONDS: u32 = 1_000;

/// A connection to the first broker of the plan that lets the client in. Refused credentials are
/// refused by all.
pub(super) fn bootstrap(settings: &Settings) -> Result<Broker, Failure> {
    let mut failed = None;
    for (number, _) in settings.numbers() {
        match Broker::bootstrap(settings, number) {
            Ok(broker) => return Ok(broker),
            Err(failure) if is_final(&failure) => return Err(failure),
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    Err(failed.unwrap_or_else(|| garbled("the plan names no broker")))
}

/// Whether another attempt would come to the same.
fn is_final(failure: &Failure) -> bool {
    !matches!(
        failure.class,
        FailureClass::Unreachable | FailureClass::Timeout | FailureClass::Protocol
    )
}

impl Producer {
    /// Makes topics known, by their own names.
    pub(super) fn know(&mut self, topics: &[String]) -> Result<(), Failure> {
        for asked in 0..=MOST_ASKED {
            let is_missing = |topic: &&String| self.topics.place(topic).is_none();
            let missing: Vec<_> = topics.iter().filter(is_missing).cloned().collect();
            if missing.is_empty() {
                return Ok(());
            }
            if asked > 0 {
                self.pause()?;
            }
            let answer = self.ask(&missing);
            self.learned(answer)?;
        }
        Err(self.gave_up("a topic is not told of"))
    }

    /// Sends what is ready, waits for answers, and takes them in.
    pub(super) fn turn(&mut self, milliseconds: u32) -> Result<(), Failure> {
        if self.is_stale || self.topics.lacks_a_leader() {
            self.refresh()?;
        }
        self.send()?;
        let is_waiting = self.leaders.iter().any(|leader| !leader.is_idle());
        if !is_waiting {
            return Ok(());
        }
        let (came, waited) = gather(&mut self.leaders, milliseconds);
        self.waited += waited;
        for (leader, came) in came {
            match came {
                Came::Answer(answer, batches) => self.answered(answer, batches)?,
                Came::Nothing(failure, batches) => self.lost(leader, failure, batches)?,
            }
        }
        // What was acknowledged makes way for what waits.
        self.send()
    }

    fn send(&mut self) -> Result<(), Failure> {
        let mut numbers: Vec<i32> = Vec::new();
        for partition in self.topics.all.iter().flat_map(|topic| &topic.partitions) {
            let leader = partition.leader;
            if partition.is_ready() && leader >= 0 && !numbers.contains(&leader) {
                numbers.push(leader);
            }
        }
        for number in numbers {
            if let Err(failure) = self.send_to(number) {
                self.lost(number, failure, Batches::new())?;
            }
        }
        Ok(())
    }

    fn send_to(&mut self, number: i32) -> Result<(), Failure> {
        if !self.leaders.iter().any(|leader| leader.number == number) {
            let mut places = self.brokers.iter();
            let place = places.find(|place| place.number == number).ok_or_else(|| {
                Failure::new(
                    FailureClass::Unreachable,
                    "the leader of a partition is none of the brokers that the cluster names",
                )
                .with_hint("Look what the cluster's brokers advertise.")
            })?;
            let broker = Broker::further(&self.settings, place)?;
            self.leaders.push(Leader::new(number, broker));
        }
        let mut leaders = self.leaders.iter_mut();
        let Some(leader) = leaders.find(|leader| leader.number == number) else {
            return Ok(());
        };
        if !leader.is_idle() {
            return Ok(());
        }
        if leader.broker.is_aging(self.now) {
            leader.broker.login(&self.settings)?;
        }
        let batches = ready_for(&mut self.topics, number);
        if batches.is_empty() {
            return Ok(());
        }
        match leader.send(&self.topics, batches) {
            Some(Came::Nothing(failure, batches)) => {
                self.put_back(batches);
                Err(failure)
            }
            _ => Ok(()),
        }
    }

    /// Takes in the answer to batches: each is acknowledged, sent again, or refused for good.
    fn answered(
        &mut self,
        answer: kafka_protocol::messages::ProduceResponse,
        batches: Batches,
    ) -> Result<(), Failure> {
        let mut refused = None;
        for (place, batch) in batches {
            let topic = self.topics.all.get(place.0);
            let name = topic.map_or("", |topic| topic.name.as_str());
            let told = answer.responses.iter().find(|it| it.name.as_str() == name);
            let told = told.and_then(|topic| {
                let mut partitions = topic.partition_responses.iter();
                partitions.find(|it| usize::try_from(it.index) == Ok(place.1))
            });
            let error = match told {
                Some(told) => told.error_code,
                // A broker that leaves a partition out has not acknowledged it.
                None => ResponseError::UnknownServerError.code(),
            };
            let what = joined(&["topic ", name]);
            match refusal(error, &what) {
                None => self.acknowledge(place, &batch.numbers, batch.size),
                Some(failure) => {
                    let is_passing = ResponseError::try_from_code(error).is_some_and(is_passing);
                    self.put_back(vec![(place, batch)]);
                    match is_passing {
                        true => {
                            self.is_stale = true;
                            self.last = Some(failure);
                        }
                        false => refused = refused.or(Some(failure)),
                    }
                }
            }
        }
        match refused {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn acknowledge(&mut self, place: (usize, usize), numbers: &[u64], size: usize) {
        for number in numbers {
            self.acknowledged.mark(*number);
        }
        self.held = self.held.saturating_sub(size);
        self.vain = 0;
        self.waited = 0;
        let topic = self.topics.all.get_mut(place.0);
        if let Some(partition) = topic.and_then(|topic| topic.partitions.get_mut(place.1)) {
            partition.is_under_way = false;
        }
    }

    /// A connection is lost; whether its batches are stored is not known, so they go again.
    fn lost(&mut self, leader: i32, failure: Failure, batches: Batches) -> Result<(), Failure> {
        self.put_back(batches);
        self.leaders.retain(|it| it.number != leader);
        self.is_stale = true;
        match is_final(&failure) {
            true => Err(failure),
            false => {
                self.last = Some(failure);
                Ok(())
            }
        }
    }

    fn put_back(&mut self, batches: Batches) {
        for ((topic, partition), batch) in batches {
            let topic = self.topics.all.get_mut(topic);
            if let Some(partition) = topic.and_then(|topic| topic.partitions.get_mut(partition)) {
                partition.is_under_way = false;
                partition.again = Some(batch);
            }
        }
    }

    /// Asks who leads what, after a pause.
    fn refresh(&mut self) -> Result<(), Failure> {
        self.pause()?;
        let names = self.topics.names();
        let asked = self.ask(&names);
        self.is_stale = !self.learned(asked)?;
        Ok(())
    }

    /// What a broker tells of topics. The one that is asked is the one that answered last, then any
    /// other.
    fn ask(&mut self, topics: &[String]) -> Result<Cluster, Failure> {
        let mut control = match self.control.take() {
            Some(mut control) => {
                if control.is_aging(self.now) {
                    control.login(&self.settings)?;
                }
                control
            }
            None => self.dial_any()?,
        };
        let cluster = Cluster::ask(&mut control, topics, true)?;
        self.control = Some(control);
        Ok(cluster)
    }

    fn dial_any(&self) -> Result<Broker, Failure> {
        let failure = match bootstrap(&self.settings) {
            Ok(broker) => return Ok(broker),
            Err(failure) => failure,
        };
        let mut others = self.brokers.iter();
        let found = others.find_map(|place| Broker::further(&self.settings, place).ok());
        found.ok_or(failure)
    }

    /// Takes in what a broker told, or why it did not; whether it did.
    fn learned(&mut self, asked: Result<Cluster, Failure>) -> Result<bool, Failure> {
        let cluster = match asked {
            Ok(cluster) => cluster,
            Err(failure) if is_final(&failure) => return Err(failure),
            Err(failure) => {
                self.last = Some(failure);
                return Ok(false);
            }
        };
        if !cluster.brokers.is_empty() {
            self.brokers = cluster.brokers;
        }
        for (name, found) in &cluster.topics {
            match refusal(found.error, &joined(&["topic ", name])) {
                None if found.leaders.is_empty() => {}
                None => self.topics.learn(name, found),
                Some(failure) => {
                    let error = ResponseError::try_from_code(found.error);
                    if !error.is_some_and(is_passing) {
                        return Err(failure);
                    }
                    self.last = Some(failure);
                }
            }
        }
        Ok(true)
    }

    /// Waits before the next attempt, longer each time, and gives up when there were too many.
    fn pause(&mut self) -> Result<(), Failure> {
        self.vain += 1;
        if self.vain > MOST_VAIN {
            return Err(self.gave_up("the cluster does not settle"));
        }
        // A new leader is told of at once, mostly.
        if self.vain > 1 {
            let doubled = PAUSE_MILLISECONDS << self.vain.min(6);
            let pause = doubled.min(LONGEST_PAUSE_MILLISECONDS);
            wait(&[], pause);
            self.waited += pause;
        }
        Ok(())
    }

    /// Why the last attempt came to nothing.
    fn gave_up(&mut self, otherwise: &str) -> Failure {
        let last = self.last.take();
        last.unwrap_or_else(|| {
            Failure::new(FailureClass::Unreachable, otherwise)
                .with_hint("Look at the cluster's brokers, and try again.")
        })
    }
}
