//! Phase two of a provider of sinks.

use crate::bindings::sink::exports::portolan::provider::sink;
use crate::instance::{Instance, keep, with_open};
use crate::steps::HostSteps;
use crate::{Depth, Failure, Plan, PlanEntry, Provider, Steps, Stopped};

pub use sink::Message;

/// What the host lends to the probe of a sink.
#[expect(missing_debug_implementations, reason = "it holds what the host lends")]
pub struct SinkProbe<'host> {
    /// The plan of phase one.
    pub plan: &'host Plan,
    /// The topics to try, as messages name them.
    pub topics: &'host [String],
    /// How far to go; only at `full` one message is emitted.
    pub depth: Depth,
    /// Where the steps are told.
    pub steps: Steps<'host>,
}

/// Phase two of a provider of sinks.
pub trait SinkProvider: Provider {
    /// A sink that is connected and authenticated.
    type Open: OpenSink + 'static;

    /// Tries the sink out and tells its steps.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed; the step has told why.
    fn probe(probe: &mut SinkProbe<'_>) -> Result<(), Stopped>;

    /// Connects and authenticates.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn open(plan: &Plan) -> Result<Self::Open, Failure>;
}

/// A sink that is connected and authenticated. A failure of any call ends the instance; the host
/// begins again with another.
pub trait OpenSink {
    /// Takes messages, and answers how many of all messages since the sink was opened are
    /// acknowledged, counted from the first without a gap.
    ///
    /// # Errors
    ///
    /// Why the sink cannot go on.
    fn emit(&mut self, messages: Vec<Message>) -> Result<u64, Failure>;

    /// Waits until everything emitted is acknowledged, and answers as [`OpenSink::emit`] does.
    ///
    /// # Errors
    ///
    /// Why the sink cannot go on.
    fn flush(&mut self) -> Result<u64, Failure>;

    /// Says goodbye to the service.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn close(&mut self) -> Result<(), Failure>;
}

impl<T: SinkProvider + Instance<Open = <T as SinkProvider>::Open>> sink::Guest for T {
    fn probe(plan: Vec<PlanEntry>, topics: Vec<String>, depth: Depth) {
        let plan = Plan::from_entries(plan);
        let mut log = HostSteps;
        let mut probe = SinkProbe {
            plan: &plan,
            topics: &topics,
            depth,
            steps: Steps::new(&mut log),
        };
        // The steps have told the outcome; the host asks for nothing more.
        let _ = T::probe(&mut probe);
    }

    fn open(plan: Vec<PlanEntry>) -> Result<(), Failure> {
        keep::<T>(|| <T as SinkProvider>::open(&Plan::from_entries(plan)))
    }

    fn emit(messages: Vec<Message>) -> Result<u64, Failure> {
        with_open::<T, _>(|open| open.emit(messages))
    }

    fn flush() -> Result<u64, Failure> {
        with_open::<T, _>(OpenSink::flush)
    }

    fn close() -> Result<(), Failure> {
        match T::with(Option::take) {
            Some(mut open) => open.close(),
            None => Ok(()),
        }
    }
}
