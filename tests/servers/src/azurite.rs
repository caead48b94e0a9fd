//! Microsoft's emulator of Blob storage.

use std::net::SocketAddr;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

use crate::child::installed;
use crate::{Authority, Child};

/// The account that the emulator has.
pub const AZURITE_ACCOUNT: &str = "portolantest";

/// The version that `tests/servers/install` brings.
const PACKAGE: &str = "azurite-3.37.0";

/// Azurite with one account, over TLS, for the host names of the product.
#[derive(Debug)]
pub struct Azurite {
    address: SocketAddr,
    key: String,
    _process: Child,
}

impl Azurite {
    /// Starts it with a certificate of `authority` for these names. With them it takes shared keys
    /// and tokens of Entra, of whose signatures it looks at none.
    #[must_use]
    pub fn start(authority: &Authority, names: &[&str]) -> Self {
        let program = installed(PACKAGE).join("node_modules/azurite/dist/src/blob/main.js");
        let folder = tempfile::tempdir().expect("a folder");
        let identity = authority.issue(names);
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        write("certificate.pem", &identity.certificate);
        write("key.pem", &identity.key);
        let mut bytes = [0; 64];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
            .expect("random bytes");
        let key = BASE64_STANDARD.encode(bytes);
        let program = program.to_str().expect("a path");
        let arguments = [
            program,
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
            "0",
            "--inMemoryPersistence",
            "--skipApiVersionCheck",
            "--disableTelemetry",
            "--cert",
            "certificate.pem",
            "--key",
            "key.pem",
            "--oauth",
            "basic",
        ];
        let account = format!("{AZURITE_ACCOUNT}:{key}");
        let mut process = Child::with_environment(
            "azurite",
            Path::new("node"),
            &arguments,
            &[("AZURITE_ACCOUNTS", &account)],
            folder,
        );
        let address = process.wait_until(|printed| {
            let (_, rest) = printed.split_once("successfully listens on https://")?;
            rest.lines().next()?.trim().parse().ok()
        });
        Self {
            address,
            key,
            _process: process,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The account's key, in base64.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The headers, beside `Host`, of the request that makes a container: a `PUT` of
    /// `/CONTAINER?restype=container` without a body.
    #[must_use]
    pub fn making_container(&self, container: &str) -> Vec<(&'static str, String)> {
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&jiff::Timestamp::now())
            .expect("a date");
        let version = "2023-11-03";
        let text = format!(
            "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{version}\n\
             /{AZURITE_ACCOUNT}/{container}\nrestype:container"
        );
        let key = BASE64_STANDARD.decode(&self.key).expect("a key");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text.as_bytes());
        let signature = BASE64_STANDARD.encode(signature);
        vec![
            ("x-ms-date", date),
            ("x-ms-version", version.to_owned()),
            (
                "authorization",
                format!("SharedKey {AZURITE_ACCOUNT}:{signature}"),
            ),
        ]
    }
}
