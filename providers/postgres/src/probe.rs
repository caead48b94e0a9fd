//! Phase two: a server is reached, lets the user in and tells its version.

use portolan_sdk::lent::net::{self, Connection};
use portolan_sdk::{
    Attempt, Details, Failure, FailureClass, Plan, Probe, Steps, Stopped, TlsFacts, joined,
};
use postgres_protocol::message::frontend;

use crate::login::login;
use crate::refusal::is_of_the_way;
use crate::session::Session;
use crate::transport::PROFILE;
use crate::wire::{Wire, garbled};

/// The protocol as TLS names it, which servers from PostgreSQL 17 on look for.
const ALPN: &str = "postgresql";

/// What else there is to try where one way fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rest {
    /// The same host with TLS, or without.
    way: bool,
    /// Another host.
    host: bool,
}

/// Where an attempt ended without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Way,
    Host,
}

/// The whole probe. Nothing is run in the database.
pub(crate) fn probe(probe: &mut Probe<'_>) -> Result<(), Stopped> {
    let hosts = hosts(probe.plan);
    for (place, ways) in hosts.iter().enumerate() {
        let host = place + 1 < hosts.len();
        for (place, way) in ways.iter().enumerate() {
            let rest = Rest {
                way: place + 1 < ways.len(),
                host,
            };
            match one(&mut probe.steps, probe.plan, *way, rest)? {
                None => return Ok(()),
                Some(Next::Way) => {}
                Some(Next::Host) => break,
            }
        }
    }
    // The last one fails, or there is none.
    probe.steps.step("resolve", |_| {
        Err(Failure::new(
            FailureClass::Protocol,
            "the plan lacks an endpoint to reach",
        ))
    })
}

/// The numbers of the endpoints, host by host.
fn hosts(plan: &Plan) -> Vec<Vec<u32>> {
    let mut hosts: Vec<Vec<u32>> = Vec::new();
    let mut before = None;
    let both = matches!(plan.setting("sslmode"), Some("allow" | "prefer"));
    for number in 0.. {
        let Some(endpoint) = plan.endpoint_number(number) else {
            break;
        };
        let place = (endpoint.host.as_str(), endpoint.port);
        let encrypted = endpoint.tls_profile.is_some();
        match hosts.last_mut() {
            Some(ways) if both && ways.len() == 1 && before == Some((place, !encrypted)) => {
                ways.push(number);
            }
            _ => hosts.push(vec![number]),
        }
        before = Some((place, encrypted));
    }
    hosts
}

/// Tries one endpoint; nothing is left to try where it answers nothing.
fn one(
    steps: &mut Steps<'_>,
    plan: &Plan,
    number: u32,
    rest: Rest,
) -> Result<Option<Next>, Stopped> {
    let Some(endpoint) = plan.endpoint_number(number) else {
        return Ok(Some(Next::Way));
    };
    let resolved = steps.attempt("resolve", |details| {
        details.add("host", &*endpoint.host);
        or_the_next_host(rest, net::resolve(number), |addresses| {
            details.add("addresses", addresses.to_string());
        })
    })?;
    if resolved.is_none() {
        return Ok(Some(Next::Host));
    }
    let dialled = steps.attempt("dial", |details| {
        details.add("port", endpoint.port.to_string());
        or_the_next_host(rest, net::connect(number), |_| {})
    })?;
    let Some(connection) = dialled else {
        return Ok(Some(Next::Host));
    };
    let mut wire = Wire::new(connection);
    let facts = match endpoint.tls_profile {
        None => {
            steps.skip("tls", "the endpoint speaks plain text");
            None
        }
        Some(_) => match encrypt(steps, &wire, rest)? {
            None => return Ok(Some(Next::Way)),
            facts => facts,
        },
    };
    let let_in = steps.attempt("authenticate", |details| {
        begin(&wire, plan)?;
        match login(&mut wire, facts.as_ref(), plan) {
            Ok(way) => {
                details.add("mechanism", way);
                Ok(Attempt::Done(()))
            }
            Err(failure) if rest.way && is_of_the_way(&failure) => Ok(Attempt::Skipped(joined(&[
                &failure.message,
                "; the other way of sslmode is tried",
            ]))),
            Err(failure) => Err(failure),
        }
    })?;
    if let_in.is_none() {
        return Ok(Some(Next::Way));
    }
    let wanted = plan.setting("target_session_attrs").unwrap_or("any");
    let found = steps.attempt("metadata", |details| {
        let session = Session::read(&mut wire)?;
        session.tell(details);
        goodbye(&wire)?;
        match session.check(wanted, rest.host) {
            Err(failure) if rest.host => Ok(Attempt::Skipped(next_host(&failure))),
            checked => checked.map(Attempt::Done),
        }
    })?;
    Ok(found.is_none().then_some(Next::Host))
}

