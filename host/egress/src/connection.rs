//! A connection to an endpoint of a plan, as a provider uses it through the host.
//!
//! It is opened by the dial guard and never leads elsewhere. What the contract says of a connection
//! holds here, so that a sandbox only hands calls on: TLS once, with the endpoint's own profile and
//! over nothing that came in clear; no secret before TLS where the endpoint has a profile; and after
//! a failure nothing but that failure.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use portolan_contract::{Endpoint, Failure, FailureClass, StoredPlan};
use portolan_secret::SecretBytes;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio_rustls::client::TlsStream;

use crate::http::{Stream, Watched};
use crate::sasl::Channel;
use crate::tls::{TlsFault, TlsProfile, binding};
use crate::{Egress, EgressError, Resolved};

/// The most bytes that are taken from the network before somebody reads them.
const AHEAD: usize = 64 << 10;
/// The most bytes of one read.
const MOST_READ: usize = 1 << 20;
/// The most parts of one write, and the most bytes of them together.
const MOST_PARTS: usize = 64;
const MOST_WRITTEN: usize = 16 << 20;
/// The most protocols that are offered, and the most bytes of one.
const MOST_PROTOCOLS: usize = 8;
const LONGEST_PROTOCOL: usize = 255;

/// A connection to an endpoint. Dropping it closes it.
pub struct Connection {
    egress: Egress,
    endpoint: Endpoint,
    /// Gone after a failure.
    stream: Option<Stream>,
    /// What came and was not read yet.
    arrived: Vec<u8>,
    /// The stream has come to its end, or broke.
    end: Option<Result<(), EgressError>>,
    /// Nothing more will be sent.
    finished: bool,
    failed: Option<Failure>,
}

/// A run of bytes to send.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// Bytes that the provider sees.
    Shown(&'a [u8]),
    /// Bytes that it does not see.
    Secret(&'a SecretBytes),
}

impl<'a> Piece<'a> {
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Shown(bytes) => bytes,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

/// What was learned in a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The protocol that was agreed on, if one was.
    pub alpn: Option<String>,
    /// The channel binding `tls-server-end-point` of RFC 5929; empty where there is none.
    pub server_end_point: Vec<u8>,
}

/// Why a call of a connection failed. Every text is ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// On the way out.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// An earlier call failed, and this is why.
    #[error("{0}")]
    Failed(Failure),
    /// TLS was asked for with a profile that the endpoint does not name.
    #[error("TLS is spoken with the profile that the endpoint names, and with no other")]
    OtherProfile,
    /// TLS is spoken already.
    #[error("TLS is spoken on this connection already")]
    AlreadyTls,
    /// The server sent something before TLS began.
    #[error("the server sent something in clear that would pass for encrypted")]
    BytesBeforeTls,
    /// More protocols are offered than this.
    #[error("more than {0} protocols are offered")]
    TooManyProtocols(usize),
    /// A protocol to offer is empty or too long.
    #[error("a protocol to offer has 1 to {LONGEST_PROTOCOL} bytes")]
    ProtocolName,
    /// A secret was to be sent before TLS.
    #[error("a secret is not sent to this endpoint before TLS is spoken")]
    SecretInClear,
    /// More parts are written at once than this.
    #[error("more than {0} parts are written at once")]
    TooManyParts(usize),
    /// More bytes are written at once than this.
    #[error("more than {0} bytes are written at once")]
    TooManyBytes(usize),
    /// Something was to be sent after the end.
    #[error("nothing can be sent after the connection was closed")]
    Finished,
    /// No byte was asked for.
    #[error("a read asks for one byte at least")]
    NothingAsked,
}

impl ConnectionError {
    /// The class that decides the SQLSTATE.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Egress(error) => error.class(),
            Self::Failed(failure) => failure.class.clone(),
            Self::OtherProfile | Self::BytesBeforeTls | Self::SecretInClear => FailureClass::Denied,
            Self::TooManyProtocols(_) | Self::TooManyParts(_) | Self::TooManyBytes(_) => {
                FailureClass::Budget
            }
            Self::AlreadyTls | Self::ProtocolName | Self::Finished | Self::NothingAsked => {
                FailureClass::Protocol
            }
        }
    }

    /// The same as the failure of a step or a statement.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let hint = match self {
            Self::Egress(error) => return error.failure(),
            Self::Failed(failure) => return failure.clone(),
            Self::BytesBeforeTls => {
                "check the port; if it is right, look for something on the way that adds to what \
                 the server says"
            }
            _ => "report it to the provider's author, or use another version of the provider",
        };
        Failure::new(self.class(), self.to_string()).with_hint(hint)
    }
}

