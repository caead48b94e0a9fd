//! The dial guard: the one place that opens sockets.
//!
//! A name is resolved once, every address is judged, and the very addresses that were judged are
//! dialled. Nothing between the judgement and the connection looks the name up again, so a name
//! that changes its answer gains nothing. The function that opens the socket judges the address
//! once more, by the policy of that moment: what was found out earlier is no permission.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::metadata::MetadataPlace;
use crate::policy::{Host, METADATA_ADDRESSES};
use crate::{Conclusion, Denial, EgressError, EgressOptions, Judgement, Policy, Verdict};

/// The most addresses of one name that are dialled, so that each has a fair share of the time.
const MOST_ADDRESSES: usize = 16;

/// The addresses of an endpoint that may be dialled; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    host: Host,
    port: u16,
    addresses: Vec<IpAddr>,
    /// Where the operator leads it instead.
    chosen: Option<SocketAddr>,
}

impl Resolved {
    /// How many addresses may be dialled.
    #[must_use]
    pub fn count(&self) -> usize {
        match self.chosen {
            Some(_) => 1,
            None => self.addresses.len(),
        }
    }
}

/// An endpoint whose name was judged.
enum Named {
    /// Nothing is left to look up.
    Known(Resolved),
    /// The addresses of this name decide.
    LookUp(Host, String),
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
    match judge_name(options, policy, host, port, &mut |_| {})? {
        Named::Known(resolved) => Ok(resolved),
        Named::LookUp(host, name) => {
            let found = look_up(options, &name).await?;
            judge_addresses(policy, host, port, found, &mut |_| {})
        }
    }
}

/// Goes the same way, and tells each step of it.
pub(crate) async fn explain(
    options: &EgressOptions,
    policy: &Policy,
    host: &str,
    port: u16,
    resolve: bool,
) -> Vec<Judgement> {
    let mut steps = Vec::new();
    let conclusion = match judge_name(options, policy, host, port, &mut |step| steps.push(step)) {
        Err(error) => Conclusion::Refused(error),
        Ok(Named::Known(_)) => Conclusion::Allowed,
        Ok(Named::LookUp(..)) if !resolve => Conclusion::Undecided,
        Ok(Named::LookUp(host, name)) => match look_up(options, &name).await {
            Err(error) => Conclusion::Refused(error),
            Ok(found) => {
                let tell = &mut |step| steps.push(step);
                match judge_addresses(policy, host, port, found, tell) {
                    Ok(_) => Conclusion::Allowed,
                    Err(error) => Conclusion::Refused(error),
                }
            }
        },
    };
    steps.push(Judgement::Conclusion(conclusion));
    steps
}

fn judge_name(
    options: &EgressOptions,
    policy: &Policy,
    host: &str,
    port: u16,
    tell: &mut dyn FnMut(Judgement),
) -> Result<Named, EgressError> {
    let parsed = Host::parse(host).ok();
    if let Some(host) = &parsed {
        tell(Judgement::Read {
            host: host.clone(),
            port,
        });
        if let Some(address) = options.connect_to.address(host, port) {
            tell(Judgement::ConnectTo);
            return Ok(Named::Known(Resolved {
                host: host.clone(),
                port,
                addresses: Vec::new(),
                chosen: Some(address),
            }));
        }
    }
    // What is no host is denied here.
    let verdict = policy.judge_name(host, port);
    tell(Judgement::Name(verdict.clone()));
    match (verdict, parsed) {
        (Verdict::Denied(denial), _) => Err(denial.into()),
        (_, None) => Err(Denial::no_host(port).into()),
        (_, Some(host @ Host::Address(address))) => {
            judge_addresses(policy, host, port, vec![address], &mut |_| {}).map(Named::Known)
        }
        (_, Some(host @ Host::Name(_))) => {
            let name = host.to_string();
            Ok(Named::LookUp(host, name))
        }
    }
}

