//! The dial guard: the one place that opens a socket.
//!
//! A name is resolved once, every address is judged, and the very addresses that were judged are
//! dialled. Nothing between the judgement and the connection looks the name up again, so a name
//! that changes its answer gains nothing.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::policy::Host;
use crate::{EgressError, EgressOptions, Policy, Verdict};

/// The addresses of an endpoint that may be dialled; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    host: String,
    port: u16,
    addresses: Vec<SocketAddr>,
}

impl Resolved {
    /// How many addresses may be dialled.
    #[must_use]
    pub fn count(&self) -> usize {
        self.addresses.len()
    }
}

/// Resolves an endpoint and judges every address of it.
///
/// # Errors
///
/// The policy denies the name, or every address that it has; the name does not resolve.
pub(crate) async fn resolve(
    options: &EgressOptions,
    policy: &Policy,
    host: &str,
    port: u16,
) -> Result<Resolved, EgressError> {
    let resolved = |addresses| Resolved {
        host: host.to_owned(),
        port,
        addresses,
    };
    let parsed = Host::parse(host);
    if let Ok(parsed) = &parsed
        && let Some(address) = options.connect_to.address(parsed, port)
    {
        return Ok(resolved(vec![address]));
    }
    if let Verdict::Denied(denial) = policy.judge_name(host, port) {
        return Err(denial.into());
    }
    let found = match parsed {
        Ok(Host::Address(address)) => vec![address],
        // A text that is no host was denied above; the name is the one that was judged.
        Ok(Host::Name(name)) => look_up(options, &name).await?,
        Err(_) => Vec::new(),
    };
    let mut addresses = Vec::new();
    let mut denied = None;
    for address in found {
        match policy.judge_address(host, address, port) {
            Verdict::Denied(denial) => denied = Some(denial),
            _ => addresses.push(SocketAddr::new(address, port)),
        }
    }
    match (addresses.is_empty(), denied) {
        (false, _) => Ok(resolved(addresses)),
        (true, Some(denial)) => Err(denial.into()),
        (true, None) => Err(EgressError::NoSuchName {
            host: host.to_owned(),
        }),
    }
}

async fn look_up(
    options: &EgressOptions,
    name: &str,
) -> Result<Vec<std::net::IpAddr>, EgressError> {
    let most = options.resolve_timeout;
    let unknown = |after| EgressError::Resolver {
        host: name.to_owned(),
        after,
    };
    match timeout(most, options.resolver.resolve(name)).await {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(EgressError::NoSuchName {
            host: name.to_owned(),
        }),
        Ok(Err(_)) => Err(unknown(None)),
        Err(_) => Err(unknown(Some(most))),
    }
}

/// Connects to the first address that takes the connection, within the limit for all of them.
///
/// # Errors
///
/// Why the last address did not take it.
pub(crate) async fn connect(
    options: &EgressOptions,
    resolved: &Resolved,
) -> Result<TcpStream, EgressError> {
    let most = options.dial_timeout;
    let failed = |kind, after| EgressError::Connect {
        host: resolved.host.clone(),
        port: resolved.port,
        kind,
        after,
    };
    let end = Instant::now() + most;
    let mut last = failed(io::ErrorKind::TimedOut, Some(most));
    for (place, address) in resolved.addresses.iter().enumerate() {
        // An address that swallows packets must leave time for the ones after it.
        let left = end.saturating_duration_since(Instant::now());
        let share = share_of(left, resolved.addresses.len() - place);
        match timeout_at(Instant::now() + share, open(*address)).await {
            Ok(Ok(stream)) => {
                // Small writes of a handshake are not worth waiting for.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = failed(error.kind(), None),
            Err(_) => last = failed(io::ErrorKind::TimedOut, Some(most)),
        }
    }
    Err(last)
}

/// The time of the next attempt: an equal share of what is left, but all of it for the last.
fn share_of(left: Duration, attempts: usize) -> Duration {
    u32::try_from(attempts).map_or(Duration::ZERO, |attempts| left / attempts.max(1))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a socket is opened"
)]
async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(address).await
}
