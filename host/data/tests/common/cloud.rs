//! What the tests of stores behind a network share: plans, ways to servers, and failures compared
//! whole.

#![allow(dead_code, reason = "not every service needs all of it")]

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use object_store::ObjectStore;
use portolan_contract::{
    Endpoint, Failure, Kind, ObjectStorePlan, PLAN_FORMAT, Plan, PlanEntry, RuleContext,
    StoredPlan, TlsProfile, TlsVerification,
};
use portolan_data::{Backends, failure_of};
use portolan_egress::tls::TrustRoots;
use portolan_egress::{ConnectTo, Egress, EgressOptions};
use portolan_secret::SecretBytes;

/// Where the objects of every plan lie.
pub(crate) const PREFIX: &str = "in/the harbour";

/// A plan as a provider makes it, with what a test wants otherwise.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) backend: &'static str,
    pub(crate) container: &'static str,
    pub(crate) prefix: &'static str,
    /// Host, port, and whether TLS is spoken there.
    pub(crate) endpoints: Vec<(&'static str, u16, bool)>,
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    pub(crate) secrets: Vec<(&'static str, String)>,
}

impl Planned {
    /// Replaces a setting.
    pub(crate) fn set(mut self, name: &'static str, value: &'static str) -> Self {
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value));
        self
    }

    /// Replaces a secret.
    pub(crate) fn secret(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.secrets.retain(|(other, _)| *other != name);
        self.secrets.push((name, value.into()));
        self
    }

    pub(crate) fn plan(&self) -> StoredPlan {
        let named = |name: &str| {
            let has = self.secrets.iter().any(|(other, _)| *other == name);
            has.then(|| name.to_owned())
        };
        let mut entries = vec![
            PlanEntry::Kind(Kind::Storage),
            PlanEntry::Tls(TlsProfile {
                name: "server".to_owned(),
                certificate_authority: named("certificate-authority"),
                client_certificate: named("client-certificate"),
                client_key: named("client-key"),
                verify: TlsVerification::Full,
            }),
            PlanEntry::ObjectStore(ObjectStorePlan {
                backend: self.backend.to_owned(),
                container: self.container.to_owned(),
                prefix: self.prefix.to_owned(),
            }),
        ];
        for (host, port, encrypted) in &self.endpoints {
            entries.push(PlanEntry::Endpoint(Endpoint {
                host: (*host).to_owned(),
                port: *port,
                tls_profile: encrypted.then(|| "server".to_owned()),
            }));
        }
        for (name, value) in &self.settings {
            entries.push(PlanEntry::Setting((*name).to_owned(), (*value).to_owned()));
        }
        let secrets = self.secrets.iter();
        StoredPlan {
            format: PLAN_FORMAT,
            provider: "test".to_owned(),
            provider_version: "0.1.0".parse().expect("a version"),
            plan: Plan { entries },
            context: RuleContext::default(),
            secrets: secrets
                .map(|(name, value)| ((*name).to_owned(), SecretBytes::new(value.as_str())))
                .collect(),
            places: Vec::new(),
        }
    }

    pub(crate) fn store(&self, options: EgressOptions) -> Arc<dyn ObjectStore> {
        backends(options).build(&self.plan()).expect("built")
    }
}

pub(crate) fn backends(options: EgressOptions) -> Backends {
    Backends::new(None).with_egress(Egress::new(options))
}

/// Leads `host:port` to addresses, and trusts one authority.
pub(crate) fn ways(trusted: &str, ways: &[(&str, SocketAddr)]) -> EgressOptions {
    let mut connect_to = ConnectTo::default();
    for (from, to) in ways {
        connect_to.add(from, &to.to_string()).expect("a line");
    }
    let roots = TrustRoots::nobody().with_pem(trusted.as_bytes());
    EgressOptions {
        connect_to,
        roots: roots.expect("an authority"),
        ..EgressOptions::default()
    }
}

/// Gives every name these addresses; without any, no name exists.
#[derive(Debug)]
pub(crate) struct Names(pub(crate) Vec<IpAddr>);

#[async_trait::async_trait]
impl portolan_egress::Resolve for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        match self.0.is_empty() {
            true => Err(std::io::ErrorKind::NotFound.into()),
            false => Ok(self.0.clone()),
        }
    }
}

/// An address that nobody listens at: its port was just closed.
#[expect(
    clippy::disallowed_methods,
    reason = "to have the system choose a port"
)]
pub(crate) fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// The failure of an operation, after looking for what must not be in it or in its error.
pub(crate) fn failure(error: &object_store::Error, forbidden: &[&str]) -> Failure {
    let mut shown = format!("{error} {error:?}");
    let mut next: Option<&dyn StdError> = error.source();
    while let Some(source) = next {
        write!(shown, " {source} {source:?}").expect("text");
        next = source.source();
    }
    let failure = failure_of(error);
    write!(shown, " {failure} {failure:?}").expect("text");
    for forbidden in forbidden.iter().chain(&["RetryError"]) {
        assert!(!shown.contains(forbidden), "{forbidden} in {shown}");
    }
    failure
}

/// Compares a failure with its SQLSTATE, message and hint.
#[track_caller]
pub(crate) fn expect(failure: &Failure, sqlstate: &str, message: &str, hint: &str) {
    assert_eq!(
        (
            failure.class.sqlstate(),
            failure.message.as_str(),
            failure.hint.as_deref().unwrap_or_default(),
        ),
        (sqlstate, message, hint)
    );
}
