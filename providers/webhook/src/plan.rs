//! Phase one: the endpoint and what authenticates a request to it, or the reason why not.

use portolan_sdk::{
    Failure, Fragment, HostAndPort, Kind, Operation, OptionPair, Options, Plan, TlsVerification,
    UriPieces, Value, joined,
};
use portolan_web::{BASIC, Certificates, PROFILE, basic};

/// What the names of secrets for the query begin with.
const QUERY: &str = "query.";

/// Parameters that go to the endpoint, at most: with all other entries they fit into a plan.
const MOST_FORWARDED: usize = 200;

/// The plan of a webhook URI.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    if uri.scheme != "webhook-https" {
        return Err(Failure::invalid_uri("this sink requires https").with_hint(
            "Write webhook-https://. For an endpoint whose authority nobody knows give ca_cert, or \
             insecure_tls_skip_verify=true to try it out.",
        ));
    }
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let unchecked = options
        .boolean("insecure_tls_skip_verify")?
        .unwrap_or(false);
    let certificates = Certificates::read(&mut options);
    let forwarded = options.unknown();
    certificates.check()?;
    let server =
        HostAndPort::of(&uri.authority).map_err(|error| error.failure("the webhook-https URI"))?;
    let basic = basic(uri)?;
    let is_forwarded = |pair: &&OptionPair| forwarded.contains(&pair.name.as_str());
    let count = uri.options.iter().filter(is_forwarded).count();
    if count > MOST_FORWARDED {
        return Err(Failure::invalid_uri(joined(&[
            "the webhook-https URI has more than ",
            &MOST_FORWARDED.to_string(),
            " parameters for the endpoint",
        ]))
        .with_hint("Leave some out; & in a value is %26."));
    }

    let verify = match unchecked {
        true => TlsVerification::None,
        false => TlsVerification::Full,
    };
    let plan = Plan::new(Kind::Sink).supports([Operation::Changefeed]);
    let plan = certificates
        .add(plan, verify)
        .endpoint(&server.host, server.port.unwrap_or(443), Some(PROFILE))
        .secret("path", path(&uri.path));
    let plan = match basic {
        Some(fragments) => plan.secret(BASIC, fragments),
        None => plan,
    };
    let plan = uri.options.iter().filter(is_forwarded).fold(plan, forward);
    Ok(match unchecked {
        true => plan.warn(
            "The endpoint's certificate is not checked, so whoever stands on the way can read the \
             messages and the secrets of the URI; ca_cert would tell the endpoint from others.",
        ),
        false => plan,
    })
}

/// The path with its leading slash; a URI without one asks for `/`.
fn path(path: &Value) -> Vec<Fragment> {
    match path {
        Value::Secret(path) => vec![Fragment::Text("/".to_owned()), path.fragment()],
        Value::Text(path) if path.is_empty() => vec![Fragment::Text("/".to_owned())],
        Value::Text(path) => vec![Fragment::Text(path.clone())],
    }
}

/// A parameter that nobody here knows is one of the endpoint's, in its order and with its name.
fn forward(plan: Plan, pair: &OptionPair) -> Plan {
    let name = joined(&[QUERY, &pair.name]);
    match &pair.value {
        Value::Secret(secret) => plan.secret_as_given(&name, secret),
        Value::Text(text) => plan.secret(&name, vec![Fragment::Text(text.clone())]),
    }
}

#[cfg(test)]
mod tests;
