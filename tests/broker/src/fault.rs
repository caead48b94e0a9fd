//! How a cluster fails when it is told to.

use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ApiKey;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The broker dies before it does what it is asked for: it closes all its connections and listens
    /// no more.
    Die,
    /// The broker does what it is asked for and dies before it answers.
    DieAfterwards,
    /// The connection is closed before anything is done.
    Close,
    /// It is done, and the connection is closed instead of an answer.
    CloseAfterwards,
    /// It is done, and only so many bytes of the answer are sent before the connection is closed.
    Cut(usize),
    /// A frame of 2 GiB is announced, and the connection left open.
    Oversize,
    /// Nothing is done and nothing answered; the connection stays open.
    NeverAnswer,
    /// It is done, and answered so much later.
    Delay(Duration),
    /// Nothing is done; the answer carries this error wherever it has a place for one.
    Error(ResponseError),
    /// It is done, and the answer is given to a request that nobody has made.
    WrongCorrelation,
    /// It is done, and answered with bytes that are no answer.
    Garbage,
}

/// Which requests fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    api: ApiKey,
    broker: Option<i32>,
    skip: usize,
    times: usize,
}

impl Rule {
    /// Every request of this kind, at every broker.
    #[must_use]
    pub fn every(api: ApiKey) -> Self {
        Self {
            api,
            broker: None,
            skip: 0,
            times: usize::MAX,
        }
    }

    /// The first request of this kind.
    #[must_use]
    pub fn once(api: ApiKey) -> Self {
        Self::every(api).times(1)
    }

    /// Only at this broker.
    #[must_use]
    pub fn at(mut self, broker: i32) -> Self {
        self.broker = Some(broker);
        self
    }

    /// Only after so many of them have been answered.
    #[must_use]
    pub fn after(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Whether a request fails; it is counted by that.
    pub(crate) fn applies(&mut self, api: ApiKey, broker: i32) -> bool {
        if api != self.api || self.broker.is_some_and(|only| only != broker) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let applies = self.times > 0;
        self.times = self.times.saturating_sub(1);
        applies
    }
}
