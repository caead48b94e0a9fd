//! The requests to the service, and what of its answers is believed.

use portolan_sdk::lent::http::{Request, send};
use portolan_sdk::lent::parts::Part;
use portolan_sdk::{Failure, FailureClass, joined};
use serde_json::Value;

use crate::plan::SERVICE;
use crate::refusal::refused;

/// The permission that publishing needs.
pub(crate) const PUBLISH: &str = "pubsub.topics.publish";

/// What sends requests: the host, or a script in a test.
pub(crate) trait Api: std::fmt::Debug {
    /// Sends one, and answers the document that came back.
    ///
    /// # Errors
    ///
    /// Nothing answered, or a refusal.
    fn send(
        &self,
        rule: &str,
        method: &str,
        path: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Value, Failure>;
}

/// The service, through what the host lends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lent;

impl Api for Lent {
    fn send(
        &self,
        rule: &str,
        method: &str,
        path: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Value, Failure> {
        let response = send(Request {
            rule: rule.to_owned(),
            endpoint: SERVICE,
            method: method.to_owned(),
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: match body.is_empty() {
                true => Vec::new(),
                false => vec![Part::Bytes(body)],
            },
            keep_opaque: Vec::new(),
        })?;
        let mut answer = Vec::new();
        for part in response.body {
            if let Part::Bytes(bytes) = part {
                answer.extend(bytes);
            }
        }
        match response.status {
            200 => serde_json::from_slice(&answer).map_err(|_| garbled("it is no JSON")),
            status => Err(refused(rule, status, &answer)),
        }
    }
}

/// The path of a topic, with a verb behind it.
fn topic_path(project: &str, topic: &str, verb: &str) -> Vec<String> {
    let topic = joined(&[topic, verb]);
    ["v1", "projects", project, "topics", &topic]
        .map(str::to_owned)
        .to_vec()
}

/// Whether there is a topic of this name.
pub(crate) fn look_at_topic(api: &dyn Api, project: &str, topic: &str) -> Result<(), Failure> {
    let answer = api.send("topic", "GET", topic_path(project, topic, ""), Vec::new())?;
    match answer.get("name").and_then(Value::as_str) {
        Some(_) => Ok(()),
        None => Err(garbled("it is no topic")),
    }
}

/// Whether there is a project of this name, with topics or without.
pub(crate) fn look_at_project(api: &dyn Api, project: &str) -> Result<(), Failure> {
    let path = ["v1", "projects", project, "topics"];
    let path = path.map(str::to_owned).to_vec();
    api.send("topics", "GET", path, Vec::new()).map(drop)
}

/// Whether the credentials may publish to a topic.
pub(crate) fn may_publish(api: &dyn Api, project: &str, topic: &str) -> Result<bool, Failure> {
    let path = topic_path(project, topic, ":testIamPermissions");
    let body = joined(&["{\"permissions\":[\"", PUBLISH, "\"]}"]);
    let answer = api.send("permissions", "POST", path, body.into_bytes())?;
    let granted = answer.get("permissions").and_then(Value::as_array);
    Ok(granted.is_some_and(|granted| granted.iter().any(|one| one == PUBLISH)))
}

/// Publishes a body of so many messages: their ids.
pub(crate) fn publish(
    api: &dyn Api,
    project: &str,
    topic: &str,
    body: Vec<u8>,
    messages: usize,
) -> Result<Vec<String>, Failure> {
    let path = topic_path(project, topic, ":publish");
    let answer = api.send("publish", "POST", path, body)?;
    let ids = answer.get("messageIds").and_then(Value::as_array);
    let ids: Vec<_> = ids
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match ids.len() == messages {
        true => Ok(ids.into_iter().map(str::to_owned).collect()),
        false => Err(garbled("it does not name the messages that were published")),
    }
}

fn garbled(what: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["the answer is none of Pub/Sub: ", what]),
    )
    .with_hint("Look for a proxy on the way that answers in the place of Pub/Sub.")
}

#[cfg(test)]
#[path = "api_tests.rs"]
pub(crate) mod tests;