impl Connection {
    /// Dials an endpoint at the addresses that were judged.
    ///
    /// # Errors
    ///
    /// Why no address took the connection.
    pub async fn open(
        egress: &Egress,
        resolved: &Resolved,
        endpoint: &Endpoint,
    ) -> Result<Self, EgressError> {
        let stream = egress.connect(resolved).await?;
        let most = egress.options().silence_timeout;
        Ok(Self {
            egress: egress.clone(),
            endpoint: endpoint.clone(),
            stream: Some(Stream::Plain(Watched::new(stream, most))),
            arrived: Vec::new(),
            end: None,
            finished: false,
            failed: None,
        })
    }

    /// Closes it, for this reason: every later call fails likewise. Whoever stops waiting for a call
    /// calls this, because nobody knows how far the call got.
    pub fn fail(&mut self, failure: Failure) {
        self.stream = None;
        self.arrived = Vec::new();
        self.failed = Some(failure);
    }

    /// Speaks TLS from here on, with the profile of the plan that the endpoint names, and the
    /// endpoint's own name.
    ///
    /// # Errors
    ///
    /// Another profile, a second time, bytes of the server that nobody has read yet, more than 8
    /// protocols, or the handshake failed.
    pub async fn start_tls(
        &mut self,
        plan: &StoredPlan,
        profile: &str,
        alpn: &[String],
    ) -> Result<TlsFacts, ConnectionError> {
        let started = self.handshake(plan, profile, alpn).await;
        self.kept(started)
    }

    async fn handshake(
        &mut self,
        plan: &StoredPlan,
        profile: &str,
        alpn: &[String],
    ) -> Result<TlsFacts, ConnectionError> {
        self.is_usable()?;
        if alpn.len() > MOST_PROTOCOLS {
            return Err(ConnectionError::TooManyProtocols(MOST_PROTOCOLS));
        }
        if !alpn
            .iter()
            .all(|name| (1..=LONGEST_PROTOCOL).contains(&name.len()))
        {
            return Err(ConnectionError::ProtocolName);
        }
        if self.endpoint.tls_profile.as_deref() != Some(profile) {
            return Err(ConnectionError::OtherProfile);
        }
        if self.is_encrypted() {
            return Err(ConnectionError::AlreadyTls);
        }
        if self.finished {
            return Err(ConnectionError::Finished);
        }
        self.look().await;
        if !self.arrived.is_empty() {
            return Err(ConnectionError::BytesBeforeTls);
        }
        let profile = TlsProfile::of_plan(plan, profile).map_err(EgressError::from)?;
        let Some(Stream::Plain(stream)) = self.stream.take() else {
            return Err(ConnectionError::AlreadyTls);
        };
        let Endpoint { host, port, .. } = &self.endpoint;
        let stream = self
            .egress
            .start_tls(stream, host, *port, &profile, alpn)
            .await?;
        let facts = TlsFacts::of(&stream);
        self.stream = Some(Stream::Tls(Box::new(stream)));
        Ok(facts)
    }

    /// Sends all pieces, in order, or fails: then nobody knows how much of them was sent.
    ///
    /// # Errors
    ///
    /// More than 64 pieces or 16 MiB, a secret before TLS where the endpoint names a profile,
    /// something after the end, or the connection broke.
    pub async fn write(&mut self, pieces: &[Piece<'_>]) -> Result<(), ConnectionError> {
        let written = self.send(pieces).await;
        self.kept(written)
    }

    async fn send(&mut self, pieces: &[Piece<'_>]) -> Result<(), ConnectionError> {
        self.is_usable()?;
        if pieces.len() > MOST_PARTS {
            return Err(ConnectionError::TooManyParts(MOST_PARTS));
        }
        let bytes: usize = pieces.iter().map(|piece| piece.bytes().len()).sum();
        if bytes > MOST_WRITTEN {
            return Err(ConnectionError::TooManyBytes(MOST_WRITTEN));
        }
        let holds_a_secret = pieces.iter().any(|piece| matches!(piece, Piece::Secret(_)));
        if holds_a_secret && self.endpoint.tls_profile.is_some() && !self.is_encrypted() {
            return Err(ConnectionError::SecretInClear);
        }
        if self.finished {
            return Err(ConnectionError::Finished);
        }
        let Some(stream) = &mut self.stream else {
            return Err(self.closed().into());
        };
        let sent = write_all(stream, pieces).await;
        sent.map_err(|error| self.broken(&error).into())
    }

    /// Waits for at least one byte and gives at most `most` of them, never more than 1 MiB; none is
    /// the end of the stream.
    ///
    /// # Errors
    ///
    /// No byte was asked for, or the connection broke.
    pub async fn read(&mut self, most: usize) -> Result<Vec<u8>, ConnectionError> {
        let received = self.receive(most).await;
        self.kept(received)
    }

    /// As [`Connection::read`], without waiting: nothing if nothing is there. A failure of this
    /// call is not kept.
    ///
    /// # Errors
    ///
    /// As [`Connection::read`].
    pub async fn try_read(&mut self, most: usize) -> Result<Option<Vec<u8>>, ConnectionError> {
        self.look().await;
        self.receive(most).now_or_never().transpose()
    }

    async fn receive(&mut self, most: usize) -> Result<Vec<u8>, ConnectionError> {
        self.is_usable()?;
        if most == 0 {
            return Err(ConnectionError::NothingAsked);
        }
        poll_fn(|context| self.poll_readable(context)).await;
        if self.arrived.is_empty()
            && let Some(Err(error)) = &self.end
        {
            return Err(error.clone().into());
        }
        let most = most.min(MOST_READ);
        if self.arrived.len() <= most {
            return Ok(std::mem::take(&mut self.arrived));
        }
        let rest = self.arrived.split_off(most);
        Ok(std::mem::replace(&mut self.arrived, rest))
    }

    /// Ready once it can be read, has ended or has failed. Nothing is read: what is taken from the
    /// network meanwhile is kept for the next read.
    pub fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(());
        };
        if self.end.is_some() || !self.arrived.is_empty() {
            return Poll::Ready(());
        }
        let mut space = vec![0; AHEAD];
        let mut buffer = ReadBuf::new(&mut space);
        let read = ready!(Pin::new(stream).poll_read(context, &mut buffer));
        let filled = buffer.filled().len();
        match read {
            Ok(()) if filled == 0 => self.end = Some(Ok(())),
            Ok(()) => {
                space.truncate(filled);
                self.arrived = space;
            }
            Err(error) => self.end = Some(Err(self.broken(&error))),
        }
        Poll::Ready(())
    }

