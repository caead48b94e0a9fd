//! TLS as the host speaks it: the profiles of plans, the authorities, and why a handshake failed.
//!
//! | a profile's `verify` | checked of the server |
//! | --- | --- |
//! | `full` | chain, validity and name |
//! | `authority-only` | chain and validity |
//! | `none` | that it holds the key of whatever certificate it shows |
//!
//! A profile with an authority of its own trusts that one instead of the host's. TLS 1.2 and 1.3
//! are spoken, with the library's default ciphers.

pub(crate) mod binding;
mod fault;
mod profile;
mod roots;
mod verify;

pub use fault::TlsFault;
pub use profile::{ProfileError, ProfilePart, TlsProfile};
pub use roots::TrustRoots;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::EgressError;
use crate::policy::Host;

/// Speaks TLS over a connection to this endpoint, with its own name.
pub(crate) async fn handshake(
    config: Arc<ClientConfig>,
    host: &str,
    port: u16,
    stream: TcpStream,
    most: Duration,
) -> Result<TlsStream<TcpStream>, EgressError> {
    let failed = |fault| EgressError::Tls {
        host: host.to_owned(),
        port,
        fault,
    };
    let name = server_name(host).ok_or_else(|| failed(TlsFault::NoServerName))?;
    let handshake = TlsConnector::from(config).connect(name, stream);
    match tokio::time::timeout(most, handshake).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(fault_of(&error))),
        Err(_) => Err(failed(TlsFault::Slow(most))),
    }
}

/// What a certificate for this host names.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    match Host::parse(host).ok()? {
        Host::Address(address) => Some(ServerName::IpAddress(address.into())),
        Host::Name(name) => ServerName::try_from(name).ok(),
    }
}

fn fault_of(error: &io::Error) -> TlsFault {
    TlsFault::of_io(error).unwrap_or(match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => TlsFault::Closed,
        _ => TlsFault::Protocol,
    })
}
