//! What is traced while a test runs, in the whole process.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::format::FmtSpan;

/// Everything that was traced since [`Traces::begin`].
#[derive(Clone, Default)]
pub struct Traces(Arc<Mutex<Vec<u8>>>);

impl Traces {
    /// Collects from here on, once in a process.
    pub fn begin() -> Self {
        let traces = Self::default();
        let writer = traces.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .init();
        traces
    }

    /// All of it until now.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().expect("one writer");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one writer").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
