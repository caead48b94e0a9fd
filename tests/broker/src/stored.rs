//! What was produced, partition by partition.

use bytes::Bytes;
use kafka_protocol::records::{Record, RecordBatchDecoder};

/// One message as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its partition.
    pub partition: i32,
    /// Its place in the partition.
    pub offset: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Option<Bytes>,
    /// Its headers.
    pub headers: Vec<(String, Option<Bytes>)>,
    /// Milliseconds since the Unix epoch, as the client wrote them.
    pub timestamp: i64,
}

/// A partition.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    pub(crate) leader: i32,
    /// How often the leader has changed.
    pub(crate) epoch: i32,
    /// Each batch as it came, with the offsets that it was given, and the offset of its first message.
    batches: Vec<(i64, Bytes)>,
    next: i64,
}

impl Partition {
    pub(crate) fn led_by(leader: i32) -> Self {
        Self {
            leader,
            ..Self::default()
        }
    }

    /// Keeps batches after a look at their checksums and at each message; the offset of the first.
    pub(crate) fn append(&mut self, mut batches: Bytes) -> anyhow::Result<i64> {
        let first = self.next;
        let mut kept = Vec::new();
        let mut next = first;
        while !batches.is_empty() {
            let mut rest = batches.clone();
            let decoded = RecordBatchDecoder::decode(&mut rest)?;
            let batch = batches.split_to(batches.len() - rest.len());
            for (place, record) in decoded.records.iter().enumerate() {
                let expected = i64::try_from(place)?;
                anyhow::ensure!(
                    record.offset - decoded.records[0].offset == expected,
                    "offsets leave a gap"
                );
            }
            // The offset of a batch stands before what its checksum covers.
            let mut placed = batch.to_vec();
            placed[..8].copy_from_slice(&next.to_be_bytes());
            kept.push((next, Bytes::from(placed)));
            next += i64::try_from(decoded.records.len())?;
        }
        self.batches.extend(kept);
        self.next = next;
        Ok(first)
    }

    /// The batches from the one with this offset on, until they are so many bytes; at least one.
    pub(crate) fn read(&self, offset: i64, at_most: usize) -> Bytes {
        let start = self.batches.partition_point(|(first, _)| *first <= offset);
        let mut bytes = Vec::new();
        if offset < self.next {
            for (_, batch) in &self.batches[start.saturating_sub(1)..] {
                if !bytes.is_empty() && bytes.len() + batch.len() > at_most {
                    break;
                }
                bytes.extend_from_slice(batch);
            }
        }
        bytes.into()
    }

    /// The offset that the next message gets.
    pub(crate) fn next(&self) -> i64 {
        self.next
    }

    /// Everything in it.
    pub(crate) fn messages(&self, partition: i32) -> Vec<Stored> {
        let records = self.batches.iter().flat_map(|(_, batch)| {
            let decoded = RecordBatchDecoder::decode(&mut batch.clone());
            decoded.expect("it was decoded before").records
        });
        records.map(|record| stored(partition, record)).collect()
    }
}

fn stored(partition: i32, record: Record) -> Stored {
    let headers = record.headers.into_iter();
    Stored {
        partition,
        offset: record.offset,
        key: record.key,
        value: record.value,
        headers: headers
            .map(|(name, value)| (name.to_string(), value))
            .collect(),
        timestamp: record.timestamp,
    }
}
