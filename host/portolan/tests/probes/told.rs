//! What a probe tells, in one piece.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use portolan::{ConnectTo, EgressOptions, TrustRoots};
use portolan_egress::MetadataClient;
use portolan_servers::{Authority, HttpServer};

use super::support::{World, refused, rows, run};

/// What `CREATE` puts before the failure of a probe.
const BEFORE: &str = "failed to construct External Connection details: ";

/// The steps of a key's probe: all of it, and as far as each request that fails.
pub(crate) const ALL: &str = "resolve ok, dial ok, tls ok, encrypt ok, decrypt ok, compare ok";
pub(crate) const ENCRYPTING: &str = "resolve ok, dial ok, tls ok, encrypt failed";
pub(crate) const DECRYPTING: &str = "resolve ok, dial ok, tls ok, encrypt ok, decrypt failed";

/// What those two failures begin with.
pub(crate) const NOT_ENCRYPTED: &str =
    "failed to encrypt marker content when setting up External Connection: ";
pub(crate) const NOT_DECRYPTED: &str =
    "failed to decrypt marker content when setting up External Connection: ";

/// Leads `host:port` to addresses, and trusts one authority.
pub(crate) fn ways(authority: &Authority, ways: &[(&str, SocketAddr)]) -> EgressOptions {
    let mut connect_to = ConnectTo::default();
    for (from, to) in ways {
        connect_to.add(from, &to.to_string()).expect("a line");
    }
    let roots = TrustRoots::nobody().with_pem(authority.pem().as_bytes());
    EgressOptions {
        connect_to,
        roots: roots.expect("an authority"),
        ..EgressOptions::default()
    }
}

/// Gives every name these addresses; without any, no name exists.
#[derive(Debug)]
struct Names(Vec<IpAddr>);

#[async_trait::async_trait]
impl portolan_egress::Resolve for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        match self.0.is_empty() {
            true => Err(std::io::ErrorKind::NotFound.into()),
            false => Ok(self.0.clone()),
        }
    }
}

/// A network in which every name has these addresses.
pub(crate) fn named(addresses: &[[u8; 4]]) -> EgressOptions {
    EgressOptions {
        resolver: Arc::new(Names(addresses.iter().map(|one| (*one).into()).collect())),
        ..EgressOptions::default()
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

/// The way to the metadata service that a machine asks.
#[expect(
    clippy::disallowed_methods,
    reason = "the metadata server of this test is on loopback"
)]
pub(crate) fn metadata(machine: &HttpServer) -> MetadataClient {
    MetadataClient::on_loopback(machine.address().port(), Duration::from_secs(10))
}

/// A text as a value in a URI.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Makes a connection with a full probe, and gives the steps of the probe.
pub(crate) async fn made(options: EgressOptions, uri: &str) -> String {
    let world = World::with(|builder| builder.egress(options)).await;
    let root = world.root();
    let sql = format!("CREATE EXTERNAL CONNECTION c AS '{uri}' WITH VALIDATE = 'full'");
    run(&root, &sql).await;
    steps(
        &rows(
            &root,
            "VALIDATE EXTERNAL CONNECTION c WITH VALIDATE = 'full'",
        )
        .await,
    )
}

/// Makes a connection, and has a file of 3 MiB written through it in parts, read back and deleted.
pub(crate) async fn checked(options: EgressOptions, uri: &str) {
    let world = World::with(|builder| builder.egress(options)).await;
    let root = world.root();
    let sql = format!("CREATE EXTERNAL CONNECTION c AS '{uri}' WITH VALIDATE = 'none'");
    run(&root, &sql).await;
    let sql = "CHECK EXTERNAL CONNECTION c WITH TRANSFER = '3 MiB'";
    let [told] = &rows(&root, sql).await[..] else {
        panic!("one row for this host");
    };
    // Whether it went well, what failed, how much was moved, and whether it could be deleted.
    let told = [&told[2], &told[3], &told[4], &told[7]];
    assert_eq!(told, ["true", "", "3.0 MiB", "true"], "{uri}");
}

/// What a failing probe tells: the steps, the SQLSTATE, the message, and the hint. `CREATE` must
/// say the same as `VALIDATE` does, and none of them anything of what is `forbidden`.
pub(crate) async fn failing(options: EgressOptions, uri: &str, forbidden: &[&str]) -> String {
    let world = World::with(|builder| builder.egress(options)).await;
    let root = world.root();
    let create =
        |depth| format!("CREATE EXTERNAL CONNECTION c AS '{uri}' WITH VALIDATE = '{depth}'");
    let error = refused(&root, &create("full")).await;
    run(&root, &create("none")).await;
    let sql = "VALIDATE EXTERNAL CONNECTION c WITH VALIDATE = 'full'";
    let validated = rows(&root, sql).await;
    let failed = validated.iter().find(|row| row[1] == "failed");
    let failed = failed.expect("a step that failed");
    let hint = error.hint().expect("a hint");
    assert_eq!(failed[4], hint, "the step's hint is the statement's");
    let shown = format!("{error:?} {validated:?}");
    for forbidden in forbidden {
        assert!(!shown.contains(forbidden), "{forbidden} in {shown}");
    }
    let message = error.message().strip_prefix(BEFORE);
    let message = message.expect("what CREATE puts before a failure");
    let (steps, state) = (steps(&validated), error.sqlstate().code());
    format!("{steps}\n{state}\n{message}\n{hint}")
}

/// What the provider did; before it, the host has planned and asked the policy.
fn steps(validated: &[Vec<String>]) -> String {
    let (before, steps) = validated.split_at(2);
    assert!(before.iter().all(|row| row[1] == "ok"), "{before:?}");
    let steps = steps.iter().map(|row| format!("{} {}", row[0], row[1]));
    steps.collect::<Vec<_>>().join(", ")
}

/// What was told, with N in the place of the seconds by which the clocks are apart: about so many.
pub(crate) fn apart(told: &str, about: u64) -> String {
    let (before, skew) = told.split_once("clock is ").expect("the skew");
    let (seconds, after) = skew.split_once(' ').expect("a number");
    let seconds: u64 = seconds.parse().expect("a number");
    assert!(seconds.abs_diff(about) <= 10, "{seconds}");
    format!("{before}clock is N {after}")
}

/// Compares what was told with what is expected: four lines.
#[track_caller]
pub(crate) fn expect(told: &str, expected: [&str; 4]) {
    assert_eq!(told, expected.join("\n"), "\n{told}");
}