    /// Takes in what is there, without waiting for more.
    async fn look(&mut self) {
        // Whoever never waits would never let the runtime see what has come.
        tokio::task::yield_now().await;
        let _ = poll_fn(|context| self.poll_readable(context)).now_or_never();
    }

    /// Says that nothing more will be sent; reading goes on. Once is enough.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub async fn close(&mut self) -> Result<(), ConnectionError> {
        let closed = self.finish().await;
        self.kept(closed)
    }

    async fn finish(&mut self) -> Result<(), ConnectionError> {
        self.is_usable()?;
        if self.finished {
            return Ok(());
        }
        let Some(stream) = &mut self.stream else {
            return Err(self.closed().into());
        };
        let finished = stream.shutdown().await;
        finished.map_err(|error| self.broken(&error))?;
        self.finished = true;
        Ok(())
    }

    /// What an authentication that runs on this connection may be bound to.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Channel {
            host: self.endpoint.host.clone(),
            server_end_point: match &self.stream {
                Some(Stream::Tls(stream)) => TlsFacts::of(stream).server_end_point,
                Some(Stream::Plain(_)) | None => Vec::new(),
            },
        }
    }

    fn is_usable(&self) -> Result<(), ConnectionError> {
        match &self.failed {
            Some(failure) => Err(ConnectionError::Failed(failure.clone())),
            None => Ok(()),
        }
    }

    fn is_encrypted(&self) -> bool {
        matches!(self.stream, Some(Stream::Tls(_)))
    }

    /// The same result; a failure ends the connection.
    fn kept<T>(&mut self, result: Result<T, ConnectionError>) -> Result<T, ConnectionError> {
        if let Err(error) = &result {
            self.fail(error.failure());
        }
        result
    }

    fn closed(&self) -> EgressError {
        EgressError::Closed {
            host: self.endpoint.host.clone(),
            unanswered: false,
        }
    }

    /// Why reading or writing failed. In TLS 1.3 a server judges the client's certificate after the
    /// handshake, so that its alert comes here.
    fn broken(&self, error: &io::Error) -> EgressError {
        match TlsFault::of_io(error) {
            Some(fault) => EgressError::Tls {
                host: self.endpoint.host.clone(),
                port: self.endpoint.port,
                fault,
                sent: true,
            },
            None => self.closed(),
        }
    }
}

impl fmt::Debug for Connection {
    /// What came may hold what was sent, so nothing of it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoint", &self.endpoint)
            .field("encrypted", &self.is_encrypted())
            .finish_non_exhaustive()
    }
}

/// All pieces in as few packets as they fit in, without a copy that nobody wipes.
async fn write_all(stream: &mut Stream, pieces: &[Piece<'_>]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces
        .iter()
        .map(|piece| piece.bytes())
        .filter(|bytes| !bytes.is_empty())
        .map(IoSlice::new)
        .collect();
    let mut left = slices.as_mut_slice();
    while !left.is_empty() {
        match stream.write_vectored(left).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            sent => IoSlice::advance_slices(&mut left, sent),
        }
    }
    stream.flush().await
}

impl TlsFacts {
    /// What was learned when TLS was begun on a stream.
    #[must_use]
    pub fn of<S>(stream: &TlsStream<S>) -> Self {
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        Self {
            version: match session.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            alpn: session
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            server_end_point: certificate.map_or_else(Vec::new, |certificate| {
                binding::server_end_point(certificate)
            }),
        }
    }
}
