//! Records, written into the bytes of a batch as soon as messages come.
//!
//! `kafka-protocol` writes a batch of records that are all held as objects, each with parts that were
//! allocated, and goes over them several times; this writes each message once. What it wrote is read
//! by that crate in the tests, here and in those of the cluster.
//!
//! The format is Kafka's record batch of version 2 (`DefaultRecordBatch` and `DefaultRecord` of its
//! own client).

use crc32c::crc32c;
use portolan_sdk::Message;

/// Below what brokers take of a batch by default, its own head included.
pub(super) const MOST_BYTES: usize = 900 * 1024;

/// What stands before the records of a batch.
const HEAD: usize = 61;

/// What the length in the head does not cover: the offset before it, and itself.
const BEFORE_LENGTH: usize = 12;

/// What the checksum does not cover: everything up to its own end.
const BEFORE_CHECKSUM: usize = 21;

/// The version of the format.
const MAGIC: u8 = 2;

/// There is none: of an epoch, a producer, a sequence, a time.
const NONE: i64 = -1;

/// The bytes of a batch that grows.
#[derive(Debug)]
pub(super) struct Records {
    /// The head, which is filled in at the end, and the records.
    bytes: Vec<u8>,
    count: i32,
    first: i64,
    latest: i64,
}

impl Records {
    /// A batch that begins with the time of its first message.
    pub(super) fn new(first: &Message) -> Self {
        let first = time(first);
        Self {
            bytes: vec![0; HEAD],
            count: 0,
            first,
            latest: first,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether a record of such a length goes into the batch. The first one does in any case.
    pub(super) fn have_room_for(&self, length: usize) -> bool {
        self.bytes.len() + part(length) <= MOST_BYTES
    }

    /// The length of a message as the next record, which stands before it.
    pub(super) fn length_of(&self, message: &Message) -> usize {
        let headers: usize = message
            .headers
            .iter()
            .map(|(name, value)| part(name.len()) + part(value.len()))
            .sum();
        // Its attributes, then its time and its place as they differ from those of the batch.
        1 + width(time(message).wrapping_sub(self.first))
            + width(i64::from(self.count))
            + message.key.as_ref().map_or(1, |key| part(key.len()))
            + part(message.value.len())
            + width(signed(message.headers.len()))
            + headers
    }

    /// Writes a message as the next record, whose length is known.
    pub(super) fn push(&mut self, message: &Message, length: usize) {
        let time = time(message);
        let needed = self.bytes.len() + part(length);
        if needed > self.bytes.capacity() {
            // It doubles, but not beyond what a batch can have: many are held at once.
            let room = (2 * needed).min(MOST_BYTES).max(needed);
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        let bytes = &mut self.bytes;
        put(bytes, signed(length));
        bytes.push(0);
        put(bytes, time.wrapping_sub(self.first));
        put(bytes, i64::from(self.count));
        match &message.key {
            Some(key) => put_part(bytes, key),
            None => put(bytes, NONE),
        }
        put_part(bytes, &message.value);
        put(bytes, signed(message.headers.len()));
        for (name, value) in &message.headers {
            put_part(bytes, name.as_bytes());
            put_part(bytes, value);
        }
        self.latest = self.latest.max(time);
        self.count += 1;
    }

    /// The whole batch.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        let length = u32::try_from(bytes.len() - BEFORE_LENGTH).unwrap_or(u32::MAX);
        let none = NONE.to_be_bytes();
        let fields: [&[u8]; 13] = [
            // The offset of its first record, which is the broker's to say.
            &0_i64.to_be_bytes(),
            &length.to_be_bytes(),
            // The epoch of the partition's leader.
            &none[..4],
            &[MAGIC],
            // The checksum follows below.
            &[0; 4],
            // Attributes: no compression, and times are those of the messages.
            &[0; 2],
            &(self.count - 1).to_be_bytes(),
            &self.first.to_be_bytes(),
            &self.latest.to_be_bytes(),
            // The number and the epoch of the producer, and the sequence.
            &none,
            &none[..2],
            &none[..4],
            &self.count.to_be_bytes(),
        ];
        let head = bytes.iter_mut().zip(fields.into_iter().flatten());
        head.for_each(|(byte, field)| *byte = *field);
        let checksum = crc32c(&bytes[BEFORE_CHECKSUM..]).to_be_bytes();
        bytes[BEFORE_CHECKSUM - checksum.len()..BEFORE_CHECKSUM].copy_from_slice(&checksum);
        bytes
    }
}

/// Milliseconds, or that there are none.
fn time(message: &Message) -> i64 {
    match message.timestamp {
        0 => NONE,
        time => i64::try_from(time).unwrap_or(NONE),
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Zigzag: small numbers of either sign have few bits.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// How many bytes a number takes, of which each holds seven bits.
fn width(number: i64) -> usize {
    let bits = u64::BITS - (zigzag(number) | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Writes a number, of which most are small.
#[inline]
fn put(bytes: &mut Vec<u8>, number: i64) {
    let mut rest = zigzag(number);
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

/// How many bytes a part takes with its length.
fn part(length: usize) -> usize {
    width(signed(length)) + length
}

fn put_part(bytes: &mut Vec<u8>, part: &[u8]) {
    put(bytes, signed(part.len()));
    bytes.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use kafka_protocol::records::{Compression, NO_SEQUENCE, RecordBatchDecoder, TimestampType};

    use super::*;

    fn message(key: Option<usize>, value: usize, timestamp: u64) -> Message {
        Message {
            topic: "t".to_owned(),
            key: key.map(|length| vec![b'k'; length]),
            value: vec![b'v'; value],
            headers: Vec::new(),
            timestamp,
        }
    }

    fn batch(messages: &[Message]) -> Bytes {
        let mut records = Records::new(&messages[0]);
        for message in messages {
            let before = records.len();
            let length = records.length_of(message);
            records.push(message, length);
            assert_eq!(records.len(), before + part(length));
            assert!(records.bytes.capacity() <= records.len().max(MOST_BYTES));
        }
        records.finish().into()
    }

    #[test]
    fn the_library_reads_what_is_written() {
        let mut messages = vec![
            message(Some(3), 10, 1_700_000_000_000),
            message(None, 0, 1_700_000_000_001),
            message(Some(0), 63, 1_699_999_999_000),
            message(Some(64), 8_192, 0),
            message(Some(1), 2_000_000, 1_700_000_100_000),
        ];
        messages[1].headers = vec![
            ("a".to_owned(), b"1".to_vec()),
            ("long".repeat(40), Vec::new()),
        ];
        let mut bytes = batch(&messages);
        let decoded = RecordBatchDecoder::decode(&mut bytes).expect("a batch");
        assert!(bytes.is_empty(), "nothing is left");
        assert_eq!(decoded.compression, Compression::None);
        assert_eq!(decoded.records.len(), messages.len());
        for (place, (record, message)) in (0..).zip(decoded.records.iter().zip(&messages)) {
            assert_eq!(record.offset, place);
            assert_eq!(record.sequence, NO_SEQUENCE.wrapping_add(place as i32));
            assert_eq!(record.timestamp_type, TimestampType::Creation);
            assert_eq!(record.timestamp, time(message));
            assert_eq!(record.key.as_deref(), message.key.as_deref());
            assert_eq!(record.value.as_deref(), Some(&*message.value));
            let headers = record.headers.iter();
            let headers = headers.map(|(name, value)| (name.to_string(), value.clone()));
            let expected = message.headers.iter();
            let expected =
                expected.map(|(name, value)| (name.clone(), Some(Bytes::copy_from_slice(value))));
            assert_eq!(
                headers.collect::<Vec<_>>(),
                expected.collect::<Vec<_>>(),
                "of message {place}"
            );
        }
    }

    #[test]
    fn numbers_take_as_many_bytes_as_is_said_and_are_read_back() {
        for number in [0, 1, -1, 63, 64, -64, -65, 8_191, 8_192, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(bytes.len(), width(number), "{number}");
            let read = bytes
                .iter()
                .rev()
                .fold(0_u64, |read, byte| read << 7 | u64::from(byte & 0x7f));
            let read = (read >> 1).cast_signed() ^ -(read & 1).cast_signed();
            assert_eq!(read, number);
        }
    }

    /// A header may come twice; the library would read one of the two.
    #[test]
    fn headers_of_one_name_are_all_written() {
        let mut message = message(None, 1, 1);
        let header = |value: &[u8]| ("name".to_owned(), value.to_vec());
        message.headers = vec![header(b"first"), header(b"second")];
        let bytes = batch(&[message]);
        let expected = b"\x04\x08name\x0afirst\x08name\x0csecond";
        assert!(bytes.ends_with(expected), "{bytes:?}");
    }
}
