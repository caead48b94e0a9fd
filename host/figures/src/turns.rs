//! Measuring in turns.

use std::time::{Duration, Instant};

use crate::Quantity;

/// Runs each way once per round, another one first in every round, and gives the median time of
/// each. One round before the first is not counted: it warms caches up.
pub fn alternate(rounds: usize, ways: &mut [&mut dyn FnMut()]) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(rounds); ways.len()];
    for way in ways.iter_mut() {
        way();
    }
    for round in 0..rounds {
        for place in 0..ways.len() {
            let which = (place + round) % ways.len();
            let began = Instant::now();
            ways[which]();
            times[which].push(began.elapsed());
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

/// The median, the upper one of two; zero of nothing. Sorts `times`.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How many times as long as `reference` `measured` took, in the median of the rounds: a round in
/// which the machine was slow was slow for both. 1 of nothing.
#[must_use]
pub fn median_ratio(measured: &[Duration], reference: &[Duration]) -> Quantity {
    let mut ratios: Vec<_> = measured
        .iter()
        .zip(reference)
        .map(|(measured, reference)| measured.as_secs_f64() / reference.as_secs_f64())
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    Quantity::ratio(ratios.get(ratios.len() / 2).copied().unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn each_round_begins_with_another_way() {
        let order = RefCell::new(String::new());
        let mut a = || order.borrow_mut().push('a');
        let mut b = || order.borrow_mut().push('b');
        let mut c = || order.borrow_mut().push('c');
        let medians = alternate(4, &mut [&mut a, &mut b, &mut c]);
        assert_eq!(medians.len(), 3);
        assert_eq!(*order.borrow(), "abcabcbcacababc");
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let millis = |numbers: &[u64]| {
            let mut times: Vec<_> = numbers.iter().map(|n| Duration::from_millis(*n)).collect();
            median(&mut times).as_millis()
        };
        assert_eq!(millis(&[9, 1, 5]), 5);
        assert_eq!(millis(&[9, 1, 5, 7]), 7);
        assert_eq!(millis(&[]), 0);
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let millis = |numbers: [u64; 3]| numbers.map(Duration::from_millis);
        let ratio = median_ratio(&millis([10, 200, 30]), &millis([10, 100, 30]));
        assert_eq!(ratio, Quantity::ratio(1.0));
        assert_eq!(median_ratio(&[], &[]), Quantity::ratio(1.0));
    }
}
