//! Phase one: the brokers, how TLS is spoken to them, and who authenticates, or the reason why not.

mod brokers;
mod cloud;
mod login;
mod token_url;
mod topics;

use portolan_sdk::{
    Failure, Kind, Operation, Options, Plan, TlsVerification, UriPieces, Value, refuse_userinfo,
};
use portolan_web::{Certificates, PROFILE};

use brokers::Brokers;
use login::Login;
use topics::Topics;

/// How TLS is spoken; in plain text without it.
struct Tls<'uri> {
    certificates: Certificates<'uri>,
    verify: TlsVerification,
}

/// What the options of a scheme come to.
struct Read<'uri> {
    topics: Topics<'uri>,
    tls: Option<Tls<'uri>>,
    login: Login<'uri>,
}

/// The plan of a URI of one of the three schemes.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    let read = match uri.scheme.as_str() {
        "confluent-cloud" => cloud::confluent(&mut options)?,
        "azure-event-hub" => cloud::event_hub(&mut options, uri)?,
        _ => kafka(&mut options)?,
    };
    // What users know is checked; from here on it is what no broker could make sense of.
    refuse_userinfo(uri)?;
    refuse_path(uri)?;
    let brokers = Brokers::of(uri)?;
    read.topics.check()?;
    let plan = Plan::new(Kind::Sink).supports([Operation::Changefeed]);
    let profile = read.tls.as_ref().map(|_| PROFILE);
    let plan = match &read.tls {
        None => plan,
        Some(tls) => tls.certificates.add(plan, tls.verify.clone()),
    };
    let plan = brokers.planned(plan, profile);
    let plan = match &read.tls {
        Some(tls) if tls.verify == TlsVerification::None => plan.warn(
            "The brokers' certificates are not checked, so that whoever stands on the way can read \
             and change what is sent; leave out insecure_tls_skip_verify to have them checked.",
        ),
        _ => plan,
    };
    let plan = read.login.planned(plan, profile.is_some())?;
    let plan = read.topics.planned(plan);
    Ok(plan.set("scheme", &uri.scheme))
}

fn kafka<'uri>(options: &mut Options<'uri>) -> Result<Read<'uri>, Failure> {
    let topics = Topics::read(options)?;
    if options.secret("schema_topic").is_some() {
        return Err(Failure::invalid_uri("schema_topic is not yet supported")
            .with_hint("Leave it out.")
            .with_option("schema_topic"));
    }
    let is_encrypted = options.boolean("tls_enabled")?.unwrap_or(false);
    let verify = verification(options)?;
    let certificates = Certificates::read(options);
    certificates.check_encoding()?;
    let login = Login::read(options)?;
    let tls = match is_encrypted {
        true => {
            certificates.check()?;
            Some(Tls {
                certificates,
                verify,
            })
        }
        false => {
            certificates
                .refuse_without_tls("tls_enabled=true", "Add tls_enabled=true, or leave it out.")?;
            None
        }
    };
    options.refuse_unknown("kafka sink")?;
    Ok(Read { topics, tls, login })
}

fn verification(options: &mut Options<'_>) -> Result<TlsVerification, Failure> {
    let skips = options.boolean("insecure_tls_skip_verify")?;
    Ok(match skips {
        Some(true) => TlsVerification::None,
        _ => TlsVerification::Full,
    })
}

/// A path says nothing here, and whoever writes one means a topic.
fn refuse_path(uri: &UriPieces) -> Result<(), Failure> {
    match &uri.path {
        Value::Text(path) if path.is_empty() || path == "/" => Ok(()),
        _ => Err(Failure::invalid_uri("the URI of a Kafka sink has no path")
            .with_hint("Name the topic with topic_name=NAME.")),
    }
}

#[cfg(test)]
mod tests;
