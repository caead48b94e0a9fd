//! A ratio, a time or a number of bytes.

use std::fmt;
use std::time::Duration;

/// What a quantity counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Times as much as something else.
    Ratio,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// Words for units, each with how much of its [`Unit`] it is; the larger ones of a unit first.
const WORDS: &[(&str, Unit, f64)] = &[
    ("x", Unit::Ratio, 1.0),
    ("s", Unit::Seconds, 1.0),
    ("ms", Unit::Seconds, 1e-3),
    ("µs", Unit::Seconds, 1e-6),
    ("us", Unit::Seconds, 1e-6),
    ("ns", Unit::Seconds, 1e-9),
    ("MiB", Unit::Bytes, 1_048_576.0),
    ("KiB", Unit::Bytes, 1_024.0),
    ("B", Unit::Bytes, 1.0),
];

/// An amount of a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// How much: of seconds, of bytes, or how many times.
    pub amount: f64,
    /// Of what.
    pub unit: Unit,
}

impl Quantity {
    /// That many times as much.
    #[must_use]
    pub fn ratio(amount: f64) -> Self {
        Self {
            amount,
            unit: Unit::Ratio,
        }
    }

    /// How many times as long `measured` took as `reference`.
    #[must_use]
    pub fn ratio_of(measured: Duration, reference: Duration) -> Self {
        Self::ratio(measured.as_secs_f64() / reference.as_secs_f64())
    }

    /// That many bytes.
    #[must_use]
    pub fn bytes(bytes: usize) -> Self {
        Self {
            amount: bytes as f64,
            unit: Unit::Bytes,
        }
    }

    /// Reads an amount and the word for its unit: `1.5` and `ms`.
    pub(crate) fn read(amount: &str, word: &str) -> Option<Self> {
        let amount: f64 = amount
            .parse()
            .ok()
            .filter(|amount: &f64| !amount.is_nan())?;
        let (_, unit, scale) = *WORDS.iter().find(|(known, ..)| *known == word)?;
        Some(Self {
            amount: amount * scale,
            unit,
        })
    }
}

impl From<Duration> for Quantity {
    fn from(time: Duration) -> Self {
        Self {
            amount: time.as_secs_f64(),
            unit: Unit::Seconds,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = || WORDS.iter().filter(|(_, unit, _)| *unit == self.unit);
        let fitting = words().find(|(.., scale)| self.amount >= *scale);
        let Some((word, _, scale)) = fitting.or_else(|| words().next_back()) else {
            return Ok(());
        };
        let amount = self.amount / scale;
        let digits = if *word == "B" { 0 } else { 3 };
        write!(f, "{amount:.digits$} {word}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_shown_in_the_unit_that_fits() {
        for (quantity, text) in [
            (Quantity::ratio(0.5), "0.500 x"),
            (Quantity::from(Duration::from_millis(1500)), "1.500 s"),
            (Quantity::from(Duration::from_micros(250)), "250.000 µs"),
            (Quantity::from(Duration::ZERO), "0.000 ns"),
            (Quantity::bytes(12), "12 B"),
            (Quantity::bytes(81_920), "80.000 KiB"),
        ] {
            assert_eq!(quantity.to_string(), text);
        }
    }

    #[test]
    fn words_for_units_are_read_and_others_are_not() {
        let read = |amount, word| Quantity::read(amount, word).map(|quantity| quantity.amount);
        assert_eq!(read("2", "ms"), Some(0.002));
        assert_eq!(read("2", "us"), read("2", "µs"));
        assert_eq!(read("2", "KiB"), Some(2048.0));
        assert_eq!(read("two", "ms"), None);
        assert_eq!(read("NaN", "x"), None);
        assert_eq!(read("2", "furlongs"), None);
    }
}
