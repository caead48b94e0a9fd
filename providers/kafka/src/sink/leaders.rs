//! Connections to the leaders of partitions, each with at most one request under way.

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ApiKey, ProduceRequest, ProduceResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use portolan_sdk::Failure;
use portolan_sdk::lent::net::wait;

use super::batch::Batch;
use super::topics::Topics;
use crate::wire::Broker;

/// Every replica that is in sync.
const ALL: i16 = -1;

/// How long the replicas may take.
const REPLICATION_MILLISECONDS: i32 = 10_000;

/// One request has no more, but for a batch that is larger by itself.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A broker that does not answer within this time is given up.
const SILENCE_MILLISECONDS: u32 = 15_000;

/// Batches by the places of their topics and partitions.
pub(crate) type Batches = Vec<((usize, usize), Batch)>;

/// A connection to a leader.
pub(crate) struct Leader {
    pub(crate) number: i32,
    pub(crate) broker: Broker,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    version: i16,
    batches: Batches,
    waited: u32,
}

/// What came of a request.
pub(crate) enum Came {
    /// The answer, and what was sent.
    Answer(ProduceResponse, Batches),
    /// Nothing that can be relied on: whether the batches are stored is not known.
    Nothing(Failure, Batches),
}

impl Leader {
    pub(crate) fn new(number: i32, broker: Broker) -> Self {
        Self {
            number,
            broker,
            under_way: None,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    /// Sends batches; what came of it at once where that fails.
    pub(crate) fn send(&mut self, topics: &Topics, batches: Batches) -> Option<Came> {
        match self.write(topics, &batches) {
            Ok(version) => {
                self.under_way = Some(UnderWay {
                    version,
                    batches,
                    waited: 0,
                });
                None
            }
            Err(failure) => Some(Came::Nothing(failure, batches)),
        }
    }

    fn write(&mut self, topics: &Topics, batches: &Batches) -> Result<i16, Failure> {
        let version = self.broker.version(ApiKey::Produce, 3, 9)?;
        let request = request(topics, batches);
        let size = batches.iter().map(|(_, batch)| batch.bytes.len() + 300);
        let frames = &mut self.broker.frames;
        frames.send(ApiKey::Produce, version, &request, size.sum())?;
        Ok(version)
    }

    /// Looks whether the answer has come, after a wait of so many milliseconds.
    fn look(&mut self, waited: u32) -> Option<Came> {
        let under_way = self.under_way.as_mut()?;
        let failure = match self.broker.frames.answered(under_way.version) {
            Ok(Some(answer)) => {
                let batches = self.under_way.take()?.batches;
                return Some(Came::Answer(answer, batches));
            }
            Ok(None) => {
                under_way.waited += waited;
                if under_way.waited < SILENCE_MILLISECONDS {
                    return None;
                }
                Failure::new(
                    portolan_sdk::FailureClass::Timeout,
                    "a broker does not answer",
                )
                .with_hint("Look whether the broker is overloaded, or its replicas out of sync.")
            }
            Err(failure) => failure,
        };
        let batches = self.under_way.take()?.batches;
        Some(Came::Nothing(failure, batches))
    }
}

/// Waits until a leader has answered, and gathers what has come from which; and how long it waited
/// in vain.
pub(crate) fn gather(leaders: &mut [Leader], milliseconds: u32) -> (Vec<(i32, Came)>, u32) {
    let asked: Vec<_> = leaders.iter().filter(|leader| !leader.is_idle()).collect();
    let connections: Vec<_> = asked
        .iter()
        .map(|leader| leader.broker.frames.connection())
        .collect();
    let waited = match wait(&connections, milliseconds).is_empty() {
        true => milliseconds,
        false => 0,
    };
    let looked = leaders.iter_mut();
    let came = looked.filter_map(|leader| Some((leader.number, leader.look(waited)?)));
    (came.collect(), waited)
}

/// Takes what is ready for a leader, as much as goes into one request.
pub(crate) fn ready_for(topics: &mut Topics, leader: i32) -> Batches {
    let mut batches = Vec::new();
    let mut size = 0;
    for (topic, found) in topics.all.iter_mut().enumerate() {
        for (place, partition) in found.partitions.iter_mut().enumerate() {
            if partition.leader != leader || !partition.is_ready() {
                continue;
            }
            if size >= MOST_BYTES {
                return batches;
            }
            let batch = match partition.again.take() {
                Some(batch) => Some(batch),
                None => partition.waiting.take(),
            };
            if let Some(batch) = batch {
                size += batch.size;
                partition.is_under_way = true;
                batches.push(((topic, place), batch));
            }
        }
    }
    batches
}

fn request(topics: &Topics, batches: &Batches) -> ProduceRequest {
    let mut data: Vec<(usize, TopicProduceData)> = Vec::new();
    for ((topic, partition), batch) in batches {
        let index = i32::try_from(*partition).unwrap_or(i32::MAX);
        let partition = PartitionProduceData::default()
            .with_index(index)
            .with_records(Some(Bytes::clone(&batch.bytes)));
        // They come topic by topic.
        match data.last_mut() {
            Some((last, data)) if last == topic => data.partition_data.push(partition),
            _ => {
                let name = topics.all.get(*topic).map(|topic| topic.name.clone());
                let name = TopicName(StrBytes::from_string(name.unwrap_or_default()));
                let one = TopicProduceData::default()
                    .with_name(name)
                    .with_partition_data(vec![partition]);
                data.push((*topic, one));
            }
        }
    }
    ProduceRequest::default()
        .with_acks(ALL)
        .with_timeout_ms(REPLICATION_MILLISECONDS)
        .with_topic_data(data.into_iter().map(|(_, data)| data).collect())
}
