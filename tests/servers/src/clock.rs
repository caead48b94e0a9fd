//! The clock of a stand-in, which need not be this machine's.

use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::{SignedDuration, Timestamp};

#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead: SignedDuration,
}

impl Clock {
    /// Sets it so many seconds ahead of this machine's; less than zero is behind.
    pub(crate) fn set_ahead(&mut self, seconds: i64) {
        self.ahead = SignedDuration::from_secs(seconds);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    /// The value of `date` in an answer.
    pub(crate) fn date(&self) -> String {
        DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&self.now())
            .expect("a date")
    }
}
