//! What the benchmarks share: turns that alternate, medians, and figures with their targets.
//!
//! # Layout
//!
//! * [`alternate`]: measures several ways to do the same in turns, so that what else the machine
//!   does meets them alike; [`median`] and [`median_ratio`] for those who measure themselves.
//! * [`Figure`]: a measured value beside the most that it may be. A benchmark prints it as one line,
//!   and `cargo xtask bench` collects the lines of all benchmarks in a table.
//! * [`Quantity`]: a ratio, a time or a number of bytes.

mod figure;
pub use figure::{Figure, FigureError};

mod quantity;
pub use quantity::{Quantity, Unit};

mod turns;
pub use turns::{alternate, median, median_ratio};
