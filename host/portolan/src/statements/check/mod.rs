//! CHECK EXTERNAL CONNECTION: how fast and how well a storage works.
//!
//! `content` is what is written, `leftover` takes care that nothing stays behind, `worker` is one
//! of those who write and read, `options` are how much, `units` how that is written, `target` is
//! what is checked.

mod content;
mod leftover;
mod options;
mod target;
mod units;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use portolan_statement as ast;

use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows, probing};
use content::Content;
use options::Work;
use target::Storage;
use worker::Report;

const COLUMNS: &[&str] = &[
    "node",
    "locality",
    "ok",
    "error",
    "transferred",
    "read_speed",
    "write_speed",
    "can_delete",
];

/// The number of the one node that there is.
const NODE: i64 = 1;

/// Lets the workers write, read and delete; a row for each tells how it went. That the storage
/// fails is in the rows; only what comes before it is an error of the statement.
pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::CheckConnection,
) -> Result<Outcome, Error> {
    let target = target::read(call, &statement.target)?;
    let work = Work::read(call, statement)?;
    call.read(move |access| work.require(access)).await?;
    let storage = target::open(call, target).await?;
    let reports = run(call, &storage, work).await?;
    let ok = reports.iter().filter(|report| report.ok).count();
    call.note(Some(format!("{ok} of {} workers ok", reports.len())))
        .await?;
    let rows = reports.into_iter().map(row).collect();
    Ok(Outcome::rows(Rows::ready(COLUMNS, rows)))
}

/// Runs the workers side by side. When this is dropped they are not cut off, which could leave an
/// object behind, but end after their current step and clean up.
async fn run(call: &Call<'_>, storage: &Storage, work: Work) -> Result<Vec<Report>, Error> {
    let content = Content::random()?;
    let stop = StopOnDrop::default();
    let running: Vec<_> = (0..work.workers)
        .map(|_| {
            let worker = worker::work(storage.clone(), content.clone(), work, Arc::clone(&stop.0));
            call.host.runtime.spawn(worker)
        })
        .collect();
    let mut reports = Vec::with_capacity(running.len());
    for report in running {
        reports.push(report.await.map_err(|_| probing::interrupted())?);
    }
    Ok(reports)
}

/// Tells the workers that nobody waits for them any more.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn row(report: Report) -> Vec<Cell> {
    let transferred = report.written.bytes;
    vec![
        NODE.into(),
        "".into(),
        report.ok.into(),
        report.error.unwrap_or_default().into(),
        units::size(transferred).into(),
        units::rate(report.read.bytes, report.read.time).into(),
        units::rate(report.written.bytes, report.written.time).into(),
        report.can_delete.into(),
    ]
}
