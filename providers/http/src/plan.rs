//! Phase one: the server, how it is spoken to and as whom, or the reason why not.

use portolan_sdk::{
    Failure, Fragment, HostAndPort, Kind, Operation, Options, Plan, PlanEntry, Secret, TlsProfile,
    TlsVerification, UriPieces, Value, joined, object_prefix,
};

use crate::sink;

/// The number of the server's endpoint.
pub(crate) const SERVER: u32 = 0;

/// The TLS profile of the server.
const PROFILE: &str = "server";

/// The named secret with the user and the password.
pub(crate) const BASIC: &str = "basic";

/// The named secret with the certificate that is shown to the server.
pub(crate) const CLIENT_CERTIFICATE: &str = "client-certificate";

/// The certificates and the key of the options.
struct Certificates<'uri> {
    authority: Option<&'uri Secret>,
    client: Option<(&'uri Secret, &'uri Secret)>,
}

/// The plan of an `http`, `https`, `file-http` or `file-https` URI.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let is_encrypted = uri.scheme.ends_with("https");
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let settings = sink::settings(&mut options)?;
    let given = ["ca_cert", "client_cert", "client_key"].map(|name| options.secret(name));
    options.refuse_unknown("HTTP")?;
    for (name, text) in &settings {
        sink::check(name, text)?;
    }
    let certificates = Certificates::of(given, is_encrypted)?;
    let server = HostAndPort::of(&uri.authority)
        .map_err(|error| error.failure(&joined(&["the ", &uri.scheme, " URI"])))?;
    let basic = basic(uri)?;

    let plan = Plan::new(Kind::Storage)
        .supports([Operation::Changefeed])
        .implicit_access("the network of the server");
    let plan = match is_encrypted {
        true => {
            certificates
                .add(plan)
                .endpoint(&server.host, server.port.unwrap_or(443), Some(PROFILE))
        }
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

impl<'uri> Certificates<'uri> {
    fn of(
        [authority, certificate, key]: [Option<&'uri Secret>; 3],
        is_encrypted: bool,
    ) -> Result<Self, Failure> {
        let given = [
            ("ca_cert", authority),
            ("client_cert", certificate),
            ("client_key", key),
        ];
        for (name, secret) in given {
            let Some(secret) = secret else { continue };
            if let Some(problem) = secret.base64_problem() {
                return Err(Failure::invalid_uri(joined(&[
                    "param ",
                    name,
                    " must be base 64 encoded: ",
                    &problem,
                ]))
                .with_hint("Write the PEM file as base64 prints it, with + as %2B.")
                .with_option(name));
            }
            if !is_encrypted {
                return Err(Failure::invalid_uri(joined(&[name, " requires https"]))
                    .with_hint("Write https:// or file-https://, or leave it out.")
                    .with_option(name));
            }
        }
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(alone("client_cert", "client_key")),
            (None, Some(_)) => return Err(alone("client_key", "client_cert")),
        };
        Ok(Self { authority, client })
    }

    fn add(&self, plan: Plan) -> Plan {
        let name = |name: &str, is_given: bool| is_given.then(|| name.to_owned());
        let profile = TlsProfile {
            name: PROFILE.to_owned(),
            certificate_authority: name("certificate-authority", self.authority.is_some()),
            client_certificate: name(CLIENT_CERTIFICATE, self.client.is_some()),
            client_key: name("client-key", self.client.is_some()),
            verify: TlsVerification::Full,
        };
        let plan = match self.authority {
            Some(authority) => plan.secret_as_given("certificate-authority", authority),
            None => plan,
        };
        let plan = match self.client {
            Some((certificate, key)) => plan
                .secret_as_given(CLIENT_CERTIFICATE, certificate)
                .secret_as_given("client-key", key),
            None => plan,
        };
        plan.with(PlanEntry::Tls(profile))
    }
}

fn alone(given: &str, missing: &str) -> Failure {
    Failure::invalid_uri(joined(&[given, " requires ", missing, " to be set"]))
        .with_hint("Give both, or neither.")
        .with_option(missing)
}

/// User and password as Basic authentication puts them together, both decoded; a userinfo without a
/// `:` is a user without a password.
fn basic(uri: &UriPieces) -> Result<Option<Vec<Fragment>>, Failure> {
    let password = match &uri.password {
        Some(Value::Secret(password)) => Some(password),
        _ => None,
    };
    match (&uri.user, password) {
        (Some(Value::Text(user)), _) => {
            let is_empty = user.is_empty() && password.is_none_or(|password| password.empty);
            let head = joined(&[&decoded_user(user)?, ":"]);
            let mut fragments = vec![Fragment::Text(head)];
            fragments.extend(password.map(Secret::fragment));
            Ok((!is_empty).then_some(fragments))
        }
        (Some(Value::Secret(user)), _) if !user.empty => {
            Ok(Some(vec![user.fragment(), Fragment::Text(":".to_owned())]))
        }
        _ => Ok(None),
    }
}

/// RFC 7617 allows neither a `:` in a user nor a control character.
fn decoded_user(user: &str) -> Result<String, Failure> {
    let decoded = percent_encoding::percent_decode_str(user)
        .decode_utf8()
        .ok();
    decoded
        .filter(|user| !user.chars().any(|c| c.is_control() || c == ':'))
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| {
            Failure::invalid_uri("the user before the host is none that HTTP can send")
                .with_hint("A user is UTF-8 without a colon and without control characters.")
        })
}

#[cfg(test)]
mod tests;
