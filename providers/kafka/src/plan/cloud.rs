//! Kafka as a service: TLS and PLAIN are given, and few things may be said.

use portolan_sdk::{Failure, Fragment, HostAndPort, Options, Secret, UriPieces, joined};
use portolan_web::Certificates;

use super::login::Login;
use super::topics::Topics;
use super::{Read, Tls, verification};

/// Options that may be repeated as they are anyway.
const FIXED: [(&str, &str); 4] = [
    ("tls_enabled", "true"),
    ("sasl_enabled", "true"),
    ("sasl_handshake", "true"),
    ("sasl_mechanism", "PLAIN"),
];

/// The user that Event Hubs has for connection strings.
const CONNECTION_STRING: &str = "$ConnectionString";

/// The options of `confluent-cloud`: an API key is a user, its secret the password.
pub(super) fn confluent<'uri>(options: &mut Options<'uri>) -> Result<Read<'uri>, Failure> {
    const SCHEME: &str = "confluent-cloud";
    let topics = Topics::read(options)?;
    let key = text(options, SCHEME, "api_key")?;
    let secret = secret(options, SCHEME, "api_secret")?;
    let login = Login::plain(key, vec![secret.fragment()]);
    read(options, SCHEME, topics, login)
}

/// The options of `azure-event-hub`: the password is a connection string, which the host puts
/// together.
pub(super) fn event_hub<'uri>(
    options: &mut Options<'uri>,
    uri: &UriPieces,
) -> Result<Read<'uri>, Failure> {
    const SCHEME: &str = "azure-event-hub";
    let topics = Topics::read(options)?;
    let name = text(options, SCHEME, "shared_access_key_name")?;
    let key = secret(options, SCHEME, "shared_access_key")?;
    let read = read(
        options,
        SCHEME,
        topics,
        Login::plain(CONNECTION_STRING, Vec::new()),
    )?;
    // A `;` would add a field to the string.
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b';')
    {
        return Err(
            Failure::invalid_uri("shared_access_key_name is not the name of a policy")
                .with_hint("Write letters, digits, dots, underscores and hyphens.")
                .with_option("shared_access_key_name"),
        );
    }
    let host = HostAndPort::of(&uri.authority)
        .map_err(|error| error.failure("the azure-event-hub URI"))?
        .host;
    let head = joined(&[
        "Endpoint=sb://",
        &host,
        "/;SharedAccessKeyName=",
        name,
        ";SharedAccessKey=",
    ]);
    let password = vec![Fragment::Text(head), key.fragment()];
    Ok(Read {
        login: Login::plain(CONNECTION_STRING, password),
        ..read
    })
}

fn read<'uri>(
    options: &mut Options<'uri>,
    scheme: &str,
    topics: Topics<'uri>,
    login: Login<'uri>,
) -> Result<Read<'uri>, Failure> {
    for (name, expected) in FIXED {
        match options.text(name)? {
            Some(text) if text != expected => {
                return Err(Failure::invalid_uri(joined(&[
                    "unsupported value ",
                    text,
                    " for parameter ",
                    name,
                    ", please use ",
                    expected,
                    " instead",
                ]))
                .with_hint(joined(&["Leave ", name, " out."]))
                .with_option(name));
            }
            _ => {}
        }
    }
    let verify = verification(options)?;
    let unknown = options.unknown();
    if let Some(first) = unknown.first() {
        return Err(Failure::invalid_uri(joined(&[
            "invalid query parameters [",
            &unknown.join(" "),
            "] for scheme ",
            scheme,
        ]))
        .with_option(*first));
    }
    Ok(Read {
        topics,
        tls: Some(Tls {
            certificates: Certificates::none(),
            verify,
        }),
        login,
    })
}

fn text<'uri>(options: &mut Options<'uri>, scheme: &str, name: &str) -> Result<&'uri str, Failure> {
    options.text(name)?.ok_or_else(|| missing(scheme, name))
}

fn secret<'uri>(
    options: &mut Options<'uri>,
    scheme: &str,
    name: &str,
) -> Result<&'uri Secret, Failure> {
    options.secret(name).ok_or_else(|| missing(scheme, name))
}

fn missing(scheme: &str, name: &str) -> Failure {
    Failure::invalid_uri(joined(&["scheme ", scheme, " requires parameter ", name]))
        .with_option(name)
}
