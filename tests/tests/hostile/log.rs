//! What is logged on this thread while a test runs.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Every event, as its level, target and fields.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Records until the guard is dropped.
    pub(crate) fn record() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The events of providers' own lines.
    pub(crate) fn of_providers(&self) -> Vec<String> {
        let lines = self.0.lock().expect("not poisoned");
        let of_provider = lines
            .iter()
            .filter(|line| line.contains(" portolan::provider "));
        of_provider.cloned().collect()
    }

    /// All events.
    pub(crate) fn all(&self) -> String {
        self.0.lock().expect("not poisoned").join("\n")
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string takes all");
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {} ", metadata.level(), metadata.target()));
        event.record(&mut line);
        self.0.lock().expect("not poisoned").push(line.0);
    }
}
