//! What the host counts. The table of names is in the crate's documentation.

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};
use portolan_sandbox::MetricsRecorder;

/// Counters and histograms, written to the host's own recorder or to the process's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(MetricsRecorder);

impl Metrics {
    pub(crate) fn new(recorder: MetricsRecorder) -> Self {
        Self(recorder)
    }

    /// A statement, or a method that stands for one, has ended.
    pub(crate) fn statement(
        &self,
        statement: &'static str,
        sqlstate: &'static str,
        took: Duration,
    ) {
        self.0.record(|| {
            counter!("portolan_statements_total", "statement" => statement, "sqlstate" => sqlstate)
                .increment(1);
            histogram!("portolan_statement_seconds", "statement" => statement)
                .record(took.as_secs_f64());
        });
    }

    /// A URI was planned.
    pub(crate) fn plan(&self, provider: &str, sqlstate: &'static str, took: Duration) {
        let provider = provider.to_owned();
        self.0.record(|| {
            counter!("portolan_plans_total", "provider" => provider.clone(), "sqlstate" => sqlstate)
                .increment(1);
            histogram!("portolan_plan_seconds", "provider" => provider).record(took.as_secs_f64());
        });
    }

    /// A probe has ended.
    pub(crate) fn probe(&self, provider: &str, sqlstate: &'static str, took: Duration) {
        let provider = provider.to_owned();
        self.0.record(|| {
            counter!("portolan_probes_total", "provider" => provider.clone(), "sqlstate" => sqlstate)
                .increment(1);
            histogram!("portolan_probe_seconds", "provider" => provider)
                .record(took.as_secs_f64());
        });
    }

    /// A connection was asked for.
    pub(crate) fn open(&self, operation: &'static str, sqlstate: &'static str, took: Duration) {
        self.0.record(|| {
            counter!("portolan_opens_total", "operation" => operation, "sqlstate" => sqlstate)
                .increment(1);
            histogram!("portolan_open_seconds", "operation" => operation)
                .record(took.as_secs_f64());
        });
    }

    /// A provider was asked for something by a handle.
    pub(crate) fn asked(
        &self,
        what: Asked,
        provider: &str,
        operation: &'static str,
        sqlstate: &'static str,
        took: Duration,
    ) {
        let provider = provider.to_owned();
        let (total, seconds) = what.names();
        self.0.record(|| {
            counter!(
                total,
                "provider" => provider.clone(), "operation" => operation, "sqlstate" => sqlstate
            )
            .increment(1);
            histogram!(seconds, "provider" => provider, "operation" => operation)
                .record(took.as_secs_f64());
        });
    }

    /// A sink was asked for something.
    pub(crate) fn sink_operation(&self, provider: &str, done: &SinkOperation) {
        let provider = provider.to_owned();
        let &SinkOperation {
            operation,
            sqlstate,
            acknowledged,
            opened,
            took,
        } = done;
        self.0.record(|| {
            counter!(
                "portolan_sink_operations_total",
                "provider" => provider.clone(), "operation" => operation, "sqlstate" => sqlstate
            )
            .increment(1);
            counter!("portolan_sink_messages_total", "provider" => provider.clone())
                .increment(acknowledged);
            counter!("portolan_sink_opened_total", "provider" => provider.clone())
                .increment(opened);
            histogram!(
                "portolan_sink_operation_seconds",
                "provider" => provider, "operation" => operation
            )
            .record(took.as_secs_f64());
        });
    }

    /// So many handles are open now.
    pub(crate) fn open_handles(&self, open: usize) {
        #[expect(clippy::cast_precision_loss, reason = "nobody opens 2^52 handles")]
        self.0
            .record(|| gauge!("portolan_open_handles").set(open as f64));
    }

    /// An operation of a handle was refused.
    pub(crate) fn handle_refused(&self, sqlstate: &str) {
        let sqlstate = sqlstate.to_owned();
        self.0.record(|| {
            counter!("portolan_handle_refusals_total", "sqlstate" => sqlstate).increment(1);
        });
    }
}

/// What a handle asks its provider for, one call at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// A key, to encrypt or decrypt.
    Key,
    /// A schema registry, for subjects and schemas.
    Registry,
}

impl Asked {
    /// The names of its counter and of its histogram.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Key => (
                "portolan_key_operations_total",
                "portolan_key_operation_seconds",
            ),
            Self::Registry => (
                "portolan_registry_operations_total",
                "portolan_registry_operation_seconds",
            ),
        }
    }
}

/// What came of one operation of a sink.
#[derive(Debug)]
pub(crate) struct SinkOperation {
    /// `emit`, `flush` or `close`.
    pub(crate) operation: &'static str,
    pub(crate) sqlstate: &'static str,
    /// Messages that were acknowledged meanwhile.
    pub(crate) acknowledged: u64,
    /// How often the sink was opened meanwhile.
    pub(crate) opened: u64,
    pub(crate) took: Duration,
}

/// What a result counts as: its SQLSTATE, `00000` for a success.
pub(crate) fn sqlstate_of<T>(result: &Result<T, crate::Error>) -> &'static str {
    match result {
        Ok(_) => "00000",
        Err(error) => error.sqlstate().code(),
    }
}
