//! The servers of a test, and the names that lead to them.

use std::net::SocketAddr;

use portolan::{EgressOptions, TrustRoots};
use portolan_servers::{Authority, Identity, Postgres};

use super::told::{escaped, failing, made, ways};

/// The name that the servers' certificates are for.
pub(crate) const NAME: &str = "db.example.com";

pub(crate) struct Servers {
    pub(crate) authority: Authority,
    pub(crate) clients: Authority,
    pub(crate) encrypted: Postgres,
}

impl Servers {
    pub(crate) fn start() -> Self {
        let authority = Authority::new("of the servers");
        let clients = Authority::new("of the clients");
        let encrypted = Postgres::start(Some(&authority.issue(&[NAME])), &clients);
        Self {
            authority,
            clients,
            encrypted,
        }
    }

    /// Names lead to the server, whose authority the host does not trust by itself.
    pub(crate) fn options(&self) -> EgressOptions {
        let address = self.encrypted.address();
        self.leading(&[
            ("db.example.com:5432", address),
            ("other.example.com:5432", address),
        ])
    }

    pub(crate) fn leading(&self, lines: &[(&str, SocketAddr)]) -> EgressOptions {
        EgressOptions {
            roots: TrustRoots::nobody(),
            ..ways(&self.authority, lines)
        }
    }

    /// The options that have a connection check the server, its name included.
    pub(crate) fn checked(&self) -> String {
        format!("sslmode=verify-full&{}", self.root())
    }

    pub(crate) fn root(&self) -> String {
        format!(
            "sslinline=true&sslrootcert={}",
            escaped(&self.authority.pem())
        )
    }

    /// A URI for `reader`, into this database, with these options.
    pub(crate) fn uri(&self, database: &str, options: &str) -> String {
        let (user, password) = Postgres::user();
        let password = escaped(password);
        format!("postgresql://{user}:{password}@{NAME}/{database}?{options}")
    }

    pub(crate) async fn made(&self, uri: &str) -> String {
        made(self.options(), uri).await
    }

    /// What is told of a failure, in which no password may stand.
    pub(crate) async fn failing(&self, uri: &str) -> String {
        told(self.options(), uri).await
    }
}

pub(crate) async fn told(options: EgressOptions, uri: &str) -> String {
    let forbidden = [
        "hunter2",
        Postgres::user().1,
        Postgres::old_user().1,
        "PRIVATE KEY",
    ];
    failing(options, uri, &forbidden).await
}

/// A client's certificate, as options.
pub(crate) fn client(identity: &Identity) -> String {
    format!(
        "sslcert={}&sslkey={}",
        escaped(&identity.certificate),
        escaped(&identity.key)
    )
}
