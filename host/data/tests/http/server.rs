//! The servers of these tests, and the ways to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStore};
use portolan_contract::Failure;
use portolan_egress::EgressOptions;
use portolan_servers::{Authority, Nginx};

use super::cloud::{PREFIX, failure as shown};
pub(crate) use super::cloud::{Planned, backends, expect, ways};

pub(crate) const HOST: &str = "files.example";

/// What a server writes into an answer; it must be shown nowhere.
pub(crate) const CHATTER: &str = "hunter2";

/// nginx, and those whom it and its clients trust.
pub(crate) struct Server {
    pub(crate) nginx: Nginx,
    pub(crate) authority: Authority,
    pub(crate) clients: Authority,
}

impl Server {
    pub(crate) fn start() -> Self {
        let authority = Authority::new("of the servers");
        let clients = Authority::new("of the clients");
        Self {
            nginx: Nginx::start(&authority, &[HOST], &clients),
            authority,
            clients,
        }
    }

    /// The ports of [`plain`], [`encrypted`], [`protected`] and [`mutual`] lead to nginx's.
    pub(crate) fn options(&self) -> EgressOptions {
        ways(
            &self.authority.pem(),
            &[
                ("files.example:80", self.nginx.plain()),
                ("files.example:443", self.nginx.encrypted()),
                ("files.example:8443", self.nginx.protected()),
                ("files.example:9443", self.nginx.mutual()),
            ],
        )
    }

    pub(crate) fn store(&self, planned: &Planned) -> Arc<dyn ObjectStore> {
        planned.store(self.options())
    }

    /// Where the objects of a connection lie on the server's disk.
    pub(crate) fn files(&self) -> std::path::PathBuf {
        self.nginx.files().join(PREFIX)
    }
}

fn planned(port: u16, encrypted: bool) -> Planned {
    Planned {
        backend: "http",
        container: "",
        prefix: PREFIX,
        endpoints: vec![(HOST, port, encrypted)],
        settings: Vec::new(),
        secrets: Vec::new(),
    }
}

/// Without TLS.
pub(crate) fn plain() -> Planned {
    planned(80, false)
}

/// With TLS.
pub(crate) fn encrypted() -> Planned {
    planned(443, true)
}

/// With TLS, for users: this one.
pub(crate) fn protected(user: &str) -> Planned {
    planned(8443, true).secret("basic", user)
}

/// The user whom the protected server knows.
pub(crate) fn user() -> String {
    let (name, password) = Nginx::user();
    format!("{name}:{password}")
}

/// With TLS, for clients with a certificate: one of this authority.
pub(crate) fn mutual(clients: &Authority) -> Planned {
    let client = clients.issue_client("client");
    planned(9443, true)
        .secret("client-certificate", client.certificate)
        .secret("client-key", client.key)
}

/// The plain server is the one at this address, which may be silent for 2 s.
pub(crate) fn store_at(address: SocketAddr) -> Arc<dyn ObjectStore> {
    store_with(address, &plain())
}

/// The same for another plan.
pub(crate) fn store_with(address: SocketAddr, planned: &Planned) -> Arc<dyn ObjectStore> {
    let authority = Authority::new("nobody's");
    let mut options = ways(&authority.pem(), &[("files.example:80", address)]);
    options.silence_timeout = Duration::from_secs(2);
    planned.store(options)
}

pub(crate) fn object() -> Path {
    Path::from("objects/one")
}

/// The failure of an operation, after looking for what must not be in it.
pub(crate) fn failure(error: &Error) -> Failure {
    shown(
        error,
        &[CHATTER, Nginx::user().1, "http://", "https://", "Basic"],
    )
}
