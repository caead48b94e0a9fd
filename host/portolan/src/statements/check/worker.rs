//! One worker: write an object, read it back, delete it, again until the time is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan_data::failure_of;

use super::content::Content;
use super::leftover::Leftover;
use super::options::Work;

/// How many bytes go into one part of a multipart upload, where ten thousand parts of it suffice.
const PART: u64 = 8 << 20;

/// The most parts that any store takes.
const PARTS: u64 = 10_000;

/// What one worker found.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Why it stopped, or why the object could not be deleted.
    pub(super) error: Option<String>,
    /// Whether everything but the deleting went well.
    pub(super) ok: bool,
    pub(super) can_delete: bool,
    pub(super) written: Flow,
    pub(super) read: Flow,
}

/// How many bytes went through, and how long that took.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

/// Works until the time is over; what fails is in the report.
pub(super) async fn work(store: Arc<dyn ObjectStore>, content: Content, work: Work) -> Report {
    let mut report = Report::default();
    let begun = Instant::now();
    loop {
        if let Err(error) = pass(&store, &content, work.transfer, &mut report).await {
            report.ok = false;
            report.error = Some(error);
            return report;
        }
        report.ok = true;
        if !report.can_delete || begun.elapsed() >= work.time {
            return report;
        }
    }
}

/// Writes, reads and deletes one object. The object is deleted as well when something fails.
async fn pass(
    store: &Arc<dyn ObjectStore>,
    content: &Content,
    transfer: u64,
    report: &mut Report,
) -> Result<(), String> {
    let mut leftover = Leftover::new(Arc::clone(store));
    let done = write_and_read(store, content, transfer, report, &mut leftover).await;
    let deleted = leftover.clean().await;
    report.can_delete = deleted.is_ok() && done.is_ok();
    if done.is_ok()
        && let Err(error) = deleted
    {
        report.error = Some(said("deleting file", &error));
    }
    done
}

async fn write_and_read(
    store: &Arc<dyn ObjectStore>,
    content: &Content,
    transfer: u64,
    report: &mut Report,
    leftover: &mut Leftover,
) -> Result<(), String> {
    let begun = Instant::now();
    let written = write(
        store,
        content,
        transfer,
        leftover,
        &mut report.written.bytes,
    )
    .await;
    report.written.time += begun.elapsed();
    written?;
    let begun = Instant::now();
    let read = read(
        store,
        content,
        transfer,
        leftover.path(),
        &mut report.read.bytes,
    )
    .await;
    report.read.time += begun.elapsed();
    read
}

async fn write(
    store: &Arc<dyn ObjectStore>,
    content: &Content,
    transfer: u64,
    leftover: &mut Leftover,
    bytes: &mut u64,
) -> Result<(), String> {
    if transfer <= PART {
        leftover
            .put(content.part(0, transfer))
            .await
            .map_err(|error| said("writing chunk", &error))?;
        *bytes += transfer;
        return Ok(());
    }
    let part = PART.max(transfer.div_ceil(PARTS));
    let upload = store
        .put_multipart(leftover.path())
        .await
        .map_err(|error| said("opening writer", &error))?;
    let upload = leftover.uploading(upload);
    let mut offset = 0;
    while offset < transfer {
        let length = part.min(transfer - offset);
        upload
            .put_part(content.part(offset, length))
            .await
            .map_err(|error| said("writing chunk", &error))?;
        offset += length;
        *bytes += length;
    }
    leftover
        .complete()
        .await
        .map_err(|error| said("writing chunk", &error))
}

async fn read(
    store: &Arc<dyn ObjectStore>,
    content: &Content,
    transfer: u64,
    path: &Path,
    bytes: &mut u64,
) -> Result<(), String> {
    let result = store
        .get(path)
        .await
        .map_err(|error| said("opening reader", &error))?;
    let mut stream = result.into_stream();
    let mut offset = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| said("reading content", &error))?;
        if !content.is_at(offset, &piece) {
            return Err("reading content: it is not what was written".to_owned());
        }
        offset += piece.len() as u64;
        *bytes += piece.len() as u64;
    }
    if offset != transfer {
        return Err(format!(
            "reading content: {offset} bytes came back of the {transfer} that were written"
        ));
    }
    Ok(())
}

/// What happened while doing what; texts of the store itself are left out.
fn said(doing: &str, error: &object_store::Error) -> String {
    format!("{doing}: {}", failure_of(error).message)
}
