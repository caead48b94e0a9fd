//! One worker: write an object, read it back, delete it, again until the time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_data::{GateError, failure_of};

use super::content::Content;
use super::leftover::Leftover;
use super::options::Work;
use super::target::Storage;

/// How many bytes go into one part of a multipart upload, where ten thousand parts of it suffice.
const PART: u64 = 8 << 20;

/// The most parts that any store takes.
const PARTS: u64 = 10_000;

/// The error of a pass that was given up.
const STOPPED: &str = "it was given up";

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
pub(super) async fn work(
    storage: Storage,
    content: Content,
    work: Work,
    stop: Arc<AtomicBool>,
) -> Report {
    let mut report = Report::default();
    let begun = Instant::now();
    let worker = Worker {
        storage,
        content,
        transfer: work.transfer,
        stop,
    };
    loop {
        if let Err(error) = worker.pass(&mut report).await {
            report.ok = false;
            report.error = Some(error);
            return report;
        }
        report.ok = true;
        if !report.can_delete || worker.is_stopped() || begun.elapsed() >= work.time {
            return report;
        }
    }
}

struct Worker {
    storage: Storage,
    content: Content,
    transfer: u64,
    stop: Arc<AtomicBool>,
}

impl Worker {
    /// Whether nobody waits for the report any more.
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Writes, reads and deletes one object. The object is removed as well when something fails.
    async fn pass(&self, report: &mut Report) -> Result<(), String> {
        let mut leftover = Leftover::new(self.storage.clone());
        let mut done = self.write_and_read(report, &mut leftover).await;
        report.can_delete = false;
        if done.is_ok() {
            match leftover.delete().await {
                Ok(()) => report.can_delete = true,
                Err(error) => {
                    let said = said("deleting file", &error);
                    // That access has ended says nothing about what the storage allows.
                    match GateError::find(&error) {
                        Some(_) => done = Err(said),
                        None => report.error = Some(said),
                    }
                }
            }
        }
        leftover.clean().await;
        done
    }

    async fn write_and_read(
        &self,
        report: &mut Report,
        leftover: &mut Leftover,
    ) -> Result<(), String> {
        let begun = Instant::now();
        let written = self.write(leftover, &mut report.written.bytes).await;
        report.written.time += begun.elapsed();
        written?;
        let begun = Instant::now();
        let read = self.read(leftover.path(), &mut report.read.bytes).await;
        report.read.time += begun.elapsed();
        read
    }

    async fn write(&self, leftover: &mut Leftover, bytes: &mut u64) -> Result<(), String> {
        if self.transfer <= PART {
            leftover
                .put(self.content.part(0, self.transfer))
                .await
                .map_err(|error| said("writing chunk", &error))?;
            *bytes += self.transfer;
            return Ok(());
        }
        let part = PART.max(self.transfer.div_ceil(PARTS));
        let upload = self
            .storage
            .gated
            .put_multipart(leftover.path())
            .await
            .map_err(|error| said("opening writer", &error))?;
        let upload = leftover.uploading(upload);
        let mut offset = 0;
        while offset < self.transfer && !self.is_stopped() {
            let length = part.min(self.transfer - offset);
            upload
                .put_part(self.content.part(offset, length))
                .await
                .map_err(|error| said("writing chunk", &error))?;
            offset += length;
            *bytes += length;
        }
        if offset < self.transfer {
            return Err(STOPPED.to_owned());
        }
        leftover
            .complete()
            .await
            .map_err(|error| said("writing chunk", &error))
    }

    async fn read(&self, path: &Path, bytes: &mut u64) -> Result<(), String> {
        let result = self
            .storage
            .gated
            .get(path)
            .await
            .map_err(|error| said("opening reader", &error))?;
        let mut stream = result.into_stream();
        let mut offset = 0;
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error| said("reading content", &error))?;
            if self.is_stopped() {
                return Err(STOPPED.to_owned());
            }
            if !self.content.is_at(offset, &piece) {
                return Err("reading content: it is not what was written".to_owned());
            }
            offset += piece.len() as u64;
            *bytes += piece.len() as u64;
        }
        if offset != self.transfer {
            return Err(format!(
                "reading content: {offset} bytes came back of the {} that were written",
                self.transfer
            ));
        }
        Ok(())
    }
}

/// What happened while doing what; texts of the store itself are left out.
fn said(doing: &str, error: &object_store::Error) -> String {
    format!("{doing}: {}", failure_of(error).message)
}
