//! The servers of these tests, and the ways to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStore};
use portolan_contract::Failure;
use portolan_egress::EgressOptions;
use portolan_servers::{
    AZURITE_ACCOUNT, Answer, Authority, Azurite, EntraApplication, EntraStandIn, answer,
};

use super::cloud::{PREFIX, failure as shown};
pub(crate) use super::cloud::{Planned, backends, expect, ways};

pub(crate) const HOST: &str = "portolantest.blob.core.windows.net";
pub(crate) const LOGIN: &str = "login.microsoftonline.com";
pub(crate) const CONTAINER: &str = "harbour";
pub(crate) const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
pub(crate) const CLIENT: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";
pub(crate) const SECRET: &str = "abC8Q~s3cr3t+/&=of%client";

/// A key of the right form, which is no server's.
pub(crate) const OTHER_KEY: &str = "bm90IHRoZSBrZXkgb2YgdGhlIGFjY291bnQ=";

/// What a server writes into the text of an error; it must be shown nowhere.
pub(crate) const CHATTER: &str = "hunter2-of-the-server";

/// Azurite with one container, and the stand-in for Entra.
pub(crate) struct Server {
    pub(crate) azurite: Azurite,
    pub(crate) entra: EntraStandIn,
    pub(crate) authority: Authority,
}

impl Server {
    pub(crate) fn start() -> Self {
        let authority = Authority::new("of the servers");
        let application = EntraApplication {
            tenant: TENANT.to_owned(),
            client: CLIENT.to_owned(),
            secret: SECRET.to_owned(),
        };
        let server = Self {
            azurite: Azurite::start(&authority, &["*.blob.core.windows.net"]),
            entra: EntraStandIn::start(&authority, &[LOGIN], application),
            authority,
        };
        server.azurite.make_container(CONTAINER);
        server
    }

    /// How the client gets here.
    pub(crate) fn options(&self) -> EgressOptions {
        ways(
            &self.authority.pem(),
            &[
                (&format!("{HOST}:443"), self.azurite.address()),
                ("nobody.blob.core.windows.net:443", self.azurite.address()),
                (&format!("{LOGIN}:443"), self.entra.address()),
            ],
        )
    }

    pub(crate) fn store(&self, planned: &Planned) -> Arc<dyn ObjectStore> {
        planned.store(self.options())
    }

    /// With the account's key.
    pub(crate) fn with_key(&self) -> Planned {
        with_key(self.azurite.key())
    }
}

/// The plan of an account with this key.
pub(crate) fn with_key(key: &str) -> Planned {
    Planned {
        backend: "azure",
        container: CONTAINER,
        prefix: PREFIX,
        endpoints: vec![(HOST, 443, true)],
        settings: vec![
            ("account", AZURITE_ACCOUNT),
            ("environment", "AzurePublicCloud"),
            ("credentials", "specified"),
        ],
        secrets: vec![("account-key", key.to_owned())],
    }
}

/// The plan of an application with this secret.
pub(crate) fn with_client(secret: &str) -> Planned {
    let mut planned = with_key("");
    planned.endpoints.push((LOGIN, 443, true));
    planned.secrets = vec![("client-secret", secret.to_owned())];
    planned.set("tenant", TENANT).set("client-id", CLIENT)
}

/// A store whose account is a server without TLS at this address, which may be silent for 2 s.
pub(crate) fn store_at(address: SocketAddr) -> Arc<dyn ObjectStore> {
    let authority = Authority::new("nobody's");
    let mut options = ways(&authority.pem(), &[(&format!("{HOST}:80"), address)]);
    options.silence_timeout = Duration::from_secs(2);
    let mut planned = with_key(OTHER_KEY);
    planned.endpoints = vec![(HOST, 80, false)];
    planned.store(options)
}

/// An error as Azure's documentation writes it.
pub(crate) fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code>\
         <Message>{CHATTER}</Message></Error>"
    );
    let headers = [
        ("x-ms-error-code", code),
        ("content-type", "application/xml"),
    ];
    answer(status, &headers, body)
}

pub(crate) fn object() -> Path {
    Path::from("objects/one")
}

/// The failure of an operation, after looking for what must not be in it.
pub(crate) fn failure(error: &Error) -> Failure {
    shown(
        error,
        &[
            CHATTER,
            SECRET,
            OTHER_KEY,
            "https://",
            "http://",
            "x-ms-",
            "Bearer",
            "SharedKey",
        ],
    )
}
