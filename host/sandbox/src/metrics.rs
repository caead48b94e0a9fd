//! What is counted; the table stands in the documentation of the crate `portolan`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Recorder, counter, histogram};

use crate::ProviderId;

/// Where what is counted goes: to a recorder of its own, or, as by default, to the process's.
#[derive(Clone, Default)]
pub struct MetricsRecorder(Option<Arc<dyn Recorder + Send + Sync>>);

impl MetricsRecorder {
    /// Counts in this recorder alone.
    pub fn new(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(recorder)))
    }

    /// Runs `work`; what it counts goes here.
    pub fn record<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(recorder) => metrics::with_local_recorder(&**recorder, work),
            None => work(),
        }
    }
}

impl fmt::Debug for MetricsRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "MetricsRecorder(own)"
        } else {
            "MetricsRecorder(process)"
        })
    }
}

/// The phase of an operation, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Planning,
    Acting,
}

impl Phase {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Acting => "acting",
        }
    }
}

/// An operation ended: `ok`, `refused`, `answer` or `fault`.
pub(crate) fn operation(provider: &ProviderId, phase: Phase, outcome: &'static str) {
    counter!(
        "portolan_sandbox_operations_total",
        "provider" => provider.name.clone(),
        "phase" => phase.as_str(),
        "outcome" => outcome,
    )
    .increment(1);
}

/// A provider was stopped.
pub(crate) fn fault(provider: &ProviderId, kind: &'static str) {
    counter!(
        "portolan_sandbox_faults_total",
        "provider" => provider.name.clone(),
        "kind" => kind,
    )
    .increment(1);
}

/// How long a guest computed in one operation.
pub(crate) fn guest_time(provider: &ProviderId, phase: Phase, time: Duration) {
    histogram!(
        "portolan_sandbox_guest_seconds",
        "provider" => provider.name.clone(),
        "phase" => phase.as_str(),
    )
    .record(time.as_secs_f64());
}

/// A component was loaded: from `memory`, `disk`, or by the `compiler`.
pub(crate) fn loaded(from: &'static str, time: Duration) {
    counter!("portolan_sandbox_loads_total", "from" => from).increment(1);
    histogram!("portolan_sandbox_load_seconds", "from" => from).record(time.as_secs_f64());
}

/// A file of the cache was not used, because it is damaged or foreign.
pub(crate) fn cache_rejected() {
    counter!("portolan_sandbox_cache_rejected_total").increment(1);
}

/// Lines of a provider went over its budget.
pub(crate) fn log_lines_dropped(provider: &ProviderId, lines: u64) {
    counter!(
        "portolan_sandbox_log_lines_dropped_total",
        "provider" => provider.name.clone(),
    )
    .increment(lines);
}
