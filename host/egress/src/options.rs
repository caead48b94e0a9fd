//! What an operator decides about the way out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::policy::{Host, InvalidRule};
use crate::tls::TrustRoots;
use crate::{MetadataClient, Policy, Resolve, SystemResolver};

/// How endpoints are reached.
#[derive(Debug, Clone)]
pub struct EgressOptions {
    /// Which hosts and addresses may be dialled beyond the public ones.
    pub policy: Policy,
    /// Where endpoints are dialled instead of at what their names resolve to.
    pub connect_to: ConnectTo,
    /// The certificate authorities that servers are checked against.
    pub roots: TrustRoots,
    /// Who looks names up.
    pub resolver: Arc<dyn Resolve>,
    /// How long a name may take to resolve: 5 s.
    pub resolve_timeout: Duration,
    /// How long a connection may take, over all its addresses: 5 s.
    pub dial_timeout: Duration,
    /// How long a TLS handshake may take: 10 s.
    pub tls_timeout: Duration,
    /// How long a server may be silent before and within an answer, and how long it may leave
    /// unread what is sent to it: 30 s.
    pub silence_timeout: Duration,
    /// Whether connections to servers of a URI's own choice over HTTP are refused:
    /// `--external-io-disable-http`.
    pub disable_http: bool,
    /// Whether connections with the host's own credentials are refused:
    /// `--external-io-disable-implicit-credentials`.
    pub disable_implicit_credentials: bool,
    /// Who asks metadata services for the host's own credentials.
    pub metadata: MetadataClient,
    /// The runtime that keeps open connections; without it the one of the first request. A host
    /// that serves several runtimes names the one that lives longest.
    pub runtime: Option<Handle>,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            connect_to: ConnectTo::default(),
            roots: TrustRoots::default(),
            resolver: Arc::new(SystemResolver::default()),
            resolve_timeout: Duration::from_secs(5),
            dial_timeout: Duration::from_secs(5),
            tls_timeout: Duration::from_secs(10),
            silence_timeout: Duration::from_secs(30),
            disable_http: false,
            disable_implicit_credentials: false,
            metadata: MetadataClient::default(),
            runtime: None,
        }
    }
}

/// Endpoints that are dialled at an address of the operator's choice: private endpoints, and tests.
///
/// The name stays what it was for everything else: checks of certificates, SNI, `Host` and
/// signatures. The address needs no rule of the policy, because the operator wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectTo(HashMap<(String, u16), SocketAddr>);

impl ConnectTo {
    /// Adds a line of `[egress.connect_to]`: `"host:port" = "address:port"`.
    ///
    /// # Errors
    ///
    /// [`InvalidRule`] says which side is wrong.
    pub fn add(&mut self, endpoint: &str, address: &str) -> Result<(), InvalidRule> {
        let wrong = || InvalidRule::new("connect_to leads from HOST:PORT to ADDRESS:PORT");
        let (host, port) = endpoint.rsplit_once(':').ok_or_else(wrong)?;
        let host = Host::parse(host).map_err(|_| wrong())?;
        let port = port.parse().map_err(|_| wrong())?;
        let address = SocketAddr::from_str(address).map_err(|_| wrong())?;
        if port == 0 || address.port() == 0 {
            return Err(wrong());
        }
        self.0.insert((host.to_string(), port), address);
        Ok(())
    }

    /// Where this endpoint is dialled, if the operator chose an address.
    #[must_use]
    pub fn address(&self, host: &Host, port: u16) -> Option<SocketAddr> {
        self.0.get(&(host.to_string(), port)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_leads_from_a_name_in_any_spelling_to_an_address() {
        let mut lines = ConnectTo::default();
        lines
            .add("Bucket.S3.amazonaws.com.:443", "127.0.0.1:9000")
            .expect("a line");
        let host = Host::parse("bucket.s3.amazonaws.com").expect("a host");
        assert_eq!(
            lines.address(&host, 443).map(|address| address.to_string()),
            Some("127.0.0.1:9000".to_owned())
        );
        assert_eq!(lines.address(&host, 80), None);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for (endpoint, address) in [
            ("host", "127.0.0.1:1"),
            ("host:0", "127.0.0.1:1"),
            ("host:443", "localhost:1"),
            ("host:443", "127.0.0.1"),
            ("host:443", "127.0.0.1:0"),
            ("a b:443", "127.0.0.1:1"),
        ] {
            let refused = ConnectTo::default().add(endpoint, address);
            assert!(refused.is_err(), "{endpoint} = {address}");
        }
    }
}
