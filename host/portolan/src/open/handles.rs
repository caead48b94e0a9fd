//! The handles that are open now.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use jiff::Timestamp;
use portolan_contract::Operation;

use super::gate::HandleGate;
use crate::call::lock;
use crate::metrics::Metrics;

/// A handle that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenHandle {
    /// Grows with each handle of the host.
    pub number: u64,
    /// The connection's name when the handle was opened.
    pub connection: String,
    /// The version that the handle uses.
    pub version: u64,
    /// Who opened it.
    pub principal: String,
    /// What for.
    pub operation: Operation,
    /// Whether it takes the newest version at each operation.
    pub follow: bool,
    /// Since when it is open.
    pub opened: Timestamp,
}

/// The handles of a host.
#[derive(Debug, Clone)]
pub(crate) struct Handles(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    next: AtomicU64,
    /// By number, so the oldest first.
    open: Mutex<BTreeMap<u64, Weak<HandleGate>>>,
    metrics: Metrics,
}

impl Handles {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self(Arc::new(Shared {
            next: AtomicU64::new(1),
            open: Mutex::default(),
            metrics,
        }))
    }

    /// A number for a handle that is about to be opened.
    pub(crate) fn number(&self) -> u64 {
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn add(&self, gate: &Arc<HandleGate>) {
        let mut open = lock(&self.0.open);
        open.insert(gate.number(), Arc::downgrade(gate));
        self.0.metrics.open_handles(open.len());
    }

    pub(crate) fn remove(&self, number: u64) {
        let mut open = lock(&self.0.open);
        open.remove(&number);
        self.0.metrics.open_handles(open.len());
    }

    pub(crate) fn list(&self) -> Vec<OpenHandle> {
        // A gate that turns out to be the last reference takes the lock when it is dropped, so the
        // lock is given back before.
        let gates: Vec<_> = lock(&self.0.open)
            .values()
            .filter_map(Weak::upgrade)
            .collect();
        gates.iter().map(|gate| gate.describe()).collect()
    }
}
