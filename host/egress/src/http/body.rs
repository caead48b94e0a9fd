//! Bodies with a watch on them: what goes out tells that it moves, what comes in may not stall.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::client::error_of;
use crate::EgressError;

/// The least that a server has to send of a body while it is waited for as long as it may be
/// silent. A byte now and then is silence as well.
const LEAST_BYTES: usize = 1 << 10;

/// What a foreign body may fail with. It is never shown.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// How far the body of a request has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    frames: AtomicU64,
    /// Whether the next frame is waited for: then it is not the server that is slow.
    awaited: AtomicBool,
    /// Whether nobody wants the rest to be sent any more.
    stopped: AtomicBool,
}

impl Progress {
    /// Whether the body moved since `seen`, or has yet to be given to us.
    pub(super) fn goes_on(&self, seen: &mut u64) -> bool {
        let frames = self.frames.load(Ordering::Relaxed);
        let moved = std::mem::replace(seen, frames) != frames;
        moved || self.awaited.load(Ordering::Relaxed)
    }
}

/// A request's body that tells its progress, so that a long upload is told from a silent server.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) body: RequestBody,
    pub(super) progress: Arc<Progress>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.progress.stopped.load(Ordering::Relaxed) {
            return Poll::Ready(Some(Err("nobody waits for the answer".into())));
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let progress = &self.progress;
        progress
            .awaited
            .store(polled.is_pending(), Ordering::Relaxed);
        if polled.is_ready() {
            progress.frames.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    /// What is dropped is waited for no longer.
    fn drop(&mut self) {
        self.progress.awaited.store(false, Ordering::Relaxed);
    }
}

/// The body of an answer. A server that is silent for too long in the middle of it, or sends next
/// to nothing, ends it with [`EgressError::Silent`]. Only the time counts in which somebody waits.
///
/// Where it is dropped before its end, or was no success, what is left of the request is not sent.
#[derive(Debug)]
pub struct ResponseBody {
    body: Incoming,
    upload: Upload,
    host: String,
    port: u16,
    most: Duration,
    /// What is left of the time, and the bytes that came in the part that is used up.
    left: Duration,
    came: usize,
    /// Since when it is waited for.
    since: Option<Instant>,
    silence: Pin<Box<Sleep>>,
}

/// The body of the request that is answered, which may still be on its way.
#[derive(Debug)]
pub(crate) struct Upload {
    progress: Arc<Progress>,
    wanted: bool,
    answered: bool,
}

impl Upload {
    /// Of a request whose answer is a success, or is none.
    pub(super) fn new(progress: Arc<Progress>, success: bool) -> Self {
        Self {
            progress,
            wanted: success,
            answered: false,
        }
    }

    /// Of a request whose body is sent at once.
    pub(crate) fn whole() -> Self {
        Self::new(Arc::default(), true)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // A server may say that it is content before it has read the very end.
        if !(self.wanted && self.answered) {
            self.progress.stopped.store(true, Ordering::Relaxed);
        }
    }
}

impl ResponseBody {
    pub(crate) fn new(
        body: Incoming,
        upload: Upload,
        (host, port): (String, u16),
        most: Duration,
    ) -> Self {
        let mut upload = upload;
        upload.answered = body.is_end_stream();
        Self {
            body,
            upload,
            host,
            port,
            most,
            left: most,
            came: 0,
            since: None,
            silence: Box::pin(sleep(most)),
        }
    }

    /// The whole body, which may not be larger than `most` bytes.
    ///
    /// # Errors
    ///
    /// [`EgressError::TooLarge`], or why it did not come to its end.
    pub async fn collect_within(self, most: usize) -> Result<Bytes, EgressError> {
        let host = self.host.clone();
        let collected = Limited::new(self, most).collect().await;
        collected
            .map(http_body_util::Collected::to_bytes)
            .map_err(|error| match error.downcast::<EgressError>() {
                Ok(error) => *error,
                Err(other) if other.is::<LengthLimitError>() => EgressError::TooLarge {
                    host,
                    most: most as u64,
                },
                Err(_) => EgressError::Protocol { host },
            })
    }

    fn came(&mut self, bytes: usize) {
        if let Some(since) = self.since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        self.came = self.came.saturating_add(bytes);
        if self.came >= LEAST_BYTES {
            self.came = 0;
            self.left = self.most;
        }
    }

    fn has_waited_too_long(&mut self, context: &mut Context<'_>) -> bool {
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            self.silence.as_mut().reset(now + self.left);
        }
        self.silence.as_mut().poll(context).is_ready()
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(None) => {
                this.upload.answered = true;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                this.came(frame.data_ref().map_or(0, Bytes::len));
                this.upload.answered = this.body.is_end_stream();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error_of(
                &error, &this.host, this.port, this.most, false,
            )))),
            Poll::Pending if this.has_waited_too_long(context) => {
                Poll::Ready(Some(Err(EgressError::Silent {
                    host: this.host.clone(),
                    after: this.most,
                })))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
