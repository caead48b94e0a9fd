//! AWS_MSK_IAM: a signed request that is never sent, in JSON.
//!
//! After the README of `aws-msk-iam-auth`, and AWS's own documents on Signature Version 4.

use portolan_servers::sigv4_signature;
use serde_json::{Map, Value, json};

use super::{Stepped, Users, refused};

pub(crate) const NAME: &str = "AWS_MSK_IAM";

const VERSION: &str = "2020_10_22";
const SERVICE: &str = "kafka-cluster";
/// SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Recomputes the signature over what the message says, host and all.
pub(crate) fn judge(users: &Users, message: &[u8]) -> Stepped {
    match user(users, message) {
        None => refused(),
        Some(user) => Stepped::Done {
            bytes: json!({"version": VERSION, "request-id": "portolan-broker"})
                .to_string()
                .into_bytes(),
            user,
        },
    }
}

fn user(users: &Users, message: &[u8]) -> Option<String> {
    let key = users.aws.as_ref()?;
    let said: Map<String, Value> = serde_json::from_slice(message).ok()?;
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let is_asked = text("version") == Some(VERSION)
        && text("action") == Some("kafka-cluster:Connect")
        && text("x-amz-algorithm") == Some("AWS4-HMAC-SHA256")
        && text("x-amz-signedheaders") == Some("host")
        && text("x-amz-security-token") == key.token.as_deref()
        && text("user-agent").is_some_and(|agent| !agent.is_empty());
    let (host, time) = (text("host")?, text("x-amz-date")?);
    let expires = text("x-amz-expires")?;
    let scope = format!("{}/{}/{SERVICE}/aws4_request", time.get(..8)?, key.region);
    let credential = text("x-amz-credential")?;
    if !is_asked || credential != format!("{}/{scope}", key.id) {
        return None;
    }
    let seconds: u64 = expires.parse().ok()?;
    if !(1..=900).contains(&seconds) || portolan_servers::sigv4_is_skewed(time) {
        return None;
    }
    let mut query = vec![
        ("Action", "kafka-cluster:Connect"),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", credential),
        ("X-Amz-Date", time),
        ("X-Amz-Expires", expires),
    ];
    query.extend(
        key.token
            .as_deref()
            .map(|token| ("X-Amz-Security-Token", token)),
    );
    query.push(("X-Amz-SignedHeaders", "host"));
    let query: Vec<_> = query
        .into_iter()
        .map(|(name, value)| format!("{name}={}", portolan_servers::sigv4_escaped(value)))
        .collect();
    let canonical = format!("GET\n/\n{}\nhost:{host}\n\nhost\n{EMPTY}", query.join("&"));
    let signature = sigv4_signature(&key.secret, &key.region, SERVICE, time, &canonical);
    (text("x-amz-signature") == Some(&signature)).then(|| key.id.clone())
}
