//! Microsoft's emulator of Blob storage.

use std::net::SocketAddr;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

use crate::child::{ask, installed};
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
    authority: String,
    _process: Child,
}

impl Azurite {
    /// Starts it with a certificate of `authority` for these names. It takes the account's key, and
    /// tokens of Entra, of whose signatures it looks at none.
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
            authority: authority.pem(),
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

    /// Makes a container.
    pub fn make_container(&self, container: &str) {
        let date = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&jiff::Timestamp::now())
            .expect("a date");
        let version = "2023-11-03";
        let signed = format!(
            "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{version}\n\
             /{AZURITE_ACCOUNT}/{container}\nrestype:container"
        );
        let key = BASE64_STANDARD.decode(&self.key).expect("a key");
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
        let signature = BASE64_STANDARD.encode(signature);
        let host = format!("{AZURITE_ACCOUNT}.blob.core.windows.net");
        let request = format!(
            "PUT /{container}?restype=container HTTP/1.1\r\nHost: {host}\r\n\
             x-ms-date: {date}\r\nx-ms-version: {version}\r\n\
             Authorization: SharedKey {AZURITE_ACCOUNT}:{signature}\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(self.address, &self.authority, &host, &request);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
}
