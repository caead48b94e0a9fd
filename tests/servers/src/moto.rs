//! An emulator of AWS: its S3, KMS, IAM and STS.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::child::{free_address, installed};
use crate::{Authority, Child};

/// The version that `tests/servers/install` brings.
const PACKAGE: &str = "moto-5.2.5";

/// Moto with one key of KMS and the bucket [`s3::BUCKET`](crate::s3::BUCKET), over TLS, for the host
/// names of the product. It checks signatures, permissions, session tokens, and whom a role trusts.
///
/// It looks at neither the body's SHA-256 nor the time of a request, compares no regions, encrypts with
/// a disabled key, lets a missing external id pass, never ends a session, and says of every unfinished
/// upload that it was begun in 2010: none of that is proved with it.
#[derive(Debug)]
pub struct Moto {
    address: SocketAddr,
    made: Value,
    _process: Child,
}

/// The parts of an access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MotoUser {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: String,
    /// The token of a session.
    pub token: Option<String>,
}

impl Moto {
    /// The region of its key.
    pub const REGION: &str = "eu-central-1";

    /// The alias of its key.
    pub const ALIAS: &str = "alias/backups";

    /// The role that trusts the user `ana` with [`EXTERNAL_ID`](Self::EXTERNAL_ID), and may only take
    /// on another.
    pub const ROLE_ONE: &str = "arn:aws:iam::123456789012:role/one";

    /// The role that trusts the first one's sessions, and may do everything in the bucket.
    pub const ROLE_TWO: &str = "arn:aws:iam::123456789012:role/two";

    /// What the first role wants to be told.
    pub const EXTERNAL_ID: &str = "harbour/17";

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

    /// The ARN of a role that may do everything with the key of KMS.
    #[must_use]
    pub fn role(&self) -> &str {
        self.text("role")
    }

    /// A user. With the key of KMS `all` may do everything, and `encrypts` only encrypt; `assumes` may
    /// only take on roles. In the bucket `ships` may do everything, and `ana` write and read, and take
    /// on roles. `session` is one of the second role.
    #[must_use]
    pub fn user(&self, name: &str) -> MotoUser {
        let part = |place: usize| self.made[name][place].as_str().map(str::to_owned);
        MotoUser {
            id: part(0).expect("a user"),
            secret: part(1).expect("a user"),
            token: part(2),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.made[name].as_str().expect("what it was made with")
    }
}
