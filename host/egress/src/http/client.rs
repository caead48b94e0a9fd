//! The one HTTP client, in as many copies as there are TLS profiles and policies.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::future::{Either, select};
use http::{Request, Response};
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Builder, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::body::{Counted, Progress, RequestBody, ResponseBody, Upload};
use super::connector::Connector;
use crate::EgressError;
use crate::egress::Shared;
use crate::tls::TlsFault;

/// The most bytes of an answer's head: names and values of headers together. It is looked at
/// between reads, so that a head may be larger by what one read brings, which is no more than this.
pub(crate) const MOST_HEAD_BYTES: usize = 64 << 10;

/// The most headers of an answer.
pub(crate) const MOST_HEADERS: usize = 128;

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
    /// answers as well. A connection's own patience holds in the place of the operator's, and for
    /// being connected as well, beside the limits of the guard.
    pub(crate) async fn send(
        &self,
        request: Request<RequestBody>,
        patience: Option<Duration>,
    ) -> Result<Response<ResponseBody>, EgressError> {
        let silence = patience.unwrap_or(self.silence);
        let (host, port) = super::place(request.uri());
        let progress = Arc::new(Progress::default());
        let mut request = request.map(|body| Counted {
            body,
            progress: Arc::clone(&progress),
        });
        // Until there is a connection, the limits of the guard count.
        let mut connection = capture_connection(&mut request);
        let connected = async {
            connection.wait_for_connection_metadata().await;
        };
        let answer = self.client.request(request);
        let answer = async {
            let (mut answer, connected) = (std::pin::pin!(answer), std::pin::pin!(connected));
            let reaching = select(answer.as_mut(), connected);
            let reached = match patience {
                Some(patience) => timeout(patience, reaching).await.ok()?,
                None => reaching.await,
            };
            if let Either::Left((answer, _)) = reached {
                return Some(answer);
            }
            // From here to the whole head, but for the time in which the request's own body still
            // moves: a server that sends a byte of the head now and then is no better than a
            // silent one.
            let mut seen = 0;
            loop {
                match timeout(silence, answer.as_mut()).await {
                    Ok(answer) => return Some(answer),
                    Err(_) if progress.goes_on(&mut seen) => {}
                    Err(_) => return None,
                }
            }
        };
        match answer.await {
            Some(Ok(answer)) => {
                let upload = Upload::new(progress, answer.status().is_success());
                let place = (host, port);
                Ok(answer.map(|body| ResponseBody::new(body, upload, place, silence)))
            }
            Some(Err(error)) => Err(error_of(&error, &host, port, silence, true)),
            None => Err(EgressError::Silent {
                host,
                after: silence,
            }),
        }
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
pub(crate) fn error_of(
    error: &(dyn StdError + 'static),
    host: &str,
    port: u16,
    silence: Duration,
    unanswered: bool,
) -> EgressError {
    let mut next = Some(error);
    let mut closed = false;
    let host = host.to_owned();
    while let Some(error) = next {
        if let Some(own) = error.downcast_ref::<EgressError>() {
            return own.clone();
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            if let Some(fault) = TlsFault::of_io(error) {
                // After the handshake: the server may have read something.
                let sent = true;
                return EgressError::Tls {
                    host,
                    port,
                    fault,
                    sent,
                };
            }
            match error.kind() {
                // Ours: the server does not read.
                io::ErrorKind::TimedOut => {
                    return EgressError::Silent {
                        host,
                        after: silence,
                    };
                }
                // A body that is not framed as it has to be.
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                    return EgressError::Protocol { host };
                }
                _ => closed = true,
            }
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_parse() {
                return EgressError::Protocol { host };
            }
            if error.is_user() {
                return EgressError::Body { host };
            }
            closed = true;
        }
        next = error.source();
    }
    match closed {
        true => EgressError::Closed { host, unanswered },
        false => EgressError::Protocol { host },
    }
}
