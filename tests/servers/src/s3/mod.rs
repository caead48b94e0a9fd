//! A real S3 server in this process: `s3s` with `s3s-fs` behind a front with TLS, which numbers and
//! notes the requests, may change them, and may answer in the server's place.
//!
//! The client believes it to be AWS: [`Server::ways`] says where its names have to lead.

mod files;

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::MultiDomain;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use files::Files;
pub use files::Noted;

/// The bucket.
pub const BUCKET: &str = "harbour";
/// Its region.
pub const REGION: &str = "eu-north-1";
/// The host of the bucket at AWS.
pub const HOST: &str = "harbour.s3.eu-north-1.amazonaws.com";
/// A server of somebody's own, which serves the bucket in a path and before its name, on port 9000.
pub const OWN_HOST: &str = "minio.example";
/// The token service of its region.
pub const TOKEN_HOST: &str = "sts.eu-north-1.amazonaws.com";
/// The one key that the server knows.
pub const KEY: &str = "AKIAPORTOLANTESTKEY1";
/// Its secret.
pub const SECRET: &str = "wJalr+XUtnFEMI/K7MDENG/bPxRfiCYTESTSECRET";
/// What a server writes into the text of an error; it must be shown nowhere.
pub const CHATTER: &str = "hunter2-of-the-server";

/// A body of an answer.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn StdError + Send + Sync>>;

/// What a front does with a request before the server sees it; an answer is given in its place.
type Before = dyn Fn(usize, &mut Parts) -> Option<Response<Body>> + Send + Sync;

/// What a front does with the answer.
type After = dyn Fn(&mut http::response::Parts) + Send + Sync;

/// A front: requests are numbered from 0.
pub struct Front {
    /// What it does with a request; an answer is given in the server's place.
    pub before: Box<Before>,
    /// What it does with an answer.
    pub after: Box<After>,
    /// The body of the answer to this request breaks off after so many bytes.
    pub cut: Option<(usize, usize)>,
    /// The operations that the key may not do, in the words of the API.
    pub denies: &'static [&'static str],
    /// The sessions of the key; where there are none, tokens are not looked at.
    pub sessions: Option<Sessions>,
}

/// Sessions of the one key: their tokens, and when each ends. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<String, Instant>>>);

impl Sessions {
    /// Begins a session that lives so long.
    pub fn begin(&self, token: &str, lifetime: Duration) {
        let mut sessions = self.0.lock().expect("no panic");
        sessions.insert(token.to_owned(), Instant::now() + lifetime);
    }

    fn check(&self, token: Option<&str>) -> s3s::S3Result<()> {
        let sessions = self.0.lock().expect("no panic");
        match token.and_then(|token| sessions.get(token)) {
            Some(end) if Instant::now() < *end => Ok(()),
            Some(_) => Err(s3s::s3_error!(ExpiredToken, "{CHATTER}")),
            None => Err(s3s::s3_error!(InvalidToken, "{CHATTER}")),
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front")
            .field("cut", &self.cut)
            .field("denies", &self.denies)
            .finish_non_exhaustive()
    }
}

impl Front {
    /// One that hands everything on.
    #[must_use]
    pub fn open() -> Self {
        Self::answering(|_, _| None)
    }

    /// One that answers some requests itself.
    pub fn answering(
        before: impl Fn(usize, &mut Parts) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            before: Box::new(before),
            after: Box::new(|_| {}),
            cut: None,
            denies: &[],
            sessions: None,
        }
    }

    /// A client whose clock is an hour behind: the date of each request is moved, which the server
    /// compares with its own, and the time of each answer is an hour ahead.
    #[must_use]
    pub fn an_hour_ahead() -> Self {
        Self {
            before: Box::new(|_, request| {
                let date = request.headers.get_mut("x-amz-date").expect("signed");
                let text = date.to_str().expect("text");
                let then = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text)
                    .and_then(|parsed| parsed.to_datetime())
                    .expect("a date");
                // In the first hour of a day into the future: the day stays that of the signature,
                // and the server minds either.
                let hours = if then.hour() == 0 { 1 } else { -1 };
                let then = then
                    .checked_add(jiff::Span::new().hours(hours))
                    .expect("a date");
                let text = then.strftime("%Y%m%dT%H%M%SZ").to_string();
                *date = HeaderValue::from_str(&text).expect("a value");
                None
            }),
            after: Box::new(|answer| {
                let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3600);
                let ahead = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                let ahead = HeaderValue::from_str(&ahead).expect("a value");
                answer.headers.insert("date", ahead);
            }),
            ..Self::open()
        }
    }

    /// The server's own policy denies these operations.
    #[must_use]
    pub fn denying(operations: &'static [&'static str]) -> Self {
        Self {
            denies: operations,
            ..Self::open()
        }
    }
}

/// One request as a front saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its target.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
}

/// A running server, and its certificate authority.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its files lie: a directory for each bucket.
    pub root: tempfile::TempDir,
    seen: Arc<Mutex<Vec<Seen>>>,
    noted: Arc<Mutex<Vec<Noted>>>,
    /// The authority of its certificate, in PEM.
    pub authority: String,
}

/// Knows one key, or that it knows none.
struct OneKey;

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, id: &str) -> s3s::S3Result<SecretKey> {
        match id == KEY {
            true => Ok(SecretKey::from(SECRET)),
            false => Err(s3s::s3_error!(InvalidAccessKeyId, "{CHATTER}")),
        }
    }
}

/// Allows the one key everything but these operations, in one of these sessions.
struct Denies(&'static [&'static str], Option<Sessions>);

