//! Standard input, a batch of lines at a time.

use std::io::{BufRead, BufReader, Read};

use anyhow::Result;
use tokio::sync::mpsc;

use crate::report::Failure;

/// Lines of one batch, at most.
const LINES: usize = 1_000;

/// Bytes of one batch, after which no line is added.
const BYTES: usize = 1 << 20;

/// The longest line: the longest message.
const LONGEST: usize = 16 << 20;

/// Batches that wait for somebody to take them, so that reading and sending overlap.
const WAITING: usize = 2;

/// One line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its place in the input; the first is 1.
    pub(super) number: u64,
    pub(super) text: Vec<u8>,
}

/// The lines of standard input, read in a thread of its own: nothing else ends a read. Lines that are
/// there go together; nobody waits for a batch to fill.
pub(super) fn batches() -> mpsc::Receiver<Result<Vec<Line>>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        let mut lines = Lines::of(std::io::stdin().lock());
        while let Some(batch) = lines.batch().transpose() {
            let failed = batch.is_err();
            if sender.blocking_send(batch).is_err() || failed {
                break;
            }
        }
    });
    receiver
}

/// Lines of a reader.
struct Lines<R: Read> {
    reader: BufReader<R>,
    number: u64,
}

impl<R: Read> Lines<R> {
    fn of(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(64 << 10, reader),
            number: 0,
        }
    }

    /// What is there, or the next line once it comes; none at the end.
    fn batch(&mut self) -> Result<Option<Vec<Line>>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < LINES && bytes < BYTES {
            let Some(line) = self.line()? else { break };
            bytes += line.text.len();
            batch.push(line);
            // Only a whole line is sure not to be waited for.
            if !self.reader.buffer().contains(&b'\n') {
                break;
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn line(&mut self) -> Result<Option<Line>> {
        let mut text = Vec::new();
        let mut limited = (&mut self.reader).take(LONGEST as u64 + 1);
        let read = limited.read_until(b'\n', &mut text).map_err(|error| {
            Failure::new("58030", format!("standard input cannot be read: {error}"))
                .hint("see what writes to it")
        })?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if text.last() == Some(&b'\n') {
            text.pop();
            if text.last() == Some(&b'\r') {
                text.pop();
            }
        }
        if text.len() >= LONGEST {
            return Err(Failure::new("22023", "a line has more than 16 MiB")
                .detail(format!("line {}", self.number))
                .hint("a message has at most 16 MiB in all")
                .into());
        }
        Ok(Some(Line {
            number: self.number,
            text,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one piece with each read.
    struct Pieces(Vec<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let mut piece = self.0.remove(0);
            piece.read(into)
        }
    }

    fn read(reader: impl Read) -> Vec<Vec<String>> {
        let mut lines = Lines::of(reader);
        let mut batches = Vec::new();
        while let Some(batch) = lines.batch().expect("lines") {
            let texts = batch.into_iter().map(|line| line.text);
            batches.push(
                texts
                    .map(|text| String::from_utf8(text).expect("a text"))
                    .collect(),
            );
        }
        batches
    }

    #[test]
    fn lines_that_are_there_go_together_and_nobody_waits_for_more() {
        let pieces: &[&[u8]] = &[b"a\nb\r\nc", b"d\n", b"\ne"];
        assert_eq!(
            read(Pieces(pieces.to_vec())),
            [vec!["a", "b"], vec!["cd"], vec![""], vec!["e"]]
        );
        assert!(read(Pieces(Vec::new())).is_empty());
    }

    #[test]
    fn a_batch_is_bounded() {
        let many = "x\n".repeat(2_500);
        let counts: Vec<_> = read(many.as_bytes()).iter().map(Vec::len).collect();
        assert_eq!(counts.iter().sum::<usize>(), 2_500);
        assert!(counts.iter().all(|count| *count <= LINES));
        let long = format!("{}\n", "y".repeat(BYTES)).repeat(3);
        assert_eq!(read(long.as_bytes()).len(), 3);
    }

    #[test]
    fn a_line_that_no_message_can_be_is_refused_with_its_place() {
        let mut text = b"a\n".to_vec();
        text.resize(LONGEST + 10, b'x');
        let mut lines = Lines::of(text.as_slice());
        assert!(lines.batch().expect("a line").is_some());
        let error = lines.batch().expect_err("too long");
        let failure = error.downcast_ref::<Failure>().expect("a failure");
        assert_eq!(failure.detail.as_deref(), Some("line 2"));
    }
}
