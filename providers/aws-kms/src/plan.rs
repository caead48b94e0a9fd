//! Phase one: the key, where it is served, and as whom, or the reason why not.

use portolan_aws::{AwsServer, Credentials, TOKENS, roles, token_service};
use portolan_sdk::{
    Failure, Kind, Operation, Options, Plan, PlanEntry, TlsVerification, UriPieces, Value,
    is_dns_label, refuse_userinfo,
};

/// The number of the service's endpoint.
pub(crate) const SERVICE: u32 = 0;

/// The setting with the key's id, alias or ARN.
pub(crate) const KEY: &str = "key";

/// The setting with the region that requests go to and are signed for.
pub(crate) const REGION: &str = "region";

/// The setting that is there where the service is a server of the URI's own choice.
pub(crate) const CUSTOM_ENDPOINT: &str = "custom-endpoint";

/// The TLS profile of the service's endpoint.
const SERVER: &str = "server";

/// The longest name of a key, in bytes.
const MAX_KEY_BYTES: usize = 2048;

/// The plan of an `aws-kms` URI, checked in the order in which users know the errors.
pub(crate) fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
    let mut options = Options::of(uri);
    options.value("COCKROACH_LOCALITY");
    let credentials = Credentials::read(&mut options)?;
    let endpoint = options.text("AWS_ENDPOINT")?;
    let region = options.text("REGION")?;
    let chain = options.text("ASSUME_ROLE")?;
    options.refuse_unknown("KMS")?;
    let Some(region) = region else {
        return Err(
            Failure::invalid_uri("aws kms REGION parameter not specified")
                .with_hint("Give REGION, the region of the key, such as eu-central-1.")
                .with_option("REGION"),
        );
    };
    let plan = Plan::new(Kind::Kms).supports([Operation::EncryptedBackup]);
    let plan = credentials.planned(plan)?;
    // What users know is checked; from here on it is what no service could make sense of.
    refuse_userinfo(uri)?;
    options.word("AWS_ACCESS_KEY_ID")?;
    if !is_dns_label(region) {
        return Err(Failure::invalid_uri("REGION is not the name of a region")
            .with_hint("Write a name such as eu-central-1.")
            .with_option("REGION"));
    }
    let key = key(uri)?;
    let server = match endpoint {
        None => AwsServer::of_amazon("kms", Some(region)),
        Some(endpoint) => AwsServer::of_endpoint(endpoint)?,
    };
    let mut plan = match server.encrypted {
        true => plan.tls(SERVER, TlsVerification::Full).endpoint(
            &server.host,
            server.port,
            Some(SERVER),
        ),
        false => plan.endpoint(&server.host, server.port, None),
    };
    if let Some(chain) = chain {
        plan = roles(chain)?
            .into_iter()
            .map(PlanEntry::AssumeRole)
            .fold(plan, Plan::with)
            .tls(TOKENS, TlsVerification::Full)
            .endpoint(&token_service(Some(region)), 443, Some(TOKENS));
    }
    if endpoint.is_some() {
        plan = plan
            .set(CUSTOM_ENDPOINT, "true")
            .implicit_access("a server of the URI's own choice");
    }
    Ok(plan.set(REGION, region).set(KEY, key))
}

/// The key's id, alias or ARN: the path without its leading slash.
fn key(uri: &UriPieces) -> Result<&str, Failure> {
    const HINT: &str = "Write aws-kms:///KEY?REGION=…, with the key's id, alias or ARN.";
    if !uri.authority.is_empty() {
        return Err(Failure::invalid_uri("an aws-kms URI names no host").with_hint(HINT));
    }
    let Value::Text(path) = &uri.path else {
        return Err(Failure::invalid_uri("the name of a key is no secret"));
    };
    let key = path.strip_prefix('/').unwrap_or(path);
    let in_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b':' | b'_' | b'-');
    match (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(in_name) {
        true => Ok(key),
        false => Err(
            Failure::invalid_uri("the path of the aws-kms URI is not the name of a key")
                .with_hint(HINT),
        ),
    }
}

#[cfg(test)]
mod tests;
