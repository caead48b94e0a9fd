//! What a running operation has used of its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

use crate::ticker::TICK;
use crate::{Fault, Limits};

/// How long a guest has computed, with what it waited for left out: for the host, and for a
/// processor.
///
/// What a guest had of a processor is known by asking the system, which takes as long as a third of
/// a plan. So it is asked only about guests that were interrupted at an epoch once. Until then a
/// guest has computed for as long as the clock on the wall says, but no longer than [`UNWATCHED`]:
/// one that had a processor all the time would have been interrupted.
#[derive(Debug)]
pub(crate) struct GuestClock {
    made: Instant,
    used: AtomicU64,
    /// Nanoseconds after `made` since which the guest runs; [`STOPPED`] while it does not.
    since: AtomicU64,
    /// What the thread had had of a processor then, in nanoseconds; [`STOPPED`] where it was not
    /// asked for.
    processor_since: AtomicU64,
    watched: AtomicBool,
}

const STOPPED: u64 = u64::MAX;

/// The most that is counted before a guest was interrupted once.
const UNWATCHED: Duration = TICK.saturating_mul(2);

impl GuestClock {
    fn new() -> Self {
        Self {
            made: Instant::now(),
            used: AtomicU64::new(0),
            since: AtomicU64::new(STOPPED),
            processor_since: AtomicU64::new(STOPPED),
            watched: AtomicBool::new(false),
        }
    }

    fn now(&self) -> u64 {
        nanoseconds(self.made.elapsed())
    }

    /// The guest runs from here on, in this thread until it stops.
    pub(crate) fn start(&self) {
        let watched = self.watched.load(Ordering::Relaxed);
        let processor = watched.then(processor_time).flatten();
        let processor = processor.unwrap_or(STOPPED);
        self.processor_since.store(processor, Ordering::Relaxed);
        self.since.store(self.now(), Ordering::Relaxed);
    }

    /// The guest was interrupted at an epoch. Returns how long it has run so far.
    ///
    /// One that has just come back from the host, whose epoch would have been over anyway, is not
    /// watched for it: it would ask the system at each further call. One that computes is interrupted
    /// again after a whole epoch, and what it uses from then on is measured.
    pub(crate) fn interrupt(&self) -> Duration {
        let since = self.since.load(Ordering::Relaxed);
        let computes =
            since != STOPPED && self.now().saturating_sub(since) >= nanoseconds(TICK / 2);
        let used = self.stop();
        if computes {
            self.watch();
        }
        used
    }

    /// What the guest uses from its next start on is measured.
    fn watch(&self) {
        self.watched.store(true, Ordering::Relaxed);
    }

    /// Nothing is used yet. The guest waits.
    fn reset(&self) {
        self.since.store(STOPPED, Ordering::Relaxed);
        self.used.store(0, Ordering::Relaxed);
        self.watched.store(false, Ordering::Relaxed);
    }

    /// The guest waits from here on. Returns how long it has run so far.
    pub(crate) fn stop(&self) -> Duration {
        let since = self.since.swap(STOPPED, Ordering::Relaxed);
        let ran = match since {
            STOPPED => 0,
            since => self.ran(self.now().saturating_sub(since)),
        };
        Duration::from_nanos(self.used.fetch_add(ran, Ordering::Relaxed) + ran)
    }

    /// How long the guest had a processor within this time on the wall.
    fn ran(&self, wall: u64) -> u64 {
        if !self.watched.load(Ordering::Relaxed) {
            return wall.min(nanoseconds(UNWATCHED));
        }
        let since = self.processor_since.load(Ordering::Relaxed);
        match processor_time() {
            Some(now) if since != STOPPED => now.saturating_sub(since).min(wall),
            _ => wall,
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(STOPPED - 1)
}

/// What this thread has had of a processor, in nanoseconds. None where the system does not tell, and
/// time on the wall has to do.
fn processor_time() -> Option<u64> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).ok().map(nanoseconds)
    }
    #[cfg(not(unix))]
    None
}

/// The counters of one operation. An operation is one future, so nothing here is contended.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Arc<Limits>,
    clock: Arc<GuestClock>,
    memory: usize,
    table_elements: usize,
    host_calls: u64,
    response_bytes: u64,
    random_bytes: u64,
    dials: u64,
    opaque_bytes: u64,
}

impl Budget {
    pub(crate) fn new(limits: Arc<Limits>) -> Self {
        Self {
            limits,
            clock: Arc::new(GuestClock::new()),
            memory: 0,
            table_elements: 0,
            host_calls: 0,
            response_bytes: 0,
            random_bytes: 0,
            dials: 0,
            opaque_bytes: 0,
        }
    }

    /// Begins anew for the next operation of the same instance. What the instance has of memory and
    /// of tables it keeps.
    pub(crate) fn renew(&mut self) {
        self.clock.reset();
        self.host_calls = 0;
        self.response_bytes = 0;
        self.random_bytes = 0;
        self.dials = 0;
        self.opaque_bytes = 0;
    }

    /// What it is held to.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The clock of the guest.
    pub(crate) fn clock(&self) -> &Arc<GuestClock> {
        &self.clock
    }

