//! Phase one: a project in a region, and whose credentials use it, or the reason why not.

use portolan_google::{SERVER, acting_as};
use portolan_sdk::{
    Failure, Kind, Operation, Options, Plan, Secret, TlsVerification, UriPieces, Value,
    is_dns_label, joined, refuse_userinfo,
};

use crate::name::{HINT as TOPIC_HINT, is_project, is_topic};

/// The number of the service's endpoint.
pub(crate) const SERVICE: u32 = 0;

/// The settings of a plan.
pub(crate) const PROJECT: &str = "project";
pub(crate) const TOPIC: &str = "topic";
pub(crate) const TABLE_NAME: &str = "table-name-attribute";

/// How a URI is written.
const HINT: &str = "Write gcpubsub://PROJECT?region=REGION&CREDENTIALS=KEY.";

/// The plan of a `gcpubsub` URI, checked in the order in which users know the errors. What it does not
/// know it leaves alone, as users know it.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let topic = options.text("topic_name")?;
    if uri.authority.is_empty() {
        return Err(Failure::invalid_uri("missing project name").with_hint(HINT));
    }
    let Some(region) = options.text("region")? else {
        return Err(Failure::invalid_uri("region query parameter not found")
            .with_hint(
                "Use of gcpubsub without specifying a region requires the WITH unordered option. \
                 A connection has no such option: add region=REGION.",
            )
            .with_option("region"));
    };
    let auth = options.text("AUTH")?;
    let key = options.secret("CREDENTIALS");
    let chain = options.text("ASSUME_ROLE")?;
    let table_name = options
        .boolean("with_table_name_attribute")?
        .unwrap_or(false);
    check_credentials(auth, key)?;
    // What users know is checked; from here on it is what no service could make sense of.
    let host = endpoint_of(region)?;
    check(uri, topic)?;

    let plan = Plan::new(Kind::Sink)
        .supports([Operation::Changefeed])
        .tls(SERVER, TlsVerification::Full)
        .endpoint(&host, 443, Some(SERVER));
    let plan = acting_as(credentials(plan, auth, key), chain)?.set(PROJECT, &uri.authority);
    let plan = match topic {
        Some(topic) => plan.set(TOPIC, topic),
        None => plan,
    };
    Ok(match table_name {
        true => plan.set(TABLE_NAME, "true"),
        false => plan,
    })
}

/// Whatever `AUTH` says but `implicit` counts as `specified`.
fn check_credentials(auth: Option<&str>, key: Option<&Secret>) -> Result<(), Failure> {
    let problem = match (auth, key) {
        (Some("implicit"), _) => return Ok(()),
        (_, None) => {
            return Err(Failure::invalid_uri("missing credentials parameter")
                .with_hint("Give CREDENTIALS, or AUTH=implicit to use those of the server.")
                .with_option("CREDENTIALS"));
        }
        (_, Some(key)) => key.base64_problem(),
    };
    match problem {
        None => Ok(()),
        Some(problem) => {
            Err(
                Failure::invalid_uri(joined(&["decoding credentials json: ", &problem]))
                    .with_hint("Write the JSON key as base64 prints it: base64 --wrap=0 KEY.json.")
                    .with_option("CREDENTIALS"),
            )
        }
    }
}

fn credentials(plan: Plan, auth: Option<&str>, key: Option<&Secret>) -> Plan {
    match key {
        Some(key) if auth != Some("implicit") => plan
            .set("credentials", "specified")
            .secret_as_given("credentials", key)
            .endpoint("oauth2.googleapis.com", 443, Some(SERVER)),
        _ => plan
            .set("credentials", "implicit")
            .implicit_access("the Google Cloud credentials of the server"),
    }
}

/// The endpoint of a region, whose name becomes part of one label of the host.
fn endpoint_of(region: &str) -> Result<String, Failure> {
    let label = joined(&[region, "-pubsub"]);
    match is_dns_label(&label) && is_dns_label(region) {
        true => Ok(joined(&[&label, ".googleapis.com"])),
        false => Err(Failure::invalid_uri("region is not the name of a region")
            .with_hint("Write it as Google does: us-east1.")
            .with_option("region")),
    }
}

fn check(uri: &UriPieces, topic: Option<&str>) -> Result<(), Failure> {
    refuse_userinfo(uri)?;
    let has_path = match &uri.path {
        Value::Text(path) => !matches!(path.as_str(), "" | "/"),
        Value::Secret(_) => true,
    };
    if has_path {
        return Err(Failure::invalid_uri("a gcpubsub URI has no path")
            .with_hint("Name the topic as topic_name=TOPIC."));
    }
    if !is_project(&uri.authority) {
        return Err(Failure::invalid_uri(
            "the host of the gcpubsub URI is not the id of a project",
        )
        .with_hint(HINT));
    }
    match topic {
        Some(topic) if !is_topic(topic) => Err(Failure::invalid_uri(
            "topic_name is not the name of a topic",
        )
        .with_hint(TOPIC_HINT)
        .with_option("topic_name")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
