//! Runs a plan: so many jobs at once, each to its own end, and an account of all of them.

use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt;
use futures::stream;
use tokio::sync::{Semaphore, mpsc};

use super::entry::{Ending, Entry, Plan, Planned};
use super::ledger::{Ledger, Verb};
use super::progress::Progress;
use crate::args::{FormatArguments, TransferArguments};
use crate::interrupt::Interrupt;
use crate::report::{Failure, Interrupted};
use crate::sql::Printer;

/// How far the plan may be ahead of the work: as far as totals are known, and memory is used.
const AHEAD: usize = 1000;

/// How many things go together at most.
pub(super) const TOGETHER: usize = 1000;

/// What every job uses.
#[derive(Debug)]
pub(super) struct Tools {
    /// One for each part that may be in memory.
    pub(super) lanes: Arc<Semaphore>,
    /// How many lanes there are.
    pub(super) parallel: usize,
    pub(super) interrupt: Interrupt,
    pub(super) progress: Progress,
}

impl Tools {
    pub(super) fn new(parallel: usize, interrupt: &Interrupt, progress: Progress) -> Self {
        Self {
            lanes: Arc::new(Semaphore::new(parallel)),
            parallel,
            interrupt: interrupt.clone(),
            progress,
        }
    }

    /// What `work` gives, unless the command is asked to end before. `work` is dropped then, so it
    /// must be something that only reads.
    pub(super) async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.interrupt.asked() => Err(Interrupted::default().into()),
            outcome = work => Ok(outcome),
        }
    }

    /// Tools that show nothing and hear no signal.
    #[cfg(test)]
    pub(super) fn for_tests(parallel: usize) -> Self {
        let (_, interrupt) = Interrupt::by_hand();
        Self::new(parallel, &interrupt, Progress::hidden())
    }
}

/// Runs a plan as `arguments` say. What fails is told, and the rest goes on.
///
/// # Errors
/// What a plan of one thing failed with; else how many were not done, where any were not.
pub(super) async fn run(
    plan: Plan,
    verb: Verb,
    arguments: &TransferArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    let progress = Progress::new(verb);
    let parallel = usize::from(arguments.parallel);
    let tools = Arc::new(Tools::new(parallel, interrupt, progress.clone()));
    let format = FormatArguments {
        format: arguments.format,
    };
    let mut printer = Printer::new(&format);
    let sheet = if arguments.format.is_some() || arguments.dry_run {
        Some(printer.sheet()?)
    } else {
        None
    };
    let mut ledger = Ledger::new(verb, arguments.dry_run, sheet)?;
    // What goes together counts for one here.
    let ahead = match verb {
        Verb::Remove => AHEAD / TOGETHER,
        _ => AHEAD,
    };
    let (sender, receiver) = mpsc::channel(ahead);
    let plan = plan.take_until(interrupt.once());
    let (dry_run, written) = (arguments.dry_run, &mut ledger);
    let ((), worked) = tokio::join!(planning(plan, sender, &tools), async {
        let mut endings = stream::unfold(receiver, async |mut receiver| {
            Some((receiver.recv().await?, receiver))
        })
        .boxed()
        .take_until(interrupt.once())
        .map(|planned| end(planned, Arc::clone(&tools), dry_run))
        .buffer_unordered(parallel)
        .map(stream::iter)
        .flatten();
        while let Some((entry, ending)) = endings.next().await {
            progress.ended();
            progress.suspend(|| written.record(&entry, ending))?;
        }
        Ok(())
    });
    progress.finish();
    worked.and_then(|()| ledger.close(interrupt.is_asked(), progress.not_begun()))
}

/// Hands the plan over as it is found. It ends early where nobody works any more.
async fn planning(
    plan: impl stream::Stream<Item = Planned>,
    sender: mpsc::Sender<Planned>,
    tools: &Tools,
) {
    let mut plan = std::pin::pin!(plan);
    while let Some(planned) = plan.next().await {
        for entry in planned.entries() {
            tools.progress.planned(entry.bytes);
        }
        if sender.send(planned).await.is_err() {
            return;
        }
    }
    if !tools.interrupt.is_asked() {
        tools.progress.all_planned();
    }
}

/// Brings one thing to its end, or what goes together. Each runs on its own, so that several
/// processors are used.
async fn end(planned: Planned, tools: Arc<Tools>, dry_run: bool) -> Vec<(Entry, Ending)> {
    let (entry, work) = match planned {
        Planned::Ended(entry, ending) => return vec![(entry, ending)],
        Planned::Job(entry, _) if dry_run => return vec![(entry, Ending::Planned)],
        Planned::Together(entries, _) if dry_run => {
            let planned = entries.into_iter().map(|entry| (entry, Ending::Planned));
            return planned.collect();
        }
        Planned::Together(entries, work) => {
            let mut outcomes = match tokio::spawn(work()).await {
                Ok(outcomes) => outcomes.into_iter(),
                Err(_) => Vec::new().into_iter(),
            };
            let ended = entries.into_iter().map(|entry| {
                let outcome = outcomes.next().unwrap_or_else(|| Err(untold().into()));
                (entry, ending(outcome.map(|()| None)))
            });
            return ended.collect();
        }
        Planned::Job(entry, work) => (entry, work),
    };
    let outcome = match tokio::spawn(work(tools)).await {
        Ok(outcome) => outcome,
        Err(error) => Err(error.into()),
    };
    vec![(entry, ending(outcome))]
}

