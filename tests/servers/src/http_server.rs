//! An HTTP server whose answers are a function of the request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::child::listen;
use crate::{Authority, Identity};

/// What a request is answered with.
pub type Answer = Response<Bytes>;

type Handler = Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Answer> + Send + Sync>;

/// A server in a thread of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    /// Without TLS.
    pub fn plain<F>(handler: F) -> Self
    where
        F: Fn(Request<Bytes>) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    {
        Self::start(None, Arc::new(handler))
    }

    /// With TLS, and a certificate of `authority` for these names.
    pub fn encrypted<F>(authority: &Authority, names: &[&str], handler: F) -> Self
    where
        F: Fn(Request<Bytes>) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    {
        let acceptor = TlsAcceptor::from(Arc::new(config(&authority.issue(names))));
        Self::start(Some(acceptor), Arc::new(handler))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start(tls: Option<TlsAcceptor>, handler: Handler) -> Self {
        let listener = listen();
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a socket");
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                tokio::select! {
                    () = serve(listener, tls, handler) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An answer with a status, headers and a body.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(body.into()).expect("an answer")
}

async fn serve(listener: tokio::net::TcpListener, tls: Option<TlsAcceptor>, handler: Handler) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let handler = Arc::clone(&handler);
        match tls.clone() {
            None => drop(tokio::spawn(speak(stream, handler))),
            Some(tls) => drop(tokio::spawn(async move {
                // A client that does not trust the certificate goes away.
                if let Ok(stream) = tls.accept(stream).await {
                    speak(stream, handler).await;
                }
            })),
        }
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, handler: Handler) {
    let service = service_fn(move |request: Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let (head, body) = request.into_parts();
            let answered = match body.collect().await {
                Ok(body) => handler(Request::from_parts(head, body.to_bytes())).await,
                Err(_) => answer(400, &[], ""),
            };
            Ok::<_, Infallible>(answered.map(Full::new))
        }
    });
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

pub(crate) fn config(identity: &Identity) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
        .collect::<Result<_, _>>()
        .expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate with its key")
}
