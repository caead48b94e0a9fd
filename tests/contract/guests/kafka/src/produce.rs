//! Messages become batches for the leaders of their partitions; answers become a count.

use std::collections::BTreeMap;

use bytes::BytesMut;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ApiKey, ProduceRequest, ProduceResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record,
    RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};

use crate::bindings::exports::portolan::provider::sink::Message;
use crate::bindings::portolan::host::net::{connect, wait};
use crate::bindings::portolan::types::types::{Failure, FailureClass, PlanEntry};
use crate::broker::{Broker, encrypted};
use crate::cluster::{Cluster, topic};
use crate::frame::{accepted, garbled, unwritable};
use crate::plans::{TLS, endpoints};
use crate::step::failed;

const WAIT_MILLISECONDS: u32 = 10_000;
const ALL_REPLICAS: i16 = -1;

/// The records of each topic and partition.
type Batches = BTreeMap<(String, i32), Vec<Record>>;

/// A sink that is open.
pub(crate) struct Producer {
    plan: Vec<PlanEntry>,
    bootstrap: Broker,
    cluster: Cluster,
    leaders: BTreeMap<i32, Broker>,
    emitted: u64,
}

impl Producer {
    /// Connects to the first bootstrap broker that answers, and authenticates.
    pub(crate) fn open(plan: Vec<PlanEntry>) -> Result<Self, Failure> {
        let mut bootstrap = bootstrap(&plan)?;
        bootstrap.login(&plan)?;
        Ok(Self {
            plan,
            bootstrap,
            cluster: Cluster::default(),
            leaders: BTreeMap::new(),
            emitted: 0,
        })
    }

    /// Sends everything and waits until every replica has it.
    pub(crate) fn emit(&mut self, messages: Vec<Message>) -> Result<u64, Failure> {
        let count = messages.len() as u64;
        let mut versions = BTreeMap::new();
        for (leader, batches) in self.sorted(messages)? {
            let broker = self.leader(leader)?;
            let version = broker.version(ApiKey::Produce, 3, 9)?;
            let request = request(&batches)?;
            broker.frames.send(ApiKey::Produce, version, &request)?;
            versions.insert(leader, version);
        }
        while !versions.is_empty() {
            for leader in self.ready(&versions)? {
                let (Some(version), Some(broker)) =
                    (versions.remove(&leader), self.leaders.get_mut(&leader))
                else {
                    continue;
                };
                let answer: ProduceResponse = broker.frames.answer(version)?;
                for topic in answer.responses {
                    for partition in topic.partition_responses {
                        accepted(partition.error_code, topic.name.as_str())?;
                    }
                }
            }
        }
        self.emitted += count;
        Ok(self.emitted)
    }

