//! `log`: lines for the operator, scrubbed and counted.

use crate::bindings::host::log::{Host, Level};
use crate::guest::Guest;
use crate::words::MAX_MESSAGE;
use crate::{MetricsRecorder, ProviderId, metrics};

/// What is left of the bytes that one operation may log.
pub(crate) struct LogBudget {
    provider: ProviderId,
    recorder: MetricsRecorder,
    left: usize,
    dropped: u64,
}

impl LogBudget {
    pub(crate) fn new(provider: ProviderId, recorder: MetricsRecorder, most: usize) -> Self {
        Self {
            provider,
            recorder,
            left: most,
            dropped: 0,
        }
    }

    /// Whether a line of so many bytes still fits; one that does not is counted as dropped.
    fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.dropped += 1;
                false
            }
        }
    }
}

impl Drop for LogBudget {
    /// However the operation ended, the operator learns that lines are missing.
    fn drop(&mut self) {
        if self.dropped > 0 {
            self.recorder
                .record(|| metrics::log_lines_dropped(&self.provider, self.dropped));
            tracing::warn!(
                target: "portolan::provider",
                provider = %self.provider.name,
                version = %self.provider.version,
                dropped = self.dropped,
                "lines of the provider were dropped",
            );
        }
    }
}

impl Host for Guest {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let lent = self.enter()?;
        // An empty line costs one byte, or it would cost nothing.
        if lent.log.take(message.len().max(1)) {
            let line = lent.words.line(&message, MAX_MESSAGE);
            let provider = &lent.log.provider;
            match level {
                Level::Warn => tracing::warn!(
                    target: "portolan::provider",
                    provider = %provider.name,
                    version = %provider.version,
                    "{line}",
                ),
                Level::Info => tracing::info!(
                    target: "portolan::provider",
                    provider = %provider.name,
                    version = %provider.version,
                    "{line}",
                ),
                Level::Debug | Level::Other(_) => tracing::debug!(
                    target: "portolan::provider",
                    provider = %provider.name,
                    version = %provider.version,
                    "{line}",
                ),
            }
        }
        self.leave(())
    }
}
