//! Pub/Sub, as far as one project's topics go.

use std::collections::{BTreeMap, HashSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use super::accounts::CLOUD_SCOPE;
use crate::http_server::{Answer, answer};

/// The project that has topics.
pub(super) const PROJECT: &str = "harbour-1";

/// What a token needs, one of them.
const SCOPES: [&str; 2] = ["https://www.googleapis.com/auth/pubsub", CLOUD_SCOPE];

/// Messages of one request, at most.
const MOST: usize = 1_000;

/// What was published to a topic: data, ordering key, attributes.
pub(super) type Published = (Vec<u8>, String, Value);

/// The topics, and who may do what with them.
#[derive(Debug)]
pub(super) struct Topics {
    topics: BTreeMap<String, Vec<Published>>,
    /// Accounts, and what they may do: `get`, `list`, `publish`.
    pub(super) allowed: HashSet<(String, &'static str)>,
    /// How many requests to publish are answered with this status before they are carried out.
    pub(super) failing: (u32, u16),
    ids: u64,
}

impl Topics {
    pub(super) fn new(account: &str) -> Self {
        Self {
            topics: BTreeMap::from([("orders".to_owned(), Vec::new())]),
            allowed: ["get", "list", "publish"]
                .map(|what| (account.to_owned(), what))
                .into(),
            failing: (0, 503),
            ids: 0,
        }
    }

    pub(super) fn create(&mut self, topic: &str) {
        self.topics.entry(topic.to_owned()).or_default();
    }

    pub(super) fn published(&self, topic: &str) -> Vec<Published> {
        self.topics.get(topic).cloned().unwrap_or_default()
    }

    /// `GET` of topics and of one, `:testIamPermissions` and `:publish`, by the holder of a token
    /// with a scope.
    pub(super) fn respond(
        &mut self,
        holder: Option<(String, String)>,
        request: &Request<Bytes>,
    ) -> Answer {
        let Some((account, scope)) = holder else {
            return refused(401, "UNAUTHENTICATED", None);
        };
        if !scope.split(' ').any(|scope| SCOPES.contains(&scope)) {
            return refused(
                403,
                "PERMISSION_DENIED",
                Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            );
        }
        let path = request.uri().path();
        let below = path.strip_prefix("/v1/projects/");
        let Some((project, rest)) = below.and_then(|path| path.split_once('/')) else {
            return refused(404, "NOT_FOUND", None);
        };
        if project != PROJECT {
            return refused(404, "NOT_FOUND", None);
        }
        let may = |what| self.allowed.contains(&(account.clone(), what));
        let (topic, verb) = match rest.strip_prefix("topics").map(|rest| rest.split_once(':')) {
            Some(None) => (rest.strip_prefix("topics/"), ""),
            Some(Some((_, verb))) => (
                rest.strip_prefix("topics/")
                    .and_then(|rest| rest.split(':').next()),
                verb,
            ),
            None => return refused(404, "NOT_FOUND", None),
        };
        match (request.method(), topic, verb) {
            (&Method::GET, None, "") if !may("list") => refused(403, "PERMISSION_DENIED", None),
            (&Method::GET, None, "") => {
                let names = self.topics.keys().map(|topic| json!({"name": full(topic)}));
                answered(&json!({"topics": names.take(1).collect::<Vec<_>>()}))
            }
            (&Method::GET, Some(_), "") if !may("get") => refused(403, "PERMISSION_DENIED", None),
            (&Method::GET, Some(topic), "") => match self.topics.contains_key(topic) {
                true => answered(&json!({"name": full(topic)})),
                false => refused(404, "NOT_FOUND", None),
            },
            // Of a topic that is not there nobody may do anything, which is all that is said.
            (&Method::POST, Some(topic), "testIamPermissions") => {
                match may("publish") && self.topics.contains_key(topic) {
                    true => answered(&json!({"permissions": ["pubsub.topics.publish"]})),
                    false => answered(&json!({})),
                }
            }
            (&Method::POST, Some(_), "publish") if !may("publish") => {
                refused(403, "PERMISSION_DENIED", None)
            }
            (&Method::POST, Some(topic), "publish") => self.publish(topic, request.body()),
            _ => refused(404, "NOT_FOUND", None),
        }
    }

    fn publish(&mut self, topic: &str, body: &[u8]) -> Answer {
        if self.failing.0 > 0 {
            self.failing.0 -= 1;
            return refused(self.failing.1, "UNAVAILABLE", None);
        }
        let Some(published) = self.topics.get_mut(topic) else {
            return refused(404, "NOT_FOUND", None);
        };
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let messages = asked["messages"].as_array().cloned().unwrap_or_default();
        let read: Option<Vec<_>> = messages.iter().map(message).collect();
        let Some(read) = read.filter(|read| (1..=MOST).contains(&read.len())) else {
            return refused(400, "INVALID_ARGUMENT", None);
        };
        let first = self.ids;
        self.ids += read.len() as u64;
        published.extend(read);
        let ids: Vec<_> = (first..self.ids).map(|id| id.to_string()).collect();
        answered(&json!({ "messageIds": ids }))
    }
}

/// A message, if the service would take it.
fn message(message: &Value) -> Option<Published> {
    let data = message["data"].as_str().unwrap_or_default();
    let data = BASE64_STANDARD.decode(data).ok()?;
    let key = message["orderingKey"].as_str().unwrap_or_default();
    let attributes = message["attributes"].clone();
    let is_empty = data.is_empty() && attributes.is_null();
    (!is_empty && key.len() <= 1_024).then(|| (data, key.to_owned(), attributes))
}

fn full(topic: &str) -> String {
    format!("projects/{PROJECT}/topics/{topic}")
}

fn answered(body: &Value) -> Answer {
    let headers = [("content-type", "application/json; charset=UTF-8")];
    answer(200, &headers, body.to_string())
}

fn refused(code: u16, status: &str, reason: Option<&str>) -> Answer {
    let details: Vec<_> = reason
        .map(|reason| json!({"reason": reason}))
        .into_iter()
        .collect();
    let body = json!({"error": {
        "code": code, "status": status, "message": "a text of the service", "details": details,
    }});
    let headers = [("content-type", "application/json; charset=UTF-8")];
    answer(code, &headers, body.to_string())
}