fn ending(outcome: Result<Option<u64>>) -> Ending {
    match outcome {
        Ok(bytes) => Ending::Done(bytes),
        Err(error) if error.is::<Interrupted>() => Ending::Interrupted,
        Err(error) => Ending::Failed(error),
    }
}

/// Nothing was said of one of several things.
fn untold() -> Failure {
    Failure::new("58030", "the store did not say what became of it")
        .hint("portolan ls shows what is there")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::entry::Action;
    use super::*;
    use crate::report::Told;

    fn entry(source: &str) -> Entry {
        Entry {
            action: Action::Copy,
            source: source.to_owned(),
            target: None,
            bytes: None,
        }
    }

    fn arguments(dry_run: bool) -> TransferArguments {
        TransferArguments {
            dry_run,
            parallel: 3,
            format: None,
        }
    }

    #[tokio::test]
    async fn so_many_jobs_run_at_once_and_no_more() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<Planned> = (0..50)
            .map(|_| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                Planned::job(entry("x"), |_| async move {
                    most.fetch_max(1 + running.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(None)
                })
            })
            .collect();
        let (_sender, interrupt) = Interrupt::by_hand();
        run(
            stream::iter(jobs).boxed(),
            Verb::Copy,
            &arguments(false),
            &interrupt,
        )
        .await
        .expect("all done");
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_failure_is_counted_and_the_rest_goes_on() {
        let done = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<Planned> = (0..10)
            .map(|number| {
                let done = Arc::clone(&done);
                Planned::job(entry(&format!("n{number}")), move |_| async move {
                    if number == 4 {
                        return Err(Failure::new("58030", "no").into());
                    }
                    done.fetch_add(1, Ordering::SeqCst);
                    Ok(None)
                })
            })
            .collect();
        let (_sender, interrupt) = Interrupt::by_hand();
        let error = run(
            stream::iter(jobs).boxed(),
            Verb::Copy,
            &arguments(false),
            &interrupt,
        )
        .await
        .expect_err("one failed");
        assert_eq!(done.load(Ordering::SeqCst), 9);
        assert_eq!(Told::of(&error).message, "1 of 10 was not copied");
    }

    #[tokio::test]
    async fn after_a_signal_nothing_is_begun_and_what_runs_ends_by_itself() {
        let (sender, interrupt) = Interrupt::by_hand();
        let begun = Arc::new(AtomicUsize::new(0));
        let sender = Arc::new(sender);
        let jobs: Vec<Planned> = (0..100)
            .map(|_| {
                let (sender, begun) = (Arc::clone(&sender), Arc::clone(&begun));
                Planned::job(entry("x"), |tools| async move {
                    if begun.fetch_add(1, Ordering::SeqCst) == 5 {
                        sender.send_replace(1);
                    }
                    tools
                        .unless_asked(tokio::time::sleep(std::time::Duration::from_millis(2)))
                        .await?;
                    Ok(None)
                })
            })
            .collect();
        let error = run(
            stream::iter(jobs).boxed(),
            Verb::Copy,
            &arguments(false),
            &interrupt,
        )
        .await
        .expect_err("interrupted");
        assert!(error.is::<Interrupted>());
        assert!(begun.load(Ordering::SeqCst) <= 9);
    }

    #[tokio::test]
    async fn what_goes_together_is_told_of_one_by_one() {
        let entries = (0..4).map(|number| entry(&format!("n{number}"))).collect();
        let together = Planned::together(entries, || async {
            let refused = Failure::new("42501", "no").into();
            vec![Ok(()), Err(refused), Ok(())]
        });
        let (_sender, interrupt) = Interrupt::by_hand();
        let error = run(
            stream::iter([together]).boxed(),
            Verb::Remove,
            &arguments(false),
            &interrupt,
        )
        .await
        .expect_err("one was refused, and nothing was said of another");
        assert_eq!(Told::of(&error).message, "2 of 4 were not removed");
    }

    #[tokio::test]
    async fn a_dry_run_begins_nothing() {
        let jobs = vec![Planned::job(entry("x"), |_| async {
            panic!("it was begun");
        })];
        let (_sender, interrupt) = Interrupt::by_hand();
        run(
            stream::iter(jobs).boxed(),
            Verb::Copy,
            &arguments(true),
            &interrupt,
        )
        .await
        .expect("planned");
    }
}
