//! Phase one: the endpoint of a region, the key, and the credentials to sign with.

use crate::bindings::portolan::types::types::{
    Failure, Kind, Operation, PlanEntry, TlsVerification, UriPieces, Value,
};
use crate::options::{Options, refused};
use crate::plans::{begun, endpoint, named, setting, tls_profile};

const KNOWN: &[&str] = &[
    "AUTH",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "REGION",
];

/// The plan of an `aws-kms` URI, checked in the order in which users know the errors.
pub(crate) fn plan(uri: &UriPieces) -> Result<Vec<PlanEntry>, Failure> {
    let options = Options::of(uri);
    options.only(KNOWN, "KMS")?;
    let Some(region) = options.text("REGION") else {
        return Err(refused("aws kms REGION parameter not specified").of_option("REGION"));
    };
    if !is_label(region) {
        return Err(refused("REGION is the name of no region").of_option("REGION"));
    }
    let Value::Text(path) = &uri.path else {
        return Err(refused("the key's name is no secret"));
    };
    let key = path.trim_start_matches('/');
    if key.is_empty() {
        return Err(refused("the path of an aws-kms URI names the key"));
    }
    let mut plan = begun(Kind::Kms, &[Operation::EncryptedBackup]);
    credentials(&options, &mut plan)?;
    plan.push(tls_profile(TlsVerification::Full, None, None));
    plan.push(endpoint(&format!("kms.{region}.amazonaws.com"), 443, true));
    plan.push(setting("region", region));
    plan.push(setting("key", key));
    Ok(plan)
}

fn credentials(options: &Options<'_>, plan: &mut Vec<PlanEntry>) -> Result<(), Failure> {
    match options.text("AUTH").unwrap_or("specified") {
        "specified" => {
            let Some(id) = options.text("AWS_ACCESS_KEY_ID") else {
                return Err(missing("AWS_ACCESS_KEY_ID"));
            };
            let Some(key) = options.secret("AWS_SECRET_ACCESS_KEY") else {
                return Err(missing("AWS_SECRET_ACCESS_KEY"));
            };
            plan.push(setting("access-key-id", id));
            plan.push(named("secret-access-key", key));
            let token = options.secret("AWS_SESSION_TOKEN");
            plan.extend(token.map(|token| named("session-token", token)));
            Ok(())
        }
        "implicit" => {
            let what = "the AWS credentials of the server".to_owned();
            plan.push(PlanEntry::ImplicitAccess(what));
            Ok(())
        }
        other => Err(refused(&format!("unsupported value {other} for AUTH"))
            .of_option("AUTH")
            .with_hint("Write specified or implicit.")),
    }
}

fn missing(option: &str) -> Failure {
    refused(&format!(
        "AUTH is set to 'specified', but {option} is not set"
    ))
    .of_option(option)
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
