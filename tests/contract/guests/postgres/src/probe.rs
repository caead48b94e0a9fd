//! Phase two: the server is reached, lets the user in and tells its version.

use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use crate::bindings::portolan::host::net::TlsFacts;
use crate::bindings::portolan::types::types::{Failure, FailureClass, PlanEntry};
use crate::dial::{dial_step, resolve_step, tls};
use crate::login::login;
use crate::plans::{TLS, endpoints, read};
use crate::step::{Details, Stopped, failed, step, tell};
use crate::wire::{Wire, garbled};

const FIRST: u32 = 0;

/// The whole probe. Nothing is run in the database.
pub(crate) fn probe(plan: &[PlanEntry]) -> Result<(), Stopped> {
    resolve_step(FIRST)?;
    let mut wire = Wire::new(dial_step(FIRST)?);
    let encrypted = endpoints(plan)
        .first()
        .is_some_and(|endpoint| endpoint.tls_profile.is_some());
    let facts = if encrypted {
        Some(step("tls", |details| encrypt(&wire, details))?)
    } else {
        None
    };
    let user = read(plan, "user").unwrap_or_default();
    step("authenticate", |details| {
        begin(&wire, plan, user)?;
        let way = login(&mut wire, facts.as_ref(), user)?;
        tell(details, "mechanism", way);
        Ok(())
    })?;
    step("metadata", |details| {
        tell(details, "server_version", version(&mut wire)?);
        wire.send(frontend::terminate)?;
        wire.connection.close()
    })
}

/// Asks whether the server speaks TLS, in the one byte that it answers in clear.
fn encrypt(wire: &Wire, details: &mut Details) -> Result<TlsFacts, Failure> {
    wire.send(frontend::ssl_request)?;
    match wire.connection.read(1)?.as_slice() {
        b"S" => tls(&wire.connection, TLS, &["postgresql"], details),
        b"N" => Err(
            failed(FailureClass::Protocol, "the server does not speak TLS").with_hint(
                "Turn TLS on at the server; sslmode=disable sends the password in clear.",
            ),
        ),
        _ => Err(garbled("neither yes nor no to TLS")),
    }
}

fn begin(wire: &Wire, plan: &[PlanEntry], user: &str) -> Result<(), Failure> {
    let mut parameters = vec![("user", user)];
    for (parameter, name) in [("database", "dbname"), ("options", "options")] {
        parameters.extend(read(plan, name).map(|text| (parameter, text)));
    }
    let mut fine = Ok(());
    wire.send(|message| fine = frontend::startup_message(parameters, message))?;
    fine.map_err(|error| failed(FailureClass::InvalidUri, error.to_string()))
}

/// What the server tells of itself before it waits for queries.
fn version(wire: &mut Wire) -> Result<String, Failure> {
    let mut version = None;
    loop {
        match wire.next()? {
            Message::ParameterStatus(body) if body.name().ok() == Some("server_version") => {
                version = body.value().ok().map(str::to_owned);
            }
            Message::ParameterStatus(_) | Message::BackendKeyData(_) => {}
            Message::ReadyForQuery(_) => {
                return version.ok_or_else(|| garbled("no version"));
            }
            _ => return Err(garbled("a message before the first query")),
        }
    }
}
