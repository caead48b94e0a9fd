//! Batches: messages that go to a partition together.

use std::collections::VecDeque;

use bytes::Bytes;
use portolan_sdk::Message;

use super::records::Records;

/// What is held of a message besides its bytes in the batch.
const NUMBER: usize = size_of::<u64>();

/// Messages that wait to be sent, in the batches that they will go in. Only the last one grows.
#[derive(Debug, Default)]
pub(crate) struct Waiting(VecDeque<Growing>);

#[derive(Debug)]
struct Growing {
    records: Records,
    numbers: Vec<u64>,
}

/// Messages as they are sent, and sent again: the same bytes.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) bytes: Bytes,
    pub(crate) numbers: Vec<u64>,
    pub(crate) size: usize,
}

impl Growing {
    fn push(&mut self, number: u64, message: &Message, length: usize) {
        self.records.push(message, length);
        self.numbers.push(number);
    }

    fn size(&self) -> usize {
        self.records.len() + self.numbers.len() * NUMBER
    }
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a message, and says how many bytes more are held.
    pub(crate) fn push(&mut self, number: u64, message: &Message) -> usize {
        if let Some(last) = self.0.back_mut() {
            let length = last.records.length_of(message);
            if last.records.have_room_for(length) {
                let before = last.size();
                last.push(number, message, length);
                return last.size() - before;
            }
        }
        let mut first = Growing {
            records: Records::new(message),
            numbers: Vec::new(),
        };
        let length = first.records.length_of(message);
        first.push(number, message, length);
        let size = first.size();
        self.0.push_back(first);
        size
    }

    /// The first batch, if there is any.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        let first = self.0.pop_front()?;
        Some(Batch {
            size: first.size(),
            bytes: first.records.finish().into(),
            numbers: first.numbers,
        })
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::records::RecordBatchDecoder;

    use super::super::records::MOST_BYTES;
    use super::*;

    fn waiting(sizes: &[usize]) -> (Waiting, usize) {
        let mut waiting = Waiting::default();
        let held = (0..).zip(sizes).map(|(number, size)| {
            let message = Message {
                topic: "t".to_owned(),
                key: Some(b"key".to_vec()),
                value: vec![b'v'; *size],
                headers: Vec::new(),
                timestamp: 1_700_000_000_000,
            };
            waiting.push(number, &message)
        });
        let held = held.sum();
        (waiting, held)
    }

    #[test]
    fn messages_go_together_up_to_what_brokers_take_and_keep_their_order() {
        let (mut waiting, mut held) = waiting(&[200_000; 10]);
        let mut numbers = Vec::new();
        while let Some(batch) = waiting.take() {
            assert_eq!(batch.numbers.len(), if held > MOST_BYTES { 4 } else { 2 });
            assert!(batch.bytes.len() <= MOST_BYTES);
            let decoded = RecordBatchDecoder::decode(&mut batch.bytes.clone()).expect("a batch");
            assert_eq!(decoded.records.len(), batch.numbers.len());
            held -= batch.size;
            numbers.extend(batch.numbers);
        }
        assert_eq!(numbers, (0..10).collect::<Vec<_>>());
        assert_eq!(held, 0, "what was held was counted");
    }

    #[test]
    fn a_message_that_is_too_large_for_company_goes_alone() {
        let (mut waiting, _) = waiting(&[10, 2_000_000, 10]);
        let mut counts = Vec::new();
        while let Some(batch) = waiting.take() {
            counts.push(batch.numbers.len());
        }
        assert_eq!(counts, [1, 1, 1]);
    }
}
