//! TLS as the host speaks it: the profiles of plans, the authorities, and why a handshake failed.
//!
//! | a profile's `verify` | checked of the server |
//! | --- | --- |
//! | `full` | chain, validity and name |
//! | `authority-only` | chain and validity |
//! | `none` | that it holds the key of whatever certificate it shows |
//!
//! | | `full` | `authority-only` | `none` |
//! | --- | --- | --- | --- |
//! | another name | refused | taken | taken |
//! | expired, or not valid yet | refused | refused | taken |
//! | of an authority that is not trusted | refused | refused | taken |
//! | a certificate whose key it does not hold | refused | refused | refused |
//!
//! A profile with an authority of its own trusts that one instead of the host's. TLS 1.2 and 1.3
//! are spoken, with the library's default ciphers; nothing is renegotiated, no early data is sent,
//! no keys are logged. Connections and TLS sessions are shared by those who have the same profile
//! to the byte, and by nobody else.

pub(crate) mod binding;
mod client;
mod configs;
mod fault;
mod profile;
mod roots;
mod verify;

pub(crate) use configs::Configs;
pub use fault::TlsFault;
pub use profile::{ProfileError, ProfilePart, TlsProfile};
pub use roots::TrustRoots;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::policy::Host;
use crate::{Denial, EgressError};

/// Speaks TLS over a connection to this endpoint, with its own name.
pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    host: &str,
    port: u16,
    stream: S,
    most: Duration,
) -> Result<TlsStream<S>, EgressError> {
    let host = Host::parse(host).map_err(|_| Denial::no_host(port))?;
    let failed = |fault| EgressError::Tls {
        host: host.to_string(),
        port,
        fault,
        sent: false,
    };
    let name = server_name(&host).ok_or_else(|| failed(TlsFault::NoServerName))?;
    if !config
        .alpn_protocols
        .iter()
        .all(|name| can_be_offered(name))
    {
        return Err(failed(TlsFault::NoProtocolName));
    }
    let handshake = TlsConnector::from(config).connect(name, stream);
    let asked = Arc::new(AtomicBool::new(false));
    let handshake = client::ASKED.scope(Arc::clone(&asked), handshake);
    match tokio::time::timeout(most, handshake).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(
            fault_of(&error).given(asked.load(Ordering::Relaxed)),
        )),
        Err(_) => Err(failed(TlsFault::Slow(most))),
    }
}

/// The library would write a longer name cut off, and an empty one as it is.
fn can_be_offered(protocol: &[u8]) -> bool {
    (1..=255).contains(&protocol.len())
}

/// What a certificate for this host names.
fn server_name(host: &Host) -> Option<ServerName<'static>> {
    match host {
        Host::Address(address) => Some(ServerName::IpAddress((*address).into())),
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
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
