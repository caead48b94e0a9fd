//! Counting what is acknowledged, from the first message without a gap.

use std::collections::VecDeque;

/// The messages of a sink, numbered from 0 in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    /// Everything before this number is acknowledged.
    base: u64,
    /// Whether each one from there on is.
    after: VecDeque<bool>,
}

impl Acknowledged {
    /// The number of the next message, which is under way from now on.
    pub(crate) fn begin(&mut self) -> u64 {
        self.after.push_back(false);
        self.base + self.after.len() as u64 - 1
    }

    /// A message is acknowledged.
    pub(crate) fn mark(&mut self, number: u64) {
        let place = number.checked_sub(self.base);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(after) = place.and_then(|place| self.after.get_mut(place)) {
            *after = true;
        }
        while self.after.front() == Some(&true) {
            self.after.pop_front();
            self.base += 1;
        }
    }

    /// How many are, without a gap.
    pub(crate) fn count(&self) -> u64 {
        self.base
    }

    /// Whether all are.
    pub(crate) fn is_whole(&self) -> bool {
        self.after.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_holds_the_count_back() {
        let mut acknowledged = Acknowledged::default();
        let numbers: Vec<_> = (0..4).map(|_| acknowledged.begin()).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
        acknowledged.mark(1);
        acknowledged.mark(3);
        assert_eq!((acknowledged.count(), acknowledged.is_whole()), (0, false));
        acknowledged.mark(0);
        assert_eq!(acknowledged.count(), 2);
        acknowledged.mark(0);
        acknowledged.mark(9);
        acknowledged.mark(2);
        assert_eq!((acknowledged.count(), acknowledged.is_whole()), (4, true));
        assert_eq!(acknowledged.begin(), 4);
    }
}
