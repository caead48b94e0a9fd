//! Which brokers and topics there are.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{ApiKey, MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use portolan_sdk::{Failure, FailureClass};

use super::{Broker, garbled};

/// No topic has so many partitions that a client could serve them all.
const MOST_PARTITIONS: usize = 10_000;

/// The bit of WRITE among the operations that a user may do.
const WRITE: i32 = 1 << 4;

/// What a broker tells of its cluster.
#[derive(Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) brokers: Vec<Place>,
    /// What was found of each topic that was asked for, by its name.
    pub(crate) topics: Vec<(String, Found)>,
}

/// A broker, as it is advertised.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) number: i32,
    pub(crate) host: String,
    pub(crate) port: i32,
}

/// What a broker tells of a topic.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// 0, or why there is nothing to tell.
    pub(crate) error: i16,
    /// The leader of each partition; below zero where there is none.
    pub(crate) leaders: Vec<i32>,
    /// Whether the user may write, where the broker says so.
    pub(crate) may_write: Option<bool>,
}

impl Cluster {
    /// Asks for the brokers and for these topics. `create` lets the broker create one that is not
    /// there, if it does so.
    pub(crate) fn ask(
        broker: &mut Broker,
        topics: &[String],
        create: bool,
    ) -> Result<Self, Failure> {
        let names = topics.iter().map(|topic| {
            MetadataRequestTopic::default()
                .with_name(Some(TopicName(StrBytes::from_string(topic.clone()))))
        });
        // Later versions name topics by numbers.
        let version = broker.version(ApiKey::Metadata, 4, 9)?;
        let request = MetadataRequest::default()
            .with_topics(Some(names.collect()))
            .with_allow_auto_topic_creation(create)
            .with_include_topic_authorized_operations(version >= 8);
        let answer: MetadataResponse = broker
            .frames
            .ask(ApiKey::Metadata, version, &request)
            .map_err(closed)?;
        let mut cluster = Self::default();
        for broker in answer.brokers {
            cluster.brokers.push(Place {
                number: broker.node_id.0,
                host: broker.host.as_str().to_owned(),
                port: broker.port,
            });
        }
        for topic in answer.topics {
            let name = topic.name.as_ref().map_or("", |name| name.0.as_str());
            cluster.topics.push((name.to_owned(), Found::of(topic)?));
        }
        Ok(cluster)
    }
}

impl Cluster {
    /// What was found of a topic.
    pub(crate) fn topic(&self, name: &str) -> Option<&Found> {
        let mut topics = self.topics.iter();
        topics.find_map(|(known, found)| (known == name).then_some(found))
    }
}

impl Found {
    fn of(topic: MetadataResponseTopic) -> Result<Self, Failure> {
        if topic.partitions.len() > MOST_PARTITIONS {
            return Err(garbled("a topic has more partitions than any"));
        }
        let mut leaders = vec![-1; topic.partitions.len()];
        for partition in topic.partitions {
            let place = usize::try_from(partition.partition_index).ok();
            match place.and_then(|place| leaders.get_mut(place)) {
                Some(leader) => *leader = partition.leader_id.0,
                None => return Err(garbled("the partitions of a topic leave a gap")),
            }
        }
        let told = topic.topic_authorized_operations;
        Ok(Self {
            error: topic.error_code,
            leaders,
            may_write: (told != i32::MIN).then_some(told & WRITE != 0),
        })
    }
}

/// A broker that was not asked to authenticate closes at the first request that needs it.
fn closed(failure: Failure) -> Failure {
    match failure.class {
        FailureClass::Unreachable => failure.with_hint(
            "The broker may want clients to authenticate (sasl_enabled=true), or to show a \
             certificate (client_cert and client_key).",
        ),
        _ => failure,
    }
}
