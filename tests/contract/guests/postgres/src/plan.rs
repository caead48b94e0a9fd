//! Phase one: an endpoint, a TLS profile, and the parameters of the protocol under its own names.

use crate::bindings::portolan::types::types::{
    Failure, Kind, Operation, PlanEntry, TlsVerification, UriPieces, Value,
};
use crate::options::{Options, refused};
use crate::plans::{begun, endpoint, named, setting, tls_profile};

const PORT: u16 = 5432;

const KNOWN: &[&str] = &[
    "sslmode",
    "sslinline",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "crdb_route",
    "options",
];

/// The plan of a `postgresql` URI.
pub(crate) fn plan(uri: &UriPieces) -> Result<Vec<PlanEntry>, Failure> {
    let options = Options::of(uri);
    options.only(KNOWN, "postgres")?;
    let route = options.text("crdb_route").unwrap_or("node");
    if !matches!(route, "node" | "gateway") {
        return Err(refused(&format!("unknown crdb_route value {route:?}")).of_option("crdb_route"));
    }
    let mut plan = begun(Kind::Database, &[Operation::Replication]);
    let encrypted = transport(&options, &mut plan)?;
    for host in uri.authority.split(',') {
        let (host, port) = host_and_port(host)?;
        plan.push(endpoint(host, port, encrypted));
    }
    let Some(Value::Text(user)) = &uri.user else {
        return Err(refused("the URI names no user").with_hint("Write postgresql://USER@HOST/…"));
    };
    plan.push(setting("user", user));
    if let Some(Value::Secret(password)) = &uri.password {
        plan.push(named("password", password));
    }
    let Value::Text(path) = &uri.path else {
        return Err(refused("the database is no secret"));
    };
    plan.push(setting(
        "dbname",
        match path.trim_start_matches('/') {
            "" => user,
            database => database,
        },
    ));
    if let Some(text) = options.text("options") {
        plan.push(setting("options", text));
    }
    plan.push(setting("crdb_route", route));
    Ok(plan)
}

/// The TLS profile; whether there is one.
fn transport(options: &Options<'_>, plan: &mut Vec<PlanEntry>) -> Result<bool, Failure> {
    let mode = options.text("sslmode").unwrap_or("verify-full");
    let inline = options.flag("sslinline")?;
    let secret = |name| options.secret(name).filter(|_| inline);
    let authority = secret("sslrootcert");
    let verify = match (mode, authority) {
        ("disable", _) => {
            plan.push(PlanEntry::Warning(
                "the password and the data pass the network in clear".to_owned(),
            ));
            return Ok(false);
        }
        ("require", None) => TlsVerification::None,
        // With certificates to trust, the documentation promises this promotion.
        ("require", Some(_)) | ("verify-ca", _) => TlsVerification::AuthorityOnly,
        ("verify-full", _) => TlsVerification::Full,
        _ => {
            return Err(refused(&format!("unsupported value {mode} for sslmode"))
                .of_option("sslmode")
                .with_hint("Write disable, require, verify-ca or verify-full."));
        }
    };
    let client = match (secret("sslcert"), secret("sslkey")) {
        (None, None) => false,
        (Some(_), Some(_)) => true,
        _ => return Err(refused("both \"sslcert\" and \"sslkey\" are required")),
    };
    for name in ["sslrootcert", "sslcert", "sslkey"] {
        plan.extend(secret(name).map(|secret| named(name, secret)));
    }
    plan.push(tls_profile(
        verify,
        authority.map(|_| "sslrootcert"),
        client.then_some(("sslcert", "sslkey")),
    ));
    Ok(true)
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
fn host_and_port(text: &str) -> Result<(&str, u16), Failure> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None | Some("") => Some(PORT),
        Some(port) => port.parse().ok(),
    };
    match port {
        Some(port) if !host.is_empty() => Ok((host, port)),
        _ => Err(refused("the URI names no host and port")),
    }
}
