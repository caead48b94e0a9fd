//! PostgreSQL.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::child::{command, free_address};
use crate::{Authority, Child, Identity};

/// Where Debian's package puts the programs of the version that the tests were written for.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// How often it is started at most.
const ATTEMPTS: usize = 5;

/// PostgreSQL 15 over a cluster of its own. `reader` logs in by SCRAM, `old` by MD5; who may connect to
/// which of its databases is told by their names:
///
/// | database | who |
/// |---|---|
/// | `bank` | those who know the password, with TLS or without |
/// | `only_tls`, `only_clear` | the same, one way alone |
/// | `certificates` | those who show a certificate for `reader` |
/// | `plain_password` | those who send the password as it is, with TLS or without |
/// | `trusted` | everybody |
/// | `closed` | nobody |
#[derive(Debug)]
pub struct Postgres {
    address: SocketAddr,
    process: Child,
}

impl Postgres {
    /// Starts it with this certificate, or without TLS; clients' certificates are those of `clients`.
    #[must_use]
    pub fn start(identity: Option<&Identity>, clients: &Authority) -> Self {
        let mut printed = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(identity, &clients.pem()) {
                Ok(started) => return started,
                Err(ended) => printed = ended,
            }
        }
        panic!("PostgreSQL does not start: run tests/servers/install. It printed:\n{printed}")
    }

    /// It ends where another process takes its port first; gives what it printed then.
    fn try_start(identity: Option<&Identity>, clients: &str) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = Owner::find();
        owner.give(folder.path());
        let data = folder.path().join("data");
        let place = data.to_str().expect("a path");
        owner.run(
            "initdb",
            &[
                "-D",
                place,
                "-U",
                "postgres",
                "-A",
                "reject",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ],
            "",
        );
        owner.run("postgres", &["--single", "-D", place, "postgres"], CLUSTER);
        let address = free_address();
        let mut configuration = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\n\
             fsync = off\nshared_buffers = 16MB\nmax_connections = 20\nautovacuum = off\n\
             log_min_messages = log\n",
            address.port()
        );
        let write = |name: &str, text: &str| {
            let path = data.join(name);
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                .expect("its permissions");
            owner.give(&path);
        };
        if let Some(identity) = identity {
            write("certificate.pem", &identity.certificate);
            write("key.pem", &identity.key);
            write("clients.pem", clients);
            configuration.push_str(
                "ssl = on\nssl_cert_file = 'certificate.pem'\nssl_key_file = 'key.pem'\n\
                 ssl_ca_file = 'clients.pem'\n",
            );
        }
        write("postgresql.conf", &configuration);
        write("pg_hba.conf", &access(identity.is_some()));
        let (program, arguments) = owner.command("postgres", &["-D", place]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut process = Child::start("PostgreSQL", Path::new(&program), &arguments, folder);
        process.try_until(|printed| {
            printed
                .contains("database system is ready to accept connections")
                .then_some(())
        })?;
        Ok(Self { address, process })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The user that logs in by SCRAM, and the password.
    #[must_use]
    pub fn user() -> (&'static str, &'static str) {
        ("reader", "p+ss:w%rd@1")
    }

    /// The user that logs in by MD5, and the password.
    #[must_use]
    pub fn old_user() -> (&'static str, &'static str) {
        ("old", "old p/ssword")
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

/// A statement a line, as a server without clients reads them.
const CLUSTER: &str = "\
CREATE ROLE reader LOGIN PASSWORD 'p+ss:w%rd@1'
SET password_encryption = 'md5'
CREATE ROLE old LOGIN PASSWORD 'old p/ssword'
CREATE DATABASE bank
CREATE DATABASE only_tls
CREATE DATABASE only_clear
CREATE DATABASE certificates
CREATE DATABASE plain_password
CREATE DATABASE trusted
CREATE DATABASE closed
";

fn access(encrypted: bool) -> String {
    let mut lines = String::new();
    let mut line = |kind: &str, database: &str, user: &str, method: &str| {
        let _ = writeln!(lines, "{kind} {database} {user} 127.0.0.1/32 {method}");
    };
    line("host", "bank", "old", "md5");
    line("host", "bank", "all", "scram-sha-256");
    line("host", "absent", "all", "scram-sha-256");
    if encrypted {
        line("hostssl", "only_tls", "all", "scram-sha-256");
        line("hostssl", "certificates", "all", "cert");
    }
    line("hostnossl", "only_clear", "all", "scram-sha-256");
    line("host", "plain_password", "all", "password");
    line("host", "trusted", "all", "trust");
    lines
}

/// Whom the server runs as. It refuses to run as root.
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn find() -> Self {
        if ask("id", &["-u"]) != "0" {
            return Self(None);
        }
        let number = |of: &str| {
            let told = ask("id", &[of, "postgres"]);
            told.parse().unwrap_or_else(|_| {
                panic!("there is no user postgres: run tests/servers/install ({told})")
            })
        };
        Self(Some((number("-u"), number("-g"))))
    }

    fn give(&self, path: &Path) {
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group)).expect("another owner");
        }
    }

    /// The program with its arguments, run as whom it may run as.
    fn command(&self, program: &str, arguments: &[&str]) -> (String, Vec<String>) {
        let program = PathBuf::from(PROGRAMS).join(program).display().to_string();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        match self.0 {
            None => (program, arguments.collect()),
            Some((user, group)) => {
                // A change of the user lets go of the signal, so it is asked for again.
                let mut all = ["--pdeathsig", "KILL", "--clear-groups"]
                    .map(str::to_owned)
                    .to_vec();
                all.extend([
                    format!("--reuid={user}"),
                    format!("--regid={group}"),
                    program,
                ]);
                all.extend(arguments);
                ("/usr/bin/setpriv".to_owned(), all)
            }
        }
    }

    /// Runs a program to its end, with this input.
    fn run(&self, program: &str, arguments: &[&str], input: &str) {
        let (program, arguments) = self.command(program, arguments);
        let mut child = command(&program)
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program} does not start ({error}): run tests/servers/install")
            });
        let mut stdin = child.stdin.take().expect("an input");
        // One that ends early closes it, and says why.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let ended = child.wait_with_output().expect("it ends");
        let printed = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success() && !printed.contains("ERROR:"),
            "PostgreSQL is not set up: run tests/servers/install. It printed:\n{printed}"
        );
    }
}

fn ask(program: &str, arguments: &[&str]) -> String {
    let output = command(program).args(arguments).output();
    let output = output.expect("a program of every system");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
