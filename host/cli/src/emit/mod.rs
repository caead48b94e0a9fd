//! `portolan emit`: lines of standard input become messages.
//!
//! * `input`: standard input, a batch of lines at a time.
//! * `messages`: a line becomes a message, or is none.

mod input;
mod messages;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use portolan::{Delivered, Operation, Sink};

use crate::args::EmitArguments;
use crate::interrupt::Interrupt;
use crate::report::{Failure, Interrupted, Told};
use crate::standard_output::StandardOutput;
use crate::store::Store;
use messages::Messages;

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: EmitArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    let messages = Messages::new(&arguments)?;
    let session = store.session().await?;
    let sink = session
        .open(&arguments.url, Operation::Changefeed)
        .await?
        .into_sink()?;
    let progress = progress();
    let outcome = pump(&sink, &messages, &progress, interrupt).await;
    progress.finish_and_clear();
    let outcome = match outcome {
        Ok(()) => sink.close().await.map_err(anyhow::Error::from),
        // The sink has tried again and again already.
        Err(error) if error.is::<portolan::Error>() => Err(error),
        // A line that is no message: what stands before it is waited for.
        Err(error) => match sink.close().await {
            Ok(_) => Err(error),
            Err(failed) => Err(failed.into()),
        },
    };
    match outcome {
        Ok(_) if interrupt.is_asked() => {
            let delivered = sink.delivered().await;
            Err(Interrupted {
                account: Some(
                    Failure::new("57014", "interrupted")
                        .detail(account(delivered))
                        .hint("what was read is acknowledged; emit the rest of the input"),
                ),
            }
            .into())
        }
        Ok(delivered) => {
            let mut out = StandardOutput::new();
            writeln!(out, "{} acknowledged", counted(delivered.acknowledged))?;
            Ok(out.flush()?)
        }
        Err(error) => Err(told(&error, sink.delivered().await).into()),
    }
}

/// Reads and emits until there is nothing more, or somebody asks to stop.
async fn pump(
    sink: &Sink,
    messages: &Messages,
    progress: &ProgressBar,
    interrupt: &Interrupt,
) -> Result<()> {
    let mut batches = input::batches();
    loop {
        let batch = tokio::select! {
            batch = batches.recv() => batch,
            () = interrupt.asked() => return Ok(()),
        };
        let Some(batch) = batch else { return Ok(()) };
        // Where a line is no message, those before it are sent all the same.
        let (made, wrong) = messages.of(batch?);
        if !made.is_empty() {
            let delivered = sink.emit(made).await?;
            progress.set_message(account(delivered));
        }
        if let Some(wrong) = wrong {
            return Err(wrong.into());
        }
    }
}

/// A line on a terminal's standard error; silence everywhere else.
fn progress() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    if std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
    }
    bar
}

/// The failure, with what was acknowledged before it.
fn told(error: &anyhow::Error, delivered: Delivered) -> Failure {
    let told = Told::of(error);
    let sqlstate = portolan::SqlState::from_code(told.sqlstate).code();
    let mut failure = Failure::new(sqlstate, told.message.clone());
    failure.hint = told.hint.map(str::to_owned);
    failure.detail(match told.detail {
        Some(detail) => format!("{}; {detail}", account(delivered)),
        None => account(delivered),
    })
}

fn account(delivered: Delivered) -> String {
    let Delivered {
        taken,
        acknowledged,
        ..
    } = delivered;
    format!("{acknowledged} of {} acknowledged", counted(taken))
}

fn counted(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_how_many_were_acknowledged() {
        let delivered = Delivered {
            taken: 3,
            acknowledged: 1,
        };
        let error = Failure::new("08001", "nothing answers")
            .hint("try again")
            .into();
        let failure = told(&error, delivered);
        assert_eq!(
            failure.detail.as_deref(),
            Some("1 of 3 messages acknowledged")
        );
        assert_eq!(
            (failure.sqlstate, failure.hint.as_deref()),
            ("08001", Some("try again"))
        );
        let error = Failure::new("22023", "no JSON").detail("line 7").into();
        let detail = told(
            &error,
            Delivered {
                taken: 1,
                acknowledged: 1,
            },
        )
        .detail;
        assert_eq!(
            detail.as_deref(),
            Some("1 of 1 message acknowledged; line 7")
        );
    }
}