    /// What the guest's time may be.
    pub(crate) fn guest_time(&self) -> Duration {
        self.limits.guest_time
    }

    /// Counts a call from the guest to the host.
    pub(crate) fn count_host_call(&mut self) -> Result<(), Fault> {
        self.host_calls += 1;
        if self.host_calls > self.limits.host_calls {
            return Err(Fault::HostCalls(self.limits.host_calls));
        }
        Ok(())
    }

    /// Counts bytes that go to the guest in answer to a call.
    pub(crate) fn count_response(&mut self, bytes: usize) -> Result<(), Fault> {
        self.response_bytes = self.response_bytes.saturating_add(bytes as u64);
        if self.response_bytes > self.limits.response_bytes {
            return Err(Fault::ResponseBytes(self.limits.response_bytes));
        }
        Ok(())
    }

    /// Counts a name that is to be looked up, or a connection that is to be dialled.
    pub(crate) fn count_dial(&mut self) -> Result<(), Fault> {
        self.dials += 1;
        if self.dials > self.limits.dials {
            return Err(Fault::Dials(self.limits.dials));
        }
        Ok(())
    }

    /// Counts bytes that are kept from the guest, before they are made.
    pub(crate) fn count_opaque(&mut self, bytes: usize) -> Result<(), Fault> {
        self.opaque_bytes = self.opaque_bytes.saturating_add(bytes as u64);
        if self.opaque_bytes > self.limits.opaque_bytes {
            return Err(Fault::OpaqueBytes(self.limits.opaque_bytes));
        }
        Ok(())
    }

    /// Counts random bytes, before they are made.
    pub(crate) fn count_random(&mut self, bytes: u64) -> Result<(), Fault> {
        self.random_bytes = self.random_bytes.saturating_add(bytes);
        if self.random_bytes > self.limits.random_bytes {
            return Err(Fault::RandomBytes(self.limits.random_bytes));
        }
        Ok(())
    }
}

impl ResourceLimiter for Budget {
    /// Growth beyond the limit stops the guest instead of telling it: a guest that cannot allocate
    /// only crashes, and then nobody learns why.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory {
            return Err(Fault::Memory(self.limits.memory).into());
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if total > self.limits.table_elements {
            return Err(Fault::TableElements(self.limits.table_elements).into());
        }
        self.table_elements = total;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_summed() {
        let mut budget = Budget::new(Arc::new(Limits::default()));
        assert!(budget.memory_growing(0, 40 << 20, None).is_ok());
        assert!(budget.memory_growing(0, 24 << 20, None).is_ok());
        let error = budget
            .memory_growing(0, 65_536, None)
            .expect_err("too much");
        assert_eq!(
            error.downcast_ref::<Fault>(),
            Some(&Fault::Memory(64 << 20))
        );
    }

    #[test]
    fn what_is_renewed_begins_anew_but_for_memory() {
        let mut budget = Budget::new(Arc::new(Limits::default()));
        budget.clock().start();
        for _ in 0..Limits::default().dials {
            budget.count_dial().expect("within the limit");
        }
        assert!(budget.count_dial().is_err());
        assert!(budget.memory_growing(0, 64 << 20, None).is_ok());
        budget.renew();
        assert!(budget.count_dial().is_ok());
        assert_eq!(budget.clock().stop(), Duration::ZERO);
        assert!(budget.memory_growing(64 << 20, 65 << 20, None).is_err());
    }

    #[test]
    fn a_stopped_clock_counts_nothing() {
        let clock = GuestClock::new();
        clock.start();
        let ran = clock.stop();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(clock.stop(), ran);
    }

    #[test]
    fn a_guest_that_has_no_processor_uses_none_of_its_time() {
        let without_a_processor = Duration::from_millis(50);
        let clock = GuestClock::new();
        clock.start();
        std::thread::sleep(without_a_processor);
        let ran = clock.stop();
        assert!(ran <= UNWATCHED, "{ran:?}");
        clock.watch();
        clock.start();
        std::thread::sleep(without_a_processor);
        let slept = clock.stop() - ran;
        assert!(slept < without_a_processor / 2, "{slept:?}");
    }

    #[test]
    fn one_that_came_back_just_before_an_epoch_ended_is_not_watched_and_one_that_computes_is() {
        let clock = GuestClock::new();
        clock.start();
        // Not more than a few instructions later, unless the machine stood still.
        let began = Instant::now();
        clock.interrupt();
        if began.elapsed() < TICK / 2 {
            assert!(!clock.watched.load(Ordering::Relaxed));
        }
        clock.start();
        std::thread::sleep(TICK);
        let used = clock.interrupt();
        assert!(clock.watched.load(Ordering::Relaxed));
        assert!(used >= TICK, "what came before is counted: {used:?}");
    }

    #[test]
    fn all_that_an_interrupted_guest_computes_is_counted() {
        let clock = GuestClock::new();
        clock.watch();
        clock.start();
        let before = processor_time().expect("the system tells");
        let computed = || Duration::from_nanos(processor_time().expect("it tells") - before);
        while computed() < Duration::from_millis(20) {}
        let ran = clock.stop();
        assert!(ran >= Duration::from_millis(20), "{ran:?}");
    }
}
