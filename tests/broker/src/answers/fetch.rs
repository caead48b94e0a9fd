//! Messages that a client reads: enough for a consumer that is told its partitions.

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{
    FetchRequest, FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    ListOffsetsRequest, ListOffsetsResponse,
};
use kafka_protocol::protocol::Decodable;

use super::{Asked, code};
use crate::cluster::Shared;

/// The timestamp that asks for the beginning of a partition.
const EARLIEST: i64 = -2;

/// What is there from an offset on. It does not wait for more.
pub(crate) fn fetch(
    asked: &Asked,
    mut body: Bytes,
    shared: &Shared,
    broker: i32,
    error: Option<ResponseError>,
) -> anyhow::Result<Vec<u8>> {
    let request = FetchRequest::decode(&mut body, asked.version)?;
    let mut state = shared.state();
    let mut topics = Vec::new();
    for topic in request.topics {
        let mut partitions = Vec::new();
        for wanted in topic.partitions {
            let at_most = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
            let led = match error {
                Some(error) => Err(error),
                None => state.led(broker, topic.topic.as_str(), wanted.partition),
            };
            let found = led.and_then(|partition| match wanted.fetch_offset {
                offset if offset < 0 || offset > partition.next() => {
                    Err(ResponseError::OffsetOutOfRange)
                }
                offset => Ok((partition.next(), partition.read(offset, at_most))),
            });
            let data = PartitionData::default().with_partition_index(wanted.partition);
            partitions.push(match found {
                Err(error) => data.with_error_code(code(Some(error))),
                Ok((next, records)) => data
                    .with_high_watermark(next)
                    .with_last_stable_offset(next)
                    .with_records(Some(records)),
            });
        }
        topics.push(
            FetchableTopicResponse::default()
                .with_topic(topic.topic)
                .with_partitions(partitions),
        );
    }
    asked.answer(&FetchResponse::default().with_responses(topics))
}

/// The beginning or the end of partitions.
pub(crate) fn list_offsets(
    asked: &Asked,
    mut body: Bytes,
    shared: &Shared,
    broker: i32,
    error: Option<ResponseError>,
) -> anyhow::Result<Vec<u8>> {
    let request = ListOffsetsRequest::decode(&mut body, asked.version)?;
    let mut state = shared.state();
    let mut topics = Vec::new();
    for topic in request.topics {
        let mut partitions = Vec::new();
        for wanted in topic.partitions {
            let led = match error {
                Some(error) => Err(error),
                None => state.led(broker, topic.name.as_str(), wanted.partition_index),
            };
            let found = led.map(|partition| match wanted.timestamp {
                EARLIEST => 0,
                _ => partition.next(),
            });
            partitions.push(
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(wanted.partition_index)
                    .with_error_code(code(found.as_ref().err().copied()))
                    .with_offset(found.unwrap_or(-1)),
            );
        }
        topics.push(
            ListOffsetsTopicResponse::default()
                .with_name(topic.name)
                .with_partitions(partitions),
        );
    }
    asked.answer(&ListOffsetsResponse::default().with_topics(topics))
}

/// There are no groups of consumers here.
pub(crate) fn find_coordinator(asked: &Asked, mut body: Bytes) -> anyhow::Result<Vec<u8>> {
    FindCoordinatorRequest::decode(&mut body, asked.version)?;
    let error = ResponseError::CoordinatorNotAvailable;
    asked.answer(&FindCoordinatorResponse::default().with_error_code(error.code()))
}
