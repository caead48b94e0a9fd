//! `portolan key rotate`: a newer store key in the same slots.

use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;

use crate::report;
use crate::store::Store;

/// How often the line of progress is drawn.
const TICK: Duration = Duration::from_millis(100);

/// Runs the command.
pub(super) async fn run(store: &Store) -> Result<()> {
    let session = store.session().await?;
    // Drawn on a terminal alone.
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(TICK);
    let done = session
        .rotate_key(|rows| progress.set_message(format!("{rows} rows")))
        .await;
    progress.finish_and_clear();
    let done = done?;
    if done.resumed {
        report::line("NOTICE: a change that was broken off was finished");
    }
    report::line(&format!(
        "NOTICE: generation {} of the store's key is in use alone; {} rows were brought under it",
        done.generation, done.rows
    ));
    Ok(())
}
