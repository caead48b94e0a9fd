//! An emulator of AWS: its KMS, IAM and STS.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::child::{free_address, installed};
use crate::{Authority, Child};

/// The version that `tests/servers/install` brings.
const PACKAGE: &str = "moto-5.2.5";

/// Moto with one key of KMS, over TLS, for the host names of the product. It checks signatures,
/// permissions and session tokens.
///
/// It looks at neither the body's SHA-256 nor the time of a request, and encrypts with a disabled
/// key: none of that is proved with it.
#[derive(Debug)]
pub struct Moto {
    address: SocketAddr,
    made: Value,
    _process: Child,
}

/// The name and the secret of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MotoUser {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
}

impl Moto {
    /// The region of its key.
    pub const REGION: &str = "eu-central-1";

    /// The alias of its key.
    pub const ALIAS: &str = "alias/backups";

    /// Starts it with a certificate of `authority` for these names.
    #[must_use]
    pub fn start(authority: &Authority, names: &[&str]) -> Self {
        let program = installed(PACKAGE).join("bin/python");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/start_moto.py");
        let folder = tempfile::tempdir().expect("a folder");
        let identity = authority.issue(names);
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        write("certificate.pem", &identity.certificate);
        write("key.pem", &identity.key);
        let address = free_address();
        let arguments = [
            script.to_str().expect("a path"),
            &address.port().to_string(),
            "certificate.pem",
            "key.pem",
        ];
        let mut process = Child::start("moto", &program, &arguments, folder);
        let made = process.wait_until(|printed| {
            let mut lines = printed.lines();
            lines.find_map(|line| serde_json::from_str(line).ok())
        });
        process.wait_for(address);
        Self {
            address,
            made,
            _process: process,
        }
    }

    /// Where it listens, for all of its services.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of its key.
    #[must_use]
    pub fn key(&self) -> &str {
        self.text("key")
    }

    /// The ARN of its key.
    #[must_use]
    pub fn arn(&self) -> &str {
        self.text("arn")
    }

    /// The ARN of a role that may do everything with the key.
    #[must_use]
    pub fn role(&self) -> &str {
        self.text("role")
    }

    /// A user: `all` may do everything with the key, `encrypts` only encrypt, `assumes` only take on
    /// roles.
    #[must_use]
    pub fn user(&self, name: &str) -> MotoUser {
        let half = |place: usize| self.made[name][place].as_str().expect("a user").to_owned();
        MotoUser {
            id: half(0),
            secret: half(1),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.made[name].as_str().expect("what it was made with")
    }
}
