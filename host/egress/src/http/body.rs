//! Bodies with a watch on them: what goes out tells that it moves, what comes in may not stall.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::client::error_of;
use crate::EgressError;

/// What a foreign body may fail with. It is never shown.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a request.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// A request's body that counts its frames, so that a long upload is told from a silent server.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) body: RequestBody,
    pub(super) frames: Arc<AtomicU64>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.frames.fetch_add(1, Ordering::Relaxed);
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

/// The body of an answer. A server that is silent for too long in the middle of it ends it with
/// [`EgressError::Silent`].
#[derive(Debug)]
pub struct ResponseBody {
    body: Incoming,
    host: String,
    port: u16,
    most: Duration,
    silence: Pin<Box<Sleep>>,
}

impl ResponseBody {
    pub(super) fn new(body: Incoming, host: String, port: u16, most: Duration) -> Self {
        Self {
            body,
            host,
            port,
            most,
            silence: Box::pin(sleep(most)),
        }
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
            Poll::Ready(frame) => {
                this.silence.as_mut().reset(Instant::now() + this.most);
                Poll::Ready(frame.map(|frame| {
                    frame.map_err(|error| error_of(&error, &this.host, this.port, false))
                }))
            }
            Poll::Pending => match this.silence.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Some(Err(EgressError::Silent {
                    host: this.host.clone(),
                    after: this.most,
                }))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
