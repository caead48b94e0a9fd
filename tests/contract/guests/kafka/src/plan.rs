//! Phase one: the bootstrap brokers, how TLS is spoken, and who authenticates.

use crate::bindings::portolan::types::types::{
    Failure, Kind, Operation, PlanEntry, TlsVerification, UriPieces,
};
use crate::options::{Options, refused};
use crate::plans::{begun, endpoint, named, setting, tls_profile};

const KNOWN: &[&str] = &[
    "topic_name",
    "topic_prefix",
    "tls_enabled",
    "ca_cert",
    "sasl_enabled",
    "sasl_mechanism",
    "sasl_user",
    "sasl_password",
];

const MECHANISMS: &[&str] = &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// The plan of a `kafka` URI.
pub(crate) fn plan(uri: &UriPieces) -> Result<Vec<PlanEntry>, Failure> {
    let options = Options::of(uri);
    options.only(KNOWN, "kafka sink")?;
    let mut plan = begun(Kind::Sink, &[Operation::Changefeed]);
    let encrypted = options.flag("tls_enabled")?;
    let authority = options.secret("ca_cert");
    if encrypted {
        plan.extend(authority.map(|secret| named("ca-cert", secret)));
        let authority = authority.map(|_| "ca-cert");
        plan.push(tls_profile(TlsVerification::Full, authority, None));
    } else if authority.is_some() {
        return Err(refused("ca_cert requires tls_enabled=true").of_option("ca_cert"));
    }
    for broker in uri.authority.split(',') {
        let (host, port) = host_and_port(broker)?;
        plan.push(endpoint(host, port, encrypted));
    }
    authentication(&options, &mut plan)?;
    for (name, option) in [
        ("topic-name", "topic_name"),
        ("topic-prefix", "topic_prefix"),
    ] {
        plan.extend(options.text(option).map(|text| setting(name, text)));
    }
    Ok(plan)
}

fn authentication(options: &Options<'_>, plan: &mut Vec<PlanEntry>) -> Result<(), Failure> {
    let mechanism = options.text("sasl_mechanism");
    if !options.flag("sasl_enabled")? {
        return match mechanism {
            Some(_) => Err(refused(
                "sasl_enabled must be enabled to configure SASL mechanism",
            )),
            None => Ok(()),
        };
    }
    let mechanism = mechanism.unwrap_or("PLAIN");
    if !MECHANISMS.contains(&mechanism) {
        let message = format!(
            "param sasl_mechanism must be one of {}",
            MECHANISMS.join(", ")
        );
        return Err(refused(&message).of_option("sasl_mechanism"));
    }
    let missing = |option| {
        let message =
            format!("{option} must be provided when SASL is enabled using mechanism {mechanism}");
        refused(&message).of_option(option)
    };
    let user = options
        .text("sasl_user")
        .ok_or_else(|| missing("sasl_user"))?;
    let password = options.secret("sasl_password");
    let password = password.ok_or_else(|| missing("sasl_password"))?;
    plan.push(setting("sasl-mechanism", mechanism));
    plan.push(setting("user", user));
    plan.push(named("password", password));
    Ok(())
}

fn host_and_port(text: &str) -> Result<(&str, u16), Failure> {
    let parts = text
        .rsplit_once(':')
        .map(|(host, port)| (host, port.parse()));
    match parts {
        Some((host, Ok(port))) if !host.is_empty() => {
            let host = host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'))
                .unwrap_or(host);
            Ok((host, port))
        }
        _ => Err(refused("a broker is written as HOST:PORT")),
    }
}
