//! The one HTTP client, in as many copies as there are TLS profiles and policies.

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Request, Response};
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::body::{Counted, RequestBody, ResponseBody};
use super::connector::Connector;
use crate::EgressError;
use crate::egress::Shared;
use crate::tls::TlsFault;

/// The most bytes of an answer's head: names and values of headers together.
const MOST_HEAD_BYTES: usize = 64 << 10;

/// The most headers of an answer.
const MOST_HEADERS: usize = 128;

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);

/// How many connections that nobody uses are kept for one host.
const MOST_IDLE: usize = 32;

/// A client for one TLS profile under one policy. Its connections are shared by all who use it.
#[derive(Debug)]
pub(crate) struct HttpClient {
    client: Client<Connector, Counted>,
    silence: Duration,
}

impl HttpClient {
    pub(crate) fn new(
        egress: Weak<Shared>,
        tls: Option<Arc<ClientConfig>>,
        silence: Duration,
        runtime: Option<Handle>,
    ) -> Self {
        let mut builder = match runtime {
            Some(runtime) => Client::builder(On(runtime)),
            None => Client::builder(TokioExecutor::new()),
        };
        configure(&mut builder);
        let connector = Connector { egress, tls };
        Self {
            client: builder.build(connector),
            silence,
        }
    }

    /// Sends a request and waits for the head of the answer, whatever its status. Redirects are
    /// answers as well.
    pub(crate) async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, EgressError> {
        let (host, port) = super::place(request.uri());
        let frames = Arc::new(AtomicU64::new(0));
        let request = request.map(|body| Counted {
            body,
            frames: Arc::clone(&frames),
        });
        let mut answer = std::pin::pin!(self.client.request(request));
        let mut seen = 0;
        let answer = loop {
            match timeout(self.silence, &mut answer).await {
                Ok(Ok(answer)) => break answer,
                Ok(Err(error)) => return Err(error_of(&error, &host, port, true)),
                Err(_) => {
                    // While the request's own body still moves, the server has nothing to answer.
                    let now = frames.load(Ordering::Relaxed);
                    if now == seen {
                        return Err(EgressError::Silent {
                            host,
                            after: self.silence,
                        });
                    }
                    seen = now;
                }
            }
        };
        Ok(answer.map(|body| ResponseBody::new(body, host, port, self.silence)))
    }
}

fn configure(builder: &mut Builder) {
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MOST_IDLE)
        .http1_max_buf_size(MOST_HEAD_BYTES)
        .http1_max_headers(MOST_HEADERS)
        // What goes over the wire is what the caller wrote: `Host` is set from the URI.
        .set_host(true);
}

/// Keeps connections on one runtime.
#[derive(Debug, Clone)]
struct On(Handle);

impl<F> hyper::rt::Executor<F> for On
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// What an error of the HTTP library means. Its text is not looked at.
pub(super) fn error_of(
    error: &(dyn StdError + 'static),
    host: &str,
    port: u16,
    unanswered: bool,
) -> EgressError {
    let mut next = Some(error);
    let mut closed = false;
    while let Some(error) = next {
        if let Some(own) = error.downcast_ref::<EgressError>() {
            return own.clone();
        }
        if let Some(fault) = error.downcast_ref::<io::Error>().and_then(TlsFault::of_io) {
            return EgressError::Tls {
                host: host.to_owned(),
                port,
                fault,
            };
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_parse() {
                return EgressError::Protocol {
                    host: host.to_owned(),
                };
            }
            if error.is_user() {
                return EgressError::Body {
                    host: host.to_owned(),
                };
            }
            closed = true;
        }
        closed = closed || error.is::<io::Error>();
        next = error.source();
    }
    let host = host.to_owned();
    match closed {
        true => EgressError::Closed { host, unanswered },
        false => EgressError::Protocol { host },
    }
}
