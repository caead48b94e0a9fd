//! A server that is a process of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(60);

/// A process that is killed when this is dropped, or when the test's own process ends.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    name: String,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Child {
    /// Starts `program` in `folder`, which goes away with it. What it prints goes to a file there.
    #[must_use]
    pub fn start(
        name: &str,
        program: &Path,
        arguments: &[&str],
        folder: tempfile::TempDir,
    ) -> Self {
        Self::with_environment(name, program, arguments, &[], folder)
    }

    /// The same, with variables.
    #[must_use]
    pub fn with_environment(
        name: &str,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        folder: tempfile::TempDir,
    ) -> Self {
        let log = folder.path().join("output");
        let output = File::create(&log).expect("a file for what the server prints");
        let errors = output.try_clone().expect("the same file");
        // A test that is killed cannot stop what it started.
        let process = command("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{name} does not start ({error}): run tests/servers/install")
            });
        Self {
            process,
            name: name.to_owned(),
            log,
            _folder: folder,
        }
    }

    /// Waits until something listens there.
    pub fn wait_for(&mut self, address: SocketAddr) {
        self.wait_until(|_| connects(address).then_some(()));
    }

    /// Waits until `found` finds what it looks for in what the server has printed.
    pub fn wait_until<T>(&mut self, found: impl Fn(&str) -> Option<T>) -> T {
        let waited = self.try_until(found);
        waited.unwrap_or_else(|printed| {
            let name = &self.name;
            panic!("{name} ended: run tests/servers/install. It printed:\n{printed}")
        })
    }

    /// The same for a server that may end, because another process has taken its port: then it gives
    /// what the server has printed.
    pub(crate) fn try_until<T>(&mut self, found: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let end = Instant::now() + START;
        loop {
            // Asked first, so that what is read then is all that it printed.
            let ended = matches!(self.process.try_wait(), Ok(Some(_)));
            let printed = std::fs::read_to_string(&self.log).unwrap_or_default();
            if ended {
                return Err(printed);
            }
            if let Some(found) = found(&printed) {
                return Ok(found);
            }
            let name = &self.name;
            assert!(
                Instant::now() < end,
                "{name} did not listen within {START:?}. It printed:\n{printed}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server that is tested against"
)]
pub(crate) fn command(program: &str) -> Command {
    Command::new(program)
}

#[expect(
    clippy::disallowed_methods,
    reason = "to see whether the server listens"
)]
fn connects(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

/// What a server with a certificate of `authority` answers to one request, after which it closes.
#[expect(
    clippy::disallowed_methods,
    reason = "the server is made ready for the test"
)]
pub(crate) fn ask(address: SocketAddr, authority: &str, host: &str, request: &str) -> String {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes()).expect("a certificate");
    roots.add(certificate).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = host.to_owned().try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let stream = TcpStream::connect(address).expect("the server listens");
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = Vec::new();
    // A server may close without the word that TLS has for it.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "to have the system choose a port"
)]
pub(crate) fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port of loopback")
}

/// A port that nobody listens on for the moment: for servers that cannot choose one themselves.
pub(crate) fn free_address() -> SocketAddr {
    listen().local_addr().expect("an address")
}

/// Where `tests/servers/install` has put a package.
///
/// # Panics
///
/// Where it is not there.
#[must_use]
pub fn installed(package: &str) -> PathBuf {
    let place = std::env::var_os("PORTOLAN_SERVERS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/servers"),
        PathBuf::from,
    );
    let package = place.join(package);
    assert!(
        package.join("ready").exists(),
        "{} is not there: run tests/servers/install",
        package.display()
    );
    package.canonicalize().expect("a path")
}
