//! Which brokers and topics there are.

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::{Asked, code};
use crate::cluster::Shared;
use crate::state::State;

/// The answer.
pub(crate) fn metadata(
    asked: &Asked,
    mut body: Bytes,
    shared: &Shared,
    broker: i32,
    error: Option<ResponseError>,
) -> anyhow::Result<Vec<u8>> {
    let request = MetadataRequest::decode(&mut body, asked.version)?;
    let tells_operations = request.include_topic_authorized_operations;
    let state = shared.state();
    let named: Vec<String> = match request.topics {
        None => visible(&state),
        // The oldest version had no other way to ask for all.
        Some(topics) if topics.is_empty() && asked.version == 0 => visible(&state),
        Some(topics) => topics
            .into_iter()
            .filter_map(|topic| topic.name)
            .map(|name| name.to_string())
            .collect(),
    };
    let answer = MetadataResponse::default()
        .with_brokers(brokers(&state, &shared.settings.host))
        .with_cluster_id(Some(StrBytes::from_static_str("portolan-broker")))
        .with_controller_id(BrokerId(broker))
        .with_topics(
            named
                .iter()
                .map(|name| {
                    let found = topic(&state, name, error);
                    match tells_operations {
                        true => found.with_topic_authorized_operations(operations(&state, name)),
                        false => found,
                    }
                })
                .collect(),
        );
    asked.answer(&answer)
}

/// What may be done with a topic, as bits: read, write, describe.
fn operations(state: &State, name: &str) -> i32 {
    let write = if state.read_only.contains(name) {
        0
    } else {
        1 << 4
    };
    1 << 3 | write | 1 << 8
}

fn visible(state: &State) -> Vec<String> {
    let names = state.topics.keys();
    names
        .filter(|name| !state.denied.contains(*name))
        .cloned()
        .collect()
}

fn brokers(state: &State, host: &str) -> Vec<MetadataResponseBroker> {
    let said = state.advertised.clone().unwrap_or_else(|| {
        let living = state.living().into_iter();
        let ports = living.filter_map(|number| {
            let broker = state.brokers.get(usize::try_from(number).ok()?)?;
            Some((number, host.to_owned(), i32::from(broker.address.port())))
        });
        ports.collect()
    });
    said.into_iter()
        .map(|(number, host, port)| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(number))
                .with_host(StrBytes::from_string(host))
                .with_port(port)
        })
        .collect()
}

fn topic(state: &State, name: &str, error: Option<ResponseError>) -> MetadataResponseTopic {
    let error = match (error, state.topics.contains_key(name)) {
        (Some(error), _) => Some(error),
        _ if state.denied.contains(name) => Some(ResponseError::TopicAuthorizationFailed),
        (None, false) => Some(ResponseError::UnknownTopicOrPartition),
        (None, true) => None,
    };
    let partitions = match error {
        Some(_) => None,
        None => state.topics.get(name),
    };
    let living = state.living();
    let partitions = (0..).zip(partitions.into_iter().flatten());
    MetadataResponseTopic::default()
        .with_error_code(code(error))
        .with_name(Some(TopicName(StrBytes::from_string(name.to_owned()))))
        .with_partitions(
            partitions
                .map(|(number, partition)| {
                    let is_led = living.contains(&partition.leader);
                    let leader = if is_led { partition.leader } else { -1 };
                    let error = (!is_led).then_some(ResponseError::LeaderNotAvailable);
                    MetadataResponsePartition::default()
                        .with_error_code(code(error))
                        .with_partition_index(number)
                        .with_leader_id(BrokerId(leader))
                        .with_leader_epoch(partition.epoch)
                        .with_replica_nodes(vec![BrokerId(partition.leader)])
                        .with_isr_nodes(vec![BrokerId(partition.leader)])
                })
                .collect(),
        )
}