fn judge_addresses(
    policy: &Policy,
    host: Host,
    port: u16,
    found: Vec<IpAddr>,
    tell: &mut dyn FnMut(Judgement),
) -> Result<Resolved, EgressError> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    let mut denied = None;
    for address in found {
        // The system dials the inner address of a mapped one.
        let address = address.to_canonical();
        if addresses.contains(&address) {
            continue;
        }
        let verdict = policy.judge(&host, address, port);
        tell(Judgement::Address {
            class: crate::AddressClass::of(address),
            verdict: verdict.clone(),
        });
        match verdict {
            Verdict::Denied(denial) => denied = denied.or(Some(denial)),
            _ if addresses.len() < MOST_ADDRESSES => addresses.push(address),
            _ => {}
        }
    }
    match (addresses.is_empty(), denied) {
        (false, _) => Ok(Resolved {
            host,
            port,
            addresses,
            chosen: None,
        }),
        (true, Some(denial)) => Err(denial.into()),
        (true, None) => Err(EgressError::NoSuchName {
            host: host.to_string(),
        }),
    }
}

async fn look_up(options: &EgressOptions, name: &str) -> Result<Vec<IpAddr>, EgressError> {
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
/// The policy no longer allows it, or why the last address did not take it.
pub(crate) async fn connect(
    options: &EgressOptions,
    policy: &Policy,
    resolved: &Resolved,
) -> Result<TcpStream, EgressError> {
    let most = options.dial_timeout;
    let failed = |kind, after| EgressError::Connect {
        host: resolved.host.to_string(),
        port: resolved.port,
        kind,
        after,
    };
    let end = Instant::now() + most;
    let mut last = failed(io::ErrorKind::TimedOut, Some(most));
    let places: Vec<SocketAddr> = match resolved.chosen {
        Some(chosen) => vec![chosen],
        None => {
            let addresses = resolved.addresses.iter();
            addresses
                .map(|address| SocketAddr::new(*address, resolved.port))
                .collect()
        }
    };
    for (place, address) in places.iter().enumerate() {
        // An address that swallows packets must leave time for the ones after it.
        let left = end.saturating_duration_since(Instant::now());
        let share = share_of(left, places.len() - place);
        let opened = open(options, policy, resolved, *address);
        match timeout_at(Instant::now() + share, opened).await {
            Ok(Ok(stream)) => {
                // Small writes of a handshake are not worth waiting for.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(NotOpened::Denied(denial))) => last = denial.into(),
            Ok(Err(NotOpened::Failed(error))) => last = failed(error.kind(), None),
            Err(_) => last = failed(io::ErrorKind::TimedOut, Some(most)),
        }
    }
    Err(last)
}

/// The time of the next attempt: an equal share of what is left, but all of it for the last.
fn share_of(left: Duration, attempts: usize) -> Duration {
    u32::try_from(attempts).map_or(Duration::ZERO, |attempts| left / attempts.max(1))
}

enum NotOpened {
    Denied(Denial),
    Failed(io::Error),
}

/// Opens a socket, unless neither the operator's line nor the policy allows this very address.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a socket is opened"
)]
async fn open(
    options: &EgressOptions,
    policy: &Policy,
    resolved: &Resolved,
    address: SocketAddr,
) -> Result<TcpStream, NotOpened> {
    let Resolved { host, port, .. } = resolved;
    let chosen = options.connect_to.address(host, *port);
    if chosen != Some(address)
        && let Verdict::Denied(denial) = policy.judge(host, address.ip(), address.port())
    {
        return Err(NotOpened::Denied(denial));
    }
    TcpStream::connect(address).await.map_err(NotOpened::Failed)
}

/// Opens a socket to a metadata service: the second guard, which no connection's client has. The
/// place says by its type where it is, and it is looked at once more.
#[expect(
    clippy::disallowed_methods,
    reason = "the one other place where a socket is opened"
)]
pub(crate) async fn open_metadata(place: MetadataPlace) -> io::Result<TcpStream> {
    let address = place.socket();
    if !METADATA_ADDRESSES.contains(&address.ip()) && !address.ip().is_loopback() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    TcpStream::connect(address).await
}
