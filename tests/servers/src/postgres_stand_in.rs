//! What stands where PostgreSQL is expected, and answers as a script says.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::{ServerConnection, StreamOwned};

use crate::http_server::config;
use crate::{Identity, RawServer, ReadWrite};

/// A server for lies. It knows as much of PostgreSQL's protocol as its script, so it proves what a
/// client does with an answer, and never that PostgreSQL gives it.
#[derive(Debug)]
pub struct PostgresStandIn(RawServer);

impl PostgresStandIn {
    /// One that gets each connection as it comes.
    pub fn raw(script: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        Self(RawServer::taking(move |mut stream| script(&mut stream)))
    }

    /// One that says yes to TLS, speaks it with this certificate, and reads who wants to connect; then
    /// the script goes on.
    pub fn encrypted(
        identity: &Identity,
        script: impl Fn(&mut dyn ReadWrite) + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config(identity));
        Self(RawServer::taking(move |mut stream| {
            let _ = take(&mut stream, 8);
            let _ = std::io::Write::write_all(&mut stream, b"S");
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = StreamOwned::new(session, stream);
            let _ = Self::startup(&mut stream);
            script(&mut stream);
        }))
    }

    /// Reads a message without a tag, as a client begins with.
    pub fn startup(stream: &mut dyn Read) -> Vec<u8> {
        let length = take(stream, 4);
        match <[u8; 4]>::try_from(length.as_slice()) {
            Ok(length) => take(
                stream,
                (u32::from_be_bytes(length) as usize).saturating_sub(4),
            ),
            Err(_) => Vec::new(),
        }
    }

    /// Reads a message: what follows its tag and length.
    pub fn message(stream: &mut dyn Read) -> Vec<u8> {
        take(stream, 1);
        Self::startup(stream)
    }

    /// A message with this tag.
    #[must_use]
    pub fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("a length");
        let mut message = vec![tag];
        message.extend(length.to_be_bytes());
        message.extend(body);
        message
    }

    /// A request for an authentication of this kind.
    #[must_use]
    pub fn authentication(kind: u32, rest: &[u8]) -> Vec<u8> {
        Self::tagged(b'R', &[&kind.to_be_bytes()[..], rest].concat())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// So many bytes, or those that come before the end.
fn take(stream: &mut dyn Read, count: usize) -> Vec<u8> {
    let mut taken = Vec::new();
    let _ = stream.take(count as u64).read_to_end(&mut taken);
    taken
}
