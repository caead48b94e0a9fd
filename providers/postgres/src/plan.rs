//! Phase one: where, over what, as whom and into which database, or the reason why not.

use portolan_sdk::{Failure, Kind, Operation, Options, Plan, UriPieces, Value, joined};

use crate::hosts::hosts;
use crate::parameters;
use crate::transport::Transport;

/// The named secret with the password.
pub(crate) const PASSWORD: &str = "password";

/// The plan of a `postgres` or `postgresql` URI.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    let route = options.text("crdb_route")?.unwrap_or("node");
    let transport = Transport::of(&mut options)?;
    let settings = parameters::settings(&mut options)?;
    let (host, port) = (options.text("host")?, options.text("port")?);
    let (user, database) = (options.text("user")?, options.text("dbname")?);
    let password = options.secret(PASSWORD);
    options.refuse_unknown("PostgreSQL").map_err(|failure| {
        failure
            .with_hint("Settings of the session stand in options, as in options=-csearch_path=app.")
    })?;
    if !matches!(route, "node" | "gateway") {
        let message = joined(&["unknown crdb_route value \"", route, "\""]);
        return Err(Failure::invalid_uri(message)
            .with_hint("Write node or gateway.")
            .with_option("crdb_route"));
    }
    let hosts = hosts(&uri.authority, host, port)?;
    let user = self::user(uri, user)?;
    let database = self::database(uri, database)?.unwrap_or_else(|| user.clone());
    let password = password.or(match &uri.password {
        Some(Value::Secret(password)) if !password.empty => Some(password),
        _ => None,
    });

    let plan = Plan::new(Kind::Database).supports([Operation::Replication]);
    let plan = match password.is_some() || transport.shows_a_certificate() {
        true => plan,
        false => plan.implicit_access("the network of the server"),
    };
    let plan = hosts
        .iter()
        .fold(transport.add(plan), |plan, (host, port)| {
            transport.add_endpoint(plan, host, *port)
        });
    let plan = plan
        .set("sslmode", transport.name)
        .set("user", &user)
        .set("dbname", &database)
        .set("crdb_route", route);
    let plan = parameters::add(plan, &settings);
    Ok(match password {
        Some(password) => plan.secret_as_given(PASSWORD, password),
        None => plan,
    })
}

/// Who connects: the option's, or the one before the host.
fn user(uri: &UriPieces, option: Option<&str>) -> Result<String, Failure> {
    let user = match (option, &uri.user) {
        (Some(user), _) => checked(user.to_owned(), "the user")?,
        (None, Some(Value::Text(user))) => decoded(user, "the user")?,
        _ => String::new(),
    };
    match user.is_empty() {
        false => Ok(user),
        true => Err(Failure::invalid_uri("the URI names no user")
            .with_hint("Write postgresql://USER@HOST/DATABASE, or user=USER.")),
    }
}

/// The database: the option's, or the path.
fn database(uri: &UriPieces, option: Option<&str>) -> Result<Option<String>, Failure> {
    let database = match (option, &uri.path) {
        (Some(database), _) => checked(database.to_owned(), "the database")?,
        (None, Value::Text(path)) => {
            decoded(path.strip_prefix('/').unwrap_or(path), "the database")?
        }
        (None, Value::Secret(_)) => String::new(),
    };
    Ok(Some(database).filter(|database| !database.is_empty()))
}

fn decoded(text: &str, what: &str) -> Result<String, Failure> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    match decoded {
        Ok(decoded) => checked(decoded.into_owned(), what),
        Err(_) => Err(unwritable(what)),
    }
}

/// The protocol ends its texts with a NUL.
fn checked(text: String, what: &str) -> Result<String, Failure> {
    match text.contains('\0') {
        true => Err(unwritable(what)),
        false => Ok(text),
    }
}

fn unwritable(what: &str) -> Failure {
    Failure::invalid_uri(joined(&[what, " is none that PostgreSQL can have"]))
        .with_hint("Write UTF-8, without %00.")
}

#[cfg(test)]
mod tests;