/// What was got; where it was not for want of a server, and there is another, that one is next.
fn or_the_next_host<T>(
    rest: Rest,
    got: Result<T, Failure>,
    told: impl FnOnce(&T),
) -> Result<Attempt<T>, Failure> {
    match got {
        Ok(got) => {
            told(&got);
            Ok(Attempt::Done(got))
        }
        Err(failure) => match failure.class {
            FailureClass::Unreachable | FailureClass::Timeout if rest.host => {
                Ok(Attempt::Skipped(next_host(&failure)))
            }
            _ => Err(failure),
        },
    }
}

fn next_host(failure: &Failure) -> String {
    joined(&[&failure.message, "; the next host is tried"])
}

/// Asks whether the server speaks TLS, in the one byte that it answers in clear, and speaks it.
fn encrypt(steps: &mut Steps<'_>, wire: &Wire, rest: Rest) -> Result<Option<TlsFacts>, Stopped> {
    steps.attempt("tls", |details| {
        wire.send(frontend::ssl_request)?;
        match wire.connection.read(1)?.as_slice() {
            b"S" => handshake(&wire.connection, details).map(Attempt::Done),
            b"N" if rest.way => Ok(Attempt::Skipped(
                "the server does not speak TLS, and sslmode goes on without".to_owned(),
            )),
            b"N" => Err(Failure::new(
                FailureClass::Protocol,
                "the server does not support SSL, but SSL was required",
            )
            .with_hint(
                "Turn ssl on at the server; sslmode=disable would send everything in clear.",
            )),
            [] => Err(garbled("the server closed the connection")),
            _ => Err(garbled("neither yes nor no to TLS")),
        }
    })
}

fn handshake(connection: &Connection, details: &mut Details) -> Result<TlsFacts, Failure> {
    let facts = connection
        .start_tls(PROFILE, &[ALPN.to_owned()])
        .map_err(in_the_ancestors_words)?;
    details.add("version", &*facts.version);
    if let Some(protocol) = &facts.alpn {
        details.add("protocol", protocol.as_str());
    }
    Ok(facts)
}

/// Certificates that cannot be used are told as users of this feature know it.
fn in_the_ancestors_words(failure: Failure) -> Failure {
    let is_of = |words: &str| failure.message.contains(words);
    match failure.class {
        FailureClass::InvalidUri if is_of("authority") => failure
            .context("unable to add CA to cert pool")
            .with_option("sslrootcert"),
        FailureClass::InvalidUri if is_of("client") => failure
            .context("unable to construct x509 key pair")
            .with_option("sslcert"),
        _ => failure,
    }
}

/// Says who connects, to what.
fn begin(wire: &Wire, plan: &Plan) -> Result<(), Failure> {
    let setting = |name| plan.setting(name);
    let application = setting("application_name").or(setting("fallback_application_name"));
    let parameters = [
        ("user", setting("user")),
        ("database", setting("dbname")),
        ("options", setting("options")),
        ("application_name", application),
        ("client_encoding", Some("UTF8")),
    ];
    let given = parameters
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    let mut fine = Ok(());
    wire.send(|message| fine = frontend::startup_message(given, message))?;
    fine.map_err(|_| garbled("a parameter that cannot be sent"))
}

fn goodbye(wire: &Wire) -> Result<(), Failure> {
    wire.send(frontend::terminate)?;
    wire.connection.close()
}
