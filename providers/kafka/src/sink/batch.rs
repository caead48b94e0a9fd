//! Messages as records, and records as the bytes of a batch.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE,
    NO_TIMESTAMP, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use portolan_sdk::{Failure, FailureClass, Message};

use crate::wire::unwritable;

/// What a record has besides its key, value and headers, and what holding it costs, at most.
const OVERHEAD: usize = 96;

/// Below what brokers take of a batch by default, its own head included.
pub(crate) const MOST_BYTES: usize = 900 * 1024;

/// A message that waits to be sent.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) number: u64,
    pub(crate) size: usize,
    record: Record,
}

/// Messages as they are sent, and sent again: the same bytes.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) bytes: Bytes,
    pub(crate) numbers: Vec<u64>,
    pub(crate) size: usize,
}

impl Waiting {
    /// A message as a record.
    ///
    /// # Errors
    ///
    /// It has two headers of one name, of which one would be lost.
    pub(crate) fn new(number: u64, message: Message) -> Result<Self, Failure> {
        let count = message.headers.len();
        let mut size = OVERHEAD + message.value.len() + message.key.as_ref().map_or(0, Vec::len);
        let mut record = Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            timestamp_type: TimestampType::Creation,
            offset: 0,
            sequence: NO_SEQUENCE,
            timestamp: match message.timestamp {
                0 => NO_TIMESTAMP,
                time => i64::try_from(time).unwrap_or(NO_TIMESTAMP),
            },
            key: message.key.map(Into::into),
            value: Some(message.value.into()),
            headers: Default::default(),
        };
        for (name, value) in message.headers {
            size += name.len() + value.len() + 10;
            let name = StrBytes::from_string(name);
            record.headers.insert(name, Some(value.into()));
        }
        match record.headers.len() == count {
            true => Ok(Self {
                number,
                size,
                record,
            }),
            false => Err(Failure::new(
                FailureClass::Unsupported,
                "a message has two headers of one name, which this provider cannot send",
            )
            .with_hint("Give each header of a message a name of its own.")),
        }
    }
}

impl Batch {
    /// The first messages of a queue, as many as go together; none of an empty one.
    pub(crate) fn take(
        queue: &mut std::collections::VecDeque<Waiting>,
    ) -> Result<Option<Self>, Failure> {
        let mut size = 0;
        let mut count = 0;
        for waiting in queue.iter() {
            if count > 0 && size + waiting.size > MOST_BYTES {
                break;
            }
            size += waiting.size;
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        let mut numbers = Vec::with_capacity(count);
        let mut records = Vec::with_capacity(count);
        for (place, waiting) in (0..).zip(queue.drain(..count)) {
            numbers.push(waiting.number);
            let mut record = waiting.record;
            record.offset = i64::from(place);
            // The first of a batch has none, which is what a producer without a number writes.
            record.sequence = NO_SEQUENCE + place;
            records.push(record);
        }
        let options = RecordEncodeOptions {
            version: 2,
            compression: Compression::None,
        };
        let mut bytes = BytesMut::with_capacity(size + OVERHEAD);
        RecordBatchEncoder::encode(&mut bytes, &records, &options).map_err(unwritable)?;
        Ok(Some(Self {
            bytes: bytes.freeze(),
            numbers,
            size,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use kafka_protocol::records::RecordBatchDecoder;

    use super::*;

    fn message(value: usize, headers: &[&str]) -> Message {
        Message {
            topic: "t".to_owned(),
            key: Some(b"key".to_vec()),
            value: vec![b'v'; value],
            headers: headers
                .iter()
                .map(|name| ((*name).to_owned(), b"h".to_vec()))
                .collect(),
            timestamp: 1_700_000_000_000,
        }
    }

    fn queue(sizes: &[usize]) -> VecDeque<Waiting> {
        let messages = (0..).zip(sizes);
        messages
            .map(|(number, size)| Waiting::new(number, message(*size, &["a", "b"])).expect("one"))
            .collect()
    }

    #[test]
    fn messages_go_together_up_to_what_brokers_take_and_keep_their_order() {
        let mut waiting = queue(&[200_000; 10]);
        let mut numbers = Vec::new();
        while let Some(batch) = Batch::take(&mut waiting).expect("a batch") {
            assert!(batch.bytes.len() <= batch.size + OVERHEAD, "one allocation");
            assert!(batch.bytes.len() < 1_048_588);
            let decoded = RecordBatchDecoder::decode(&mut batch.bytes.clone()).expect("a batch");
            assert_eq!(decoded.records.len(), batch.numbers.len());
            assert_eq!(decoded.records[0].sequence, NO_SEQUENCE);
            assert_eq!(decoded.records[0].timestamp, 1_700_000_000_000);
            assert_eq!(decoded.records[0].headers.len(), 2);
            numbers.extend(batch.numbers);
        }
        assert_eq!(numbers, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_message_that_is_too_large_for_company_goes_alone() {
        let mut waiting = queue(&[10, 2_000_000, 10]);
        let mut counts = Vec::new();
        while let Some(batch) = Batch::take(&mut waiting).expect("a batch") {
            counts.push(batch.numbers.len());
        }
        assert_eq!(counts, [1, 1, 1]);
    }

    #[test]
    fn no_header_is_lost_without_a_word() {
        assert!(Waiting::new(0, message(1, &["a", "a"])).is_err());
    }
}
