//! The clock that interrupts guests.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::EngineWeak;

/// How long an epoch lasts: the longest that a guest runs before the host looks at it again.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Advances the engine's epoch while an operation runs, and sleeps otherwise: an idle host is not
/// woken a thousand times a second. The thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    ended: bool,
    /// Whether the thread sleeps until an operation begins. While it ticks, it sees that by itself,
    /// and waking it would be a call of the system for each operation.
    idle: bool,
}

impl Ticker {
    /// Starts the thread. It holds the engine weakly, so that it never keeps one alive.
    pub(crate) fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("portolan-epochs".to_owned())
            .spawn(move || tick(&of_thread, &engine))?;
        Ok(Self { shared })
    }

    /// Keeps the clock running until the result is dropped.
    pub(crate) fn run(&self) -> Running {
        let mut state = self.shared.state();
        state.running += 1;
        let wake = std::mem::take(&mut state.idle);
        drop(state);
        if wake {
            self.shared.changed.notify_one();
        }
        Running {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_one();
    }
}

/// An operation that needs the clock.
#[derive(Debug)]
pub(crate) struct Running {
    shared: Arc<Shared>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.state().running -= 1;
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is a few plain words: a panic elsewhere cannot leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tick(shared: &Shared, engine: &EngineWeak) {
    loop {
        {
            let idle = |state: &mut State| {
                state.idle = state.running == 0 && !state.ended;
                state.idle
            };
            let state = shared
                .changed
                .wait_while(shared.state(), idle)
                .unwrap_or_else(PoisonError::into_inner);
            if state.ended {
                return;
            }
        }
        thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else {
            return;
        };
        engine.increment_epoch();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use wasmtime::Engine;

    use super::*;

    #[test]
    fn the_thread_ends_with_the_ticker() {
        let engine = Engine::default();
        let ticker = Ticker::start(engine.weak()).expect("a thread");
        let shared = Arc::clone(&ticker.shared);
        let running = ticker.run();
        drop(ticker);
        drop(running);
        let started = Instant::now();
        while Arc::strong_count(&shared) > 1 {
            assert!(started.elapsed() < Duration::from_secs(10), "it still runs");
            thread::sleep(TICK);
        }
    }

    #[test]
    fn it_sleeps_while_nothing_runs() {
        let engine = Engine::default();
        let ticker = Ticker::start(engine.weak()).expect("a thread");
        drop(ticker.run());
        thread::sleep(TICK * 20);
        let state = ticker.shared.state();
        assert_eq!(state.running, 0);
        assert!(!state.ended);
    }
}
