//! The first steps of every probe: the name, the port, and TLS if the plan has a profile for it.

use crate::bindings::portolan::host::net::{Connection, TlsFacts, connect, resolve};
use crate::bindings::portolan::types::types::Failure;
use crate::step::{Details, Stopped, step, tell};

/// Resolves an endpoint of the plan.
pub(crate) fn resolve_step(endpoint: u32) -> Result<(), Stopped> {
    step("resolve", |details| {
        tell(details, "addresses", resolve(endpoint)?);
        Ok(())
    })
}

/// Dials an endpoint of the plan.
pub(crate) fn dial_step(endpoint: u32) -> Result<Connection, Stopped> {
    step("dial", |_| connect(endpoint))
}

/// Speaks TLS with a profile of the plan.
pub(crate) fn tls(
    connection: &Connection,
    profile: &str,
    alpn: &[&str],
    details: &mut Details,
) -> Result<TlsFacts, Failure> {
    let alpn: Vec<String> = alpn.iter().map(|&protocol| protocol.to_owned()).collect();
    let facts = connection.start_tls(profile, &alpn)?;
    tell(details, "version", &facts.version);
    Ok(facts)
}
