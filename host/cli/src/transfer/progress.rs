//! A line on a terminal's standard error while things move; silence everywhere else.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ledger::Verb;

/// Shown after half a second, so that short transfers print nothing.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    counts: Arc<Counts>,
    /// What the bar shows of bytes, once everything is planned.
    whole: &'static str,
}

/// What is known of the things to do.
#[derive(Debug, Default)]
struct Counts {
    planned: AtomicU64,
    ended: AtomicU64,
    /// Whether the number of planned things is that of all.
    complete: AtomicBool,
    /// Whether the size of one of them is not known.
    endless: AtomicBool,
}

impl Progress {
    /// The line of a command, where there is a terminal to show it on.
    pub(super) fn new(verb: Verb) -> Self {
        let mut progress = Self::hidden();
        let growing = match verb {
            Verb::Copy | Verb::Print => {
                progress.whole = "{msg} [{bar:20}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
                "{msg} {spinner} {bytes} {bytes_per_sec}"
            }
            Verb::Remove => "{msg} {spinner}",
        };
        progress.show(growing);
        progress
    }

    /// The line of a command between standard input and standard output, which brings so much, where
    /// there is a terminal to show it on and the output goes elsewhere.
    pub(crate) fn of_pipe(bytes: Option<u64>) -> Self {
        let mut progress = Self::hidden();
        progress.whole = "[{bar:20}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        if !std::io::stdout().is_terminal() {
            progress.show("{spinner} {bytes} {bytes_per_sec}");
        }
        progress.planned(bytes);
        progress.all_planned();
        progress
    }

    fn show(&self, growing: &'static str) {
        if std::io::stderr().is_terminal() {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            self.bar.set_draw_target(target);
            self.style(growing);
            self.bar.enable_steady_tick(Duration::from_millis(500));
        }
    }

    /// One that shows nothing.
    pub(super) fn hidden() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Self {
            bar,
            counts: Arc::default(),
            whole: "",
        }
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
    }

    /// One thing more is to be done.
    pub(super) fn planned(&self, bytes: Option<u64>) {
        self.counts.planned.fetch_add(1, Ordering::Relaxed);
        match bytes {
            Some(bytes) => self.bar.inc_length(bytes),
            None => self.counts.endless.store(true, Ordering::Relaxed),
        }
        self.count();
    }

    /// There is nothing more to plan: the totals are those of everything.
    pub(super) fn all_planned(&self) {
        self.counts.complete.store(true, Ordering::Relaxed);
        if !self.whole.is_empty() && !self.counts.endless.load(Ordering::Relaxed) {
            self.style(self.whole);
        }
        self.count();
    }

    /// One thing has ended, well or not.
    pub(super) fn ended(&self) {
        self.counts.ended.fetch_add(1, Ordering::Relaxed);
        self.count();
    }

    /// So many bytes more are where they belong.
    pub(crate) fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn count(&self) {
        if !self.bar.is_hidden() {
            self.bar.set_message(self.message());
        }
    }

    fn message(&self) -> String {
        let ended = self.counts.ended.load(Ordering::Relaxed);
        let planned = self.counts.planned.load(Ordering::Relaxed);
        let more = if self.counts.complete.load(Ordering::Relaxed) {
            ""
        } else {
            "+"
        };
        format!("{ended}/{planned}{more} files")
    }

    /// How many things were planned and did not end, and whether there may be more.
    pub(super) fn not_begun(&self) -> (u64, bool) {
        let ended = self.counts.ended.load(Ordering::Relaxed);
        let planned = self.counts.planned.load(Ordering::Relaxed);
        (
            planned.saturating_sub(ended),
            !self.counts.complete.load(Ordering::Relaxed),
        )
    }

    /// Lets `print` write lines without the bar in between.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_files_has_a_plus_until_it_is_that_of_all() {
        let progress = Progress::hidden();
        progress.planned(Some(1));
        progress.planned(Some(2));
        progress.ended();
        assert_eq!(progress.message(), "1/2+ files");
        assert_eq!(progress.not_begun(), (1, true));
        progress.all_planned();
        assert_eq!(progress.message(), "1/2 files");
        assert_eq!(progress.bar.length(), Some(3));
    }
}
