//! Phase one: the server, how it is spoken to and as whom, or the reason why not.

use portolan_sdk::{
    Failure, HostAndPort, Kind, Operation, Options, Plan, PlanEntry, TlsVerification, UriPieces,
    joined, object_prefix,
};
use portolan_web::{BASIC, Certificates, PROFILE, basic};

use crate::sink;

/// The plan of an `http`, `https`, `file-http` or `file-https` URI.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let is_encrypted = uri.scheme.ends_with("https");
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let settings = sink::settings(&mut options)?;
    let certificates = Certificates::read(&mut options);
    options.refuse_unknown("HTTP")?;
    for (name, text) in &settings {
        sink::check(name, text)?;
    }
    match is_encrypted {
        true => certificates.check()?,
        false => certificates
            .refuse_without_tls("https", "Write https:// or file-https://, or leave it out.")?,
    }
    let server = HostAndPort::of(&uri.authority)
        .map_err(|error| error.failure(&joined(&["the ", &uri.scheme, " URI"])))?;
    let basic = basic(uri)?;

    let plan = Plan::new(Kind::Storage).supports([Operation::Changefeed]);
    // What answers there may be either; the probe tells which.
    let plan = match uri.scheme.starts_with("file-") {
        true => plan,
        false => plan
            .with(PlanEntry::Kind(Kind::Registry))
            .supports([Operation::SchemaRegistry]),
    };
    let plan = plan.implicit_access("the network of the server");
    let plan = match is_encrypted {
        true => certificates.add(plan, TlsVerification::Full).endpoint(
            &server.host,
            server.port.unwrap_or(443),
            Some(PROFILE),
        ),
        false => plan.endpoint(&server.host, server.port.unwrap_or(80), None),
    };
    let plan = match basic {
        Some(fragments) if is_encrypted => plan.secret(BASIC, fragments),
        Some(fragments) => plan.secret(BASIC, fragments).warn(
            "The user and the password go to the server unencrypted; https:// would encrypt them.",
        ),
        None => plan,
    };
    let plan = settings
        .into_iter()
        .fold(plan, |plan, (name, text)| plan.set(name, text));
    Ok(plan.object_store("http", "", &object_prefix(uri)?))
}

#[cfg(test)]
mod tests;
