//! What changes while a cluster runs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ApiKey;
use tokio::sync::watch;

use crate::cluster::Login;
use crate::fault::{Fault, Rule};
use crate::stored::Partition;

/// The state of a cluster, behind one lock.
pub(crate) struct State {
    pub(crate) brokers: Vec<BrokerState>,
    pub(crate) topics: BTreeMap<String, Vec<Partition>>,
    pub(crate) denied: BTreeSet<String>,
    /// Topics that may be seen and not written.
    pub(crate) read_only: BTreeSet<String>,
    pub(crate) rules: Vec<(Rule, Fault)>,
    /// What is said of brokers instead of the truth.
    pub(crate) advertised: Option<Vec<(i32, String, i32)>>,
    pub(crate) logins: Vec<Login>,
    pub(crate) asked: BTreeMap<(i32, i16), usize>,
    pub(crate) connections: usize,
}

/// One broker.
pub(crate) struct BrokerState {
    pub(crate) address: SocketAddr,
    /// Ends its listener and its connections; none while it is dead.
    pub(crate) life: Option<watch::Sender<()>>,
}

impl State {
    /// What happens to a request, if anything is to.
    pub(crate) fn fault(&mut self, api: ApiKey, broker: i32) -> Option<Fault> {
        *self.asked.entry((broker, api as i16)).or_default() += 1;
        let mut rules = self.rules.iter_mut();
        let found = rules.find_map(|(rule, fault)| rule.applies(api, broker).then_some(fault));
        found.cloned()
    }

    /// Ends a broker. Partitions that it led are led by the next one that lives, if there is one.
    pub(crate) fn kill(&mut self, broker: i32) {
        let Some(dead) = usize::try_from(broker)
            .ok()
            .and_then(|at| self.brokers.get_mut(at))
        else {
            return;
        };
        dead.life = None;
        let living = self.living();
        for (at, partition) in self.topics.values_mut().flatten().enumerate() {
            if partition.leader == broker && !living.is_empty() {
                partition.leader = living[at % living.len()];
                partition.epoch += 1;
            }
        }
    }

    /// A broker lives again, and leads the partitions that are its own.
    pub(crate) fn revive(&mut self, broker: i32, living: BrokerState) {
        let at = usize::try_from(broker).unwrap_or(usize::MAX);
        let Some(place) = self.brokers.get_mut(at) else {
            return;
        };
        *place = living;
        let count = self.brokers.len();
        for partitions in self.topics.values_mut() {
            for partition in partitions.iter_mut().skip(at).step_by(count) {
                partition.leader = broker;
                partition.epoch += 1;
            }
        }
    }

    pub(crate) fn living(&self) -> Vec<i32> {
        let brokers = (0..).zip(&self.brokers);
        brokers
            .filter_map(|(number, broker)| broker.life.is_some().then_some(number))
            .collect()
    }

    /// A partition that this broker leads, or the error that a client gets.
    pub(crate) fn led(
        &mut self,
        broker: i32,
        topic: &str,
        partition: i32,
    ) -> Result<&mut Partition, ResponseError> {
        if self.denied.contains(topic) {
            return Err(ResponseError::TopicAuthorizationFailed);
        }
        let partitions = self.topics.get_mut(topic);
        let at = usize::try_from(partition).ok();
        let found = partitions.and_then(|partitions| partitions.get_mut(at?));
        match found {
            None => Err(ResponseError::UnknownTopicOrPartition),
            Some(partition) if partition.leader != broker => {
                Err(ResponseError::NotLeaderOrFollower)
            }
            Some(partition) => Ok(partition),
        }
    }
}
