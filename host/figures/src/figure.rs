//! A measured value beside the most that it may be, as one line.

use std::fmt;
use std::str::FromStr;

use crate::Quantity;

/// How the line of a figure begins.
const MARK: &str = "figure: ";

/// A measured value and the most that it may be.
///
/// ```
/// use portolan_figures::{Figure, Quantity};
/// use std::time::Duration;
///
/// let figure = Figure::new("open", Duration::from_millis(3), Quantity::from(Duration::from_millis(2)));
/// assert_eq!(figure.to_string(), "figure: open 3.000 ms ≤ 2.000 ms");
/// assert_eq!(figure.to_string().parse(), Ok(figure.clone()));
/// assert!(!figure.holds());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// What came out.
    pub value: Quantity,
    /// The most that it may be.
    pub target: Quantity,
}

/// A line is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FigureError;

impl fmt::Display for FigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a figure is written as `figure: NAME 1.5 ms ≤ 2 ms`, both in units of one kind",
        )
    }
}

impl std::error::Error for FigureError {}

impl Figure {
    /// A figure of that name.
    pub fn new(
        name: impl Into<String>,
        value: impl Into<Quantity>,
        target: impl Into<Quantity>,
    ) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            target: target.into(),
        }
    }

    /// Whether the value is at most the target.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.value.amount <= self.target.amount
    }

    /// The figure on a line that a benchmark printed; none on its other lines.
    ///
    /// # Errors
    ///
    /// The line begins as a figure and is none.
    pub fn on_line(line: &str) -> Result<Option<Self>, FigureError> {
        match line.trim_start().starts_with(MARK) {
            true => line.parse().map(Some),
            false => Ok(None),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{} {} ≤ {}", self.name, self.value, self.target)
    }
}

impl FromStr for Figure {
    type Err = FigureError;

    /// Read from its end, because a name may hold numbers.
    fn from_str(line: &str) -> Result<Self, FigureError> {
        let line = line.trim().strip_prefix(MARK).ok_or(FigureError)?;
        let words: Vec<_> = line.split_whitespace().collect();
        let [name @ .., value, value_unit, "≤", target, target_unit] = words.as_slice() else {
            return Err(FigureError);
        };
        let value = Quantity::read(value, value_unit).ok_or(FigureError)?;
        let target = Quantity::read(target, target_unit).ok_or(FigureError)?;
        if name.is_empty() || value.unit != target.unit {
            return Err(FigureError);
        }
        Ok(Self::new(name.join(" "), value, target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_from_its_end() {
        let figure: Figure = "figure: put of 256 MiB 1.02 x ≤ 1.05 x"
            .parse()
            .expect("a figure");
        assert_eq!(figure.name, "put of 256 MiB");
        assert!(figure.holds());
        let figure: Figure = "figure: load 600 µs ≤ 0.5 ms".parse().expect("a figure");
        assert!(!figure.holds());
    }

    #[test]
    fn other_lines_are_passed_over_and_broken_figures_are_not() {
        assert_eq!(Figure::on_line("time: [1 ms 2 ms 3 ms]"), Ok(None));
        for line in [
            "figure: load 1 ms",
            "figure: load 1 ms ≤ 2 x",
            "figure: 1 ms ≤ 2 ms",
            "figure: load fast ms ≤ 2 ms",
        ] {
            assert_eq!(Figure::on_line(line), Err(FigureError), "{line}");
        }
    }
}
