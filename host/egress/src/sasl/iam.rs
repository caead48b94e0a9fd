//! `AWS_MSK_IAM`: a request of AWS that is signed and not sent, for a broker that asks AWS itself.
//! The form is that of AWS's own `aws-msk-iam-auth`.

use std::time::{Duration, SystemTime};

use portolan_contract::StoredPlan;
use portolan_secret::{SecretBytes, SecretText};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::SaslError;
use super::properties::Properties;
use crate::Egress;
use crate::credentials::Lent;
use crate::credentials::aws::{AwsKeys, CachedKeys, lent_keys_of_plan, presign};
use crate::http::EndpointClient;

const VERSION: &str = "2020_10_22";
const SERVICE: &str = "kafka-cluster";
const ACTION: &str = "kafka-cluster:Connect";

/// How long a broker may take the signature.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The keys that the host lends the plan, or those of the role that the plan takes on with them.
pub(super) fn keys(
    egress: &Egress,
    plan: &StoredPlan,
    lent: &Lent,
    properties: &Properties,
) -> Result<CachedKeys, SaslError> {
    if plan.plan.implicit_access().is_none() {
        return Err(SaslError::NotImplicit);
    }
    if egress.options().disable_implicit_credentials {
        return Err(SaslError::Disallowed);
    }
    let region = region(properties)?;
    let session = properties.optional("session-name")?;
    let session = session.as_ref().map(SecretText::expose);
    let client = EndpointClient::bare(egress);
    Ok(lent_keys_of_plan(plan, &client, lent, &region, session)?)
}

/// The region, which becomes a part of a host's name: one label.
pub(super) fn region(properties: &Properties) -> Result<String, SaslError> {
    let region = properties.text("region")?;
    let region = region.expose();
    let is_label = region.len() <= 63
        && !region.starts_with('-')
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    match is_label {
        true => Ok(region.to_owned()),
        false => Err(SaslError::BadRegion),
    }
}

/// What convinces the broker of this name that whoever holds the keys asks to connect now.
pub(super) fn payload(
    keys: &AwsKeys,
    host: &str,
    region: &str,
    now: SystemTime,
) -> Result<SecretBytes, SaslError> {
    let url = format!("https://{host}/?Action={}", ACTION.replace(':', "%3A"));
    let signed = presign(&url, keys, SERVICE, region, LIFETIME, now)?;
    let mut payload = Map::new();
    let mut put = |name: &str, value: &str| payload.insert(name.to_owned(), Value::from(value));
    put("version", VERSION);
    put("host", host);
    put("user-agent", "portolan");
    put("action", ACTION);
    for (name, value) in &signed {
        put(&name.to_ascii_lowercase(), value.expose());
    }
    let written = serde_json::to_vec(&payload).map_err(|_| SaslError::Challenge)?;
    for value in payload.into_iter().map(|(_, value)| value) {
        if let Value::String(text) = value {
            drop(SecretText::new(text));
        }
    }
    Ok(SecretBytes::new(written))
}

#[derive(Deserialize)]
struct Accepted {
    version: String,
}

/// Whether a broker's answer is one that accepts.
pub(super) fn is_accepted(challenge: &[u8]) -> bool {
    serde_json::from_slice::<Accepted>(challenge).is_ok_and(|accepted| accepted.version == VERSION)
}
