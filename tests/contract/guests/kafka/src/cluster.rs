//! Which brokers and topics there are.

use std::collections::BTreeMap;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiKey, MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::bindings::portolan::types::types::{Failure, PlanEntry};
use crate::broker::Broker;
use crate::frame::accepted;
use crate::plans::read;

/// What a broker tells of its cluster.
#[derive(Default)]
pub(crate) struct Cluster {
    /// Host and port by the number of the broker.
    pub(crate) brokers: BTreeMap<i32, (String, i32)>,
    /// The leader of each partition by the name of the topic.
    pub(crate) topics: BTreeMap<String, Vec<i32>>,
}

impl Cluster {
    /// Asks for the brokers and for these topics; a topic that is denied or absent is a failure.
    pub(crate) fn ask(broker: &mut Broker, topics: &[String]) -> Result<Self, Failure> {
        let names = topics.iter().map(|topic| {
            MetadataRequestTopic::default()
                .with_name(Some(TopicName(StrBytes::from_string(topic.clone()))))
        });
        let request = MetadataRequest::default()
            .with_topics(Some(names.collect()))
            .with_allow_auto_topic_creation(false);
        // Later versions name topics by numbers.
        let version = broker.version(ApiKey::Metadata, 4, 9)?;
        let answer: MetadataResponse = broker.frames.ask(ApiKey::Metadata, version, &request)?;
        let mut cluster = Self::default();
        for broker in answer.brokers {
            let address = (broker.host.to_string(), broker.port);
            cluster.brokers.insert(broker.node_id.0, address);
        }
        for topic in answer.topics {
            let name = topic
                .name
                .map(|name| name.0.to_string())
                .unwrap_or_default();
            accepted(topic.error_code, &format!("topic {name}"))?;
            let mut leaders = vec![-1; topic.partitions.len()];
            for partition in topic.partitions {
                let place = usize::try_from(partition.partition_index).ok();
                if let Some(leader) = place.and_then(|place| leaders.get_mut(place)) {
                    *leader = partition.leader_id.0;
                }
            }
            cluster.topics.insert(name, leaders);
        }
        Ok(cluster)
    }
}

/// The topic that a message's topic becomes.
pub(crate) fn topic(plan: &[PlanEntry], named: &str) -> String {
    let name = read(plan, "topic-name").unwrap_or(named);
    format!("{}{name}", read(plan, "topic-prefix").unwrap_or_default())
}
