//! ctrl-C and SIGTERM. The first asks a command to end, which may have uploads to give up and
//! something to say; the second, or a command that takes too long over it, ends it where it stands.
//! And the signal of a file that may not grow, which would end it without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

/// How long a command may take to end once it was asked to.
const GRACE: Duration = Duration::from_secs(15);

/// The signals that came, for everybody who has to know.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    count: watch::Receiver<u32>,
    taken: Arc<Taken>,
}

/// What becomes of ctrl-C while somebody has taken it.
#[derive(Debug, Default)]
struct Taken {
    is: AtomicBool,
    was: AtomicBool,
    pressed: Notify,
}

impl Interrupt {
    /// Listens from here on; the signals do not end the process by themselves any more.
    pub(crate) fn listen() -> Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Nobody waits for it: the write that is one too many fails, and what wrote says so.
        let file_size = rustix::process::Signal::XFSZ.as_raw();
        drop(signal(SignalKind::from_raw(file_size))?);
        let (sender, count) = watch::channel(0);
        let taken = Arc::<Taken>::default();
        let pressed = Arc::clone(&taken);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {
                        if pressed.is.load(Ordering::Relaxed) {
                            pressed.was.store(true, Ordering::Relaxed);
                            pressed.pressed.notify_waiters();
                            continue;
                        }
                    }
                    _ = terminate.recv() => {}
                }
                sender.send_modify(|count: &mut u32| *count = count.saturating_add(1));
            }
        });
        Ok(Self { count, taken })
    }

    /// From here on ctrl-C ends what waits for [`Interrupt::pressed`], and not the command.
    pub(crate) fn take(&self) {
        self.taken.is.store(true, Ordering::Relaxed);
    }

    /// Ends when ctrl-C is pressed, once it was [taken](Interrupt::take).
    pub(crate) async fn pressed(&self) {
        self.taken.pressed.notified().await;
    }

    /// Whether something was [pressed](Interrupt::pressed) for, which may have something to write yet.
    pub(crate) fn was_pressed(&self) -> bool {
        self.taken.was.load(Ordering::Relaxed)
    }

    /// Whether the command was asked to end.
    pub(crate) fn is_asked(&self) -> bool {
        *self.count.borrow() > 0
    }

    /// Ends when the command is asked to end.
    pub(crate) async fn asked(&self) {
        self.came(1).await;
    }

    /// The same as a future of its own.
    pub(crate) fn once(&self) -> BoxFuture<'static, ()> {
        let this = self.clone();
        async move { this.asked().await }.boxed()
    }

    /// Ends when there is nothing more to wait for.
    pub(crate) async fn insisted(&self) {
        self.came(1).await;
        let _ = tokio::time::timeout(GRACE, self.came(2)).await;
    }

    async fn came(&self, times: u32) {
        let mut count = self.count.clone();
        if count.wait_for(|count| *count >= times).await.is_err() {
            // Nobody is left who could tell of a signal.
            std::future::pending::<()>().await;
        }
    }

    /// Signals that a test sends.
    #[cfg(test)]
    pub(crate) fn by_hand() -> (watch::Sender<u32>, Self) {
        let (sender, count) = watch::channel(0);
        let taken = Arc::default();
        (sender, Self { count, taken })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_asks_and_the_second_insists() {
        let (sender, interrupt) = Interrupt::by_hand();
        assert!(!interrupt.is_asked());
        assert!(interrupt.once().now_or_never().is_none());
        sender.send_replace(1);
        assert!(interrupt.is_asked());
        interrupt.asked().await;
        interrupt.once().await;
        let mut insisted = std::pin::pin!(interrupt.insisted());
        assert!((&mut insisted).now_or_never().is_none());
        sender.send_replace(2);
        insisted.await;
    }
}