    /// Everything emitted: `emit` waits.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.emitted
    }

    /// Closes every connection.
    pub(crate) fn close(self) -> Result<(), Failure> {
        for broker in self.leaders.values() {
            broker.frames.connection.close()?;
        }
        self.bootstrap.frames.connection.close()
    }

    /// The batches of each leader.
    fn sorted(&mut self, messages: Vec<Message>) -> Result<BTreeMap<i32, Batches>, Failure> {
        let mut sorted: BTreeMap<i32, Batches> = BTreeMap::new();
        for (place, message) in messages.into_iter().enumerate() {
            let topic = topic(&self.plan, &message.topic);
            if !self.cluster.topics.contains_key(&topic) {
                let news = Cluster::ask(&mut self.bootstrap, std::slice::from_ref(&topic))?;
                self.cluster.brokers.extend(news.brokers);
                self.cluster.topics.extend(news.topics);
            }
            let leaders = self.cluster.topics.get(&topic).map(Vec::as_slice);
            let leaders = leaders.unwrap_or_default();
            let partition = match &message.key {
                Some(key) => (murmur2(key) & 0x7fff_ffff) as usize,
                None => self.emitted as usize + place,
            };
            let partition = partition.checked_rem(leaders.len());
            let leader = partition.and_then(|partition| leaders.get(partition));
            let (Some(partition), Some(&leader)) = (partition, leader) else {
                return Err(garbled("a topic without partitions"));
            };
            let batches = sorted.entry(leader).or_default();
            let records = batches.entry((topic, partition as i32)).or_default();
            records.push(record(records.len(), message));
        }
        Ok(sorted)
    }

    /// The connection to a leader, dialled at its first batch.
    fn leader(&mut self, number: i32) -> Result<&mut Broker, Failure> {
        if !self.leaders.contains_key(&number) {
            let Some((host, port)) = self.cluster.brokers.get(&number) else {
                return Err(failed(
                    FailureClass::Unreachable,
                    "a partition has no leader at the moment",
                ));
            };
            let broker = Broker::further(&self.plan, host, *port)?;
            self.leaders.insert(number, broker);
        }
        self.leaders
            .get_mut(&number)
            .ok_or_else(|| garbled("no leader"))
    }

    /// The leaders that have answered, of those that were asked.
    fn ready(&self, asked: &BTreeMap<i32, i16>) -> Result<Vec<i32>, Failure> {
        let waiting: Vec<_> = self
            .leaders
            .iter()
            .filter(|(leader, _)| asked.contains_key(leader))
            .collect();
        let connections: Vec<_> = waiting
            .iter()
            .map(|(_, broker)| &broker.frames.connection)
            .collect();
        let places = wait(&connections, WAIT_MILLISECONDS);
        if places.is_empty() {
            return Err(failed(FailureClass::Timeout, "no broker acknowledges"));
        }
        let ready = places
            .iter()
            .filter_map(|place| waiting.get(*place as usize));
        Ok(ready.map(|(leader, _)| **leader).collect())
    }
}

/// The first bootstrap broker that can be dialled, after TLS and its versions.
fn bootstrap(plan: &[PlanEntry]) -> Result<Broker, Failure> {
    let mut last = garbled("no broker in the plan");
    for number in 0..endpoints(plan).len() as u32 {
        match connect(number) {
            Ok(connection) => {
                if encrypted(plan) {
                    connection.start_tls(TLS, &[])?;
                }
                return Broker::greet(connection);
            }
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

fn request(batches: &Batches) -> Result<ProduceRequest, Failure> {
    let mut topics = Vec::new();
    for ((topic, partition), records) in batches {
        let options = RecordEncodeOptions {
            version: 2,
            compression: Compression::None,
        };
        let mut bytes = BytesMut::new();
        RecordBatchEncoder::encode(&mut bytes, records, &options).map_err(unwritable)?;
        let data = PartitionProduceData::default()
            .with_index(*partition)
            .with_records(Some(bytes.freeze()));
        topics.push(
            TopicProduceData::default()
                .with_name(TopicName(StrBytes::from_string(topic.clone())))
                .with_partition_data(vec![data]),
        );
    }
    Ok(ProduceRequest::default()
        .with_acks(ALL_REPLICAS)
        .with_timeout_ms(WAIT_MILLISECONDS as i32)
        .with_topic_data(topics))
}

fn record(place: usize, message: Message) -> Record {
    let headers = message.headers.into_iter();
    Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        timestamp_type: TimestampType::Creation,
        offset: place as i64,
        // The first of a batch then has none, which is what a producer without a number writes.
        sequence: NO_SEQUENCE + place as i32,
        timestamp: message.timestamp as i64,
        key: message.key.map(Into::into),
        value: Some(message.value.into()),
        headers: headers
            .map(|(name, value)| (StrBytes::from_string(name), Some(value.into())))
            .collect(),
    }
}

/// The hash by which Kafka's own clients choose a partition, so that a key stays where it is.
fn murmur2(key: &[u8]) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ key.len() as u32;
    let (words, rest) = key.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        word ^= word >> 24;
        hash = hash.wrapping_mul(FACTOR) ^ word.wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let last = rest
            .iter()
            .rev()
            .fold(0, |last, byte| last << 8 | u32::from(*byte));
        hash = (hash ^ last).wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> 15
}
