//! Messages that a client sends.

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::Decodable;

use super::{Asked, code};
use crate::cluster::Shared;
use crate::settings::MAX_BATCH_BYTES;
use crate::state::State;

/// The answer, where the client wants one.
pub(crate) fn produce(
    asked: &Asked,
    mut body: Bytes,
    shared: &Shared,
    broker: i32,
    error: Option<ResponseError>,
) -> anyhow::Result<Option<Vec<u8>>> {
    let request = ProduceRequest::decode(&mut body, asked.version)?;
    let mut state = shared.state();
    let mut topics = Vec::new();
    for topic in request.topic_data {
        let mut partitions = Vec::new();
        for data in topic.partition_data {
            let kept = match (error, request.acks) {
                (Some(error), _) => Err(error),
                (None, -1..=1) => keep(
                    &mut state,
                    broker,
                    topic.name.as_str(),
                    data.index,
                    data.records,
                ),
                (None, _) => Err(ResponseError::InvalidRequiredAcks),
            };
            partitions.push(
                PartitionProduceResponse::default()
                    .with_index(data.index)
                    .with_error_code(code(kept.err()))
                    .with_base_offset(kept.unwrap_or(-1))
                    .with_log_append_time_ms(-1),
            );
        }
        topics.push(
            TopicProduceResponse::default()
                .with_name(topic.name)
                .with_partition_responses(partitions),
        );
    }
    if request.acks == 0 {
        return Ok(None);
    }
    let answer = ProduceResponse::default().with_responses(topics);
    asked.answer(&answer).map(Some)
}

fn keep(
    state: &mut State,
    broker: i32,
    topic: &str,
    partition: i32,
    batches: Option<Bytes>,
) -> Result<i64, ResponseError> {
    if state.read_only.contains(topic) {
        return Err(ResponseError::TopicAuthorizationFailed);
    }
    let partition = state.led(broker, topic, partition)?;
    let batches = batches.unwrap_or_default();
    if batches.len() > MAX_BATCH_BYTES {
        return Err(ResponseError::MessageTooLarge);
    }
    partition
        .append(batches)
        .map_err(|_| ResponseError::CorruptMessage)
}