#[async_trait::async_trait]
impl S3Access for Denies {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> s3s::S3Result<()> {
        if let Some(sessions) = &self.1 {
            let token = context.headers().get("x-amz-security-token");
            sessions.check(token.and_then(|token| token.to_str().ok()))?;
        }
        let denied = self.0.contains(&context.s3_op().name());
        match context.credentials() {
            Some(_) if !denied => Ok(()),
            _ => Err(s3s::s3_error!(AccessDenied, "{CHATTER}")),
        }
    }
}

fn service(files: Files, front: &Front) -> S3Service {
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(OneKey);
    builder.set_access(Denies(front.denies, front.sessions.clone()));
    let domain = HOST.strip_prefix("harbour.").expect("the bucket first");
    let own = format!("{OWN_HOST}:9000");
    builder.set_host(MultiDomain::new([domain, "s3.amazonaws.com", &own]).expect("a domain"));
    builder.build()
}

/// Starts `s3s` over a fresh directory with one bucket, behind a front with TLS.
pub async fn start(front: Front) -> Server {
    let own = format!("*.{OWN_HOST}");
    let names = [
        HOST,
        "*.s3.amazonaws.com",
        "s3.amazonaws.com",
        OWN_HOST,
        &own,
    ];
    start_as(&names, front).await
}

/// The same with a certificate for these names.
pub async fn start_as(names: &[&str], front: Front) -> Server {
    let root = tempfile::tempdir().expect("a directory");
    let files = Files::new(root.path());
    let noted = Arc::clone(&files.noted);
    let service = service(files, &front);
    std::fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
    let (acceptor, authority) = acceptor(names);
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let front = Arc::new(front);
    let listener = listener();
    let address = listener.local_addr().expect("an address");
    let all = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (front, seen) = (Arc::clone(&front), Arc::clone(&all));
            let (service, acceptor) = (service.clone(), acceptor.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let handle = |request| {
                    handle(
                        Arc::clone(&front),
                        Arc::clone(&seen),
                        service.clone(),
                        request,
                    )
                };
                serve(stream, handle).await;
            });
        }
    });
    Server {
        address,
        root,
        seen,
        noted,
        authority,
    }
}

async fn handle(
    front: Arc<Front>,
    seen: Arc<Mutex<Vec<Seen>>>,
    service: S3Service,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let number = {
        let mut seen = seen.lock().expect("no panic");
        seen.push(Seen {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        });
        seen.len() - 1
    };
    if let Some(answer) = (front.before)(number, &mut parts) {
        // What was sent is read, so that the answer is not lost with the connection.
        let _ = body.collect().await;
        return Ok(answer);
    }
    let request = Request::from_parts(parts, s3s::Body::from(body));
    let answer = service.call(request).await;
    let (mut head, body) = answer.expect("an answer").into_parts();
    (front.after)(&mut head);
    if let Some((which, most)) = front.cut
        && which == number
    {
        let body = body.collect().await.expect("a body").to_bytes();
        return Ok(Response::from_parts(head, broken(body.slice(..most))));
    }
    Ok(Response::from_parts(
        head,
        Body::new(body.map_err(Into::into)),
    ))
}

/// A body that breaks off after these bytes.
fn broken(bytes: Bytes) -> Body {
    let first = futures::stream::iter([Ok(Frame::data(bytes))]);
    let lost = futures::stream::once(async {
        // What was written before is on its way then.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let pieces = futures::StreamExt::chain(first, lost);
    Body::new(BodyExt::map_err(StreamBody::new(pieces), Into::into))
}

/// Serves HTTP on a connection with this function.
pub async fn serve<S, F, H>(stream: S, handle: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Result<Response<Body>, Infallible>>,
    H: Fn(Request<Incoming>) -> F,
{
    // A client that goes away is no fault of the server.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(handle))
        .await;
}

/// A port of loopback.
fn listener() -> TcpListener {
    let listener = crate::child::listen();
    listener.set_nonblocking(true).expect("a socket");
    TcpListener::from_std(listener).expect("a socket")
}

/// Speaks TLS with a certificate for these names, of an authority that is returned in PEM.
#[must_use]
pub fn acceptor(names: &[&str]) -> (TlsAcceptor, String) {
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = parameters
        .self_signed(&authority_key)
        .expect("an authority");
    let issuer = rcgen::Issuer::new(parameters, &authority_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let parameters = rcgen::CertificateParams::new(names).expect("parameters");
    let certificate = parameters.signed_by(&key, &issuer).expect("a certificate");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("versions")
    .with_no_client_auth()
    .with_single_cert(
        vec![certificate.der().clone()],
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
    )
    .expect("a certificate");
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}

impl Server {
    /// Where the names lead that the client knows: `host:port`, and the server's address.
    #[must_use]
    pub fn ways(&self) -> Vec<(String, SocketAddr)> {
        let hosts = [
            HOST,
            "harbour.s3.amazonaws.com",
            "nowhere.s3.eu-north-1.amazonaws.com",
            "s3.amazonaws.com",
        ];
        let ways = hosts.iter().map(|host| format!("{host}:443"));
        let own = ["", "harbour."].map(|bucket| format!("{bucket}{OWN_HOST}:9000"));
        ways.chain(own).map(|way| (way, self.address)).collect()
    }

    /// The requests that came so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// What the objects that came were to be like.
    #[must_use]
    pub fn noted(&self) -> Vec<Noted> {
        self.noted.lock().expect("no panic").clone()
    }
}

/// An answer of AWS as its documentation writes errors.
#[must_use]
pub fn refusal(status: u16, code: &str, more: &str) -> Response<Body> {
    xml(
        status,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
             <Message>{CHATTER}</Message>{more}<RequestId>4442587FB7D0A2F9</RequestId></Error>"
        ),
    )
}

/// An answer with this document.
#[must_use]
pub fn xml(status: u16, body: String) -> Response<Body> {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut answer = Response::new(Body::new(body));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    answer
}
