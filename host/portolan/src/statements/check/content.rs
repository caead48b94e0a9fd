//! What the workers write: one random block again and again, so that an object of any size costs
//! the memory of one block.

use bytes::Bytes;
use object_store::PutPayload;

use crate::{Error, SqlState};

/// The length of the block.
const BLOCK: usize = 32 * 1024;

/// A content of any length.
#[derive(Debug, Clone)]
pub(super) struct Content(Bytes);

impl Content {
    pub(super) fn random() -> Result<Self, Error> {
        let mut block = vec![0; BLOCK];
        getrandom::fill(&mut block).map_err(|_| {
            Error::new(SqlState::Internal, "the system gives no random bytes")
                .with_hint("try it again")
        })?;
        Ok(Self(block.into()))
    }

    /// The bytes from `offset` on, as many as `length`. They share the memory of the block.
    pub(super) fn part(&self, offset: u64, length: u64) -> PutPayload {
        let mut pieces = Vec::new();
        let mut at = place(offset);
        let mut left = length;
        while left > 0 {
            let piece = (BLOCK - at).min(usize::try_from(left).unwrap_or(BLOCK));
            pieces.push(self.0.slice(at..at + piece));
            left -= piece as u64;
            at = 0;
        }
        pieces.into_iter().collect()
    }

    /// Whether `read` is what stands at `offset`.
    pub(super) fn is_at(&self, offset: u64, mut read: &[u8]) -> bool {
        let mut at = place(offset);
        while !read.is_empty() {
            let expected = &self.0[at..];
            let (now, later) = read.split_at(read.len().min(expected.len()));
            if now != &expected[..now.len()] {
                return false;
            }
            read = later;
            at = 0;
        }
        true
    }
}

/// Where in the block an offset falls.
fn place(offset: u64) -> usize {
    usize::try_from(offset % BLOCK as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_any_length_are_found_again() {
        let content = Content::random().expect("random bytes");
        for (offset, length) in [(0, 1), (5, 40_000), (32_768, 100_000), (99_999, 7)] {
            let part = content.part(offset, length);
            assert_eq!(part.content_length() as u64, length);
            let mut read = Bytes::from(part).to_vec();
            assert!(content.is_at(offset, &read));
            assert!(content.is_at(offset + BLOCK as u64, &read));
            let last = read.len() - 1;
            read[last] ^= 1;
            assert!(!content.is_at(offset, &read));
        }
        assert!(content.is_at(3, &[]));
    }
}
