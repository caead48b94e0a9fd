//! A stand-in for Confluent Schema Registry.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::FutureExt;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::Authority;
use crate::http_server::{Answer, HttpServer, answer};

/// Subjects, versions and numbers of schemas, with the status and error codes that Karapace was seen
/// to answer: 401, 404 (40401, 40403), 409, 422 (42201). A subject's next schema has to be able to
/// read what the last one wrote, as far as the fields of an Avro record go. That any registry answers
/// like this is not proved.
#[derive(Debug)]
pub struct SchemaRegistryStandIn {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Below which path it answers.
    prefix: String,
    authorization: Option<String>,
    /// By number, which begins with 1: type and definition.
    schemas: Vec<(String, String)>,
    /// The subjects in the order of their names, with the numbers of their versions.
    subjects: std::collections::BTreeMap<String, Vec<usize>>,
    /// Everything is answered with this, where it is set.
    instead: Option<Answer>,
    /// Every answer comes so much later.
    pause: Duration,
}

impl SchemaRegistryStandIn {
    /// An empty one below a path, such as `/registry`, for these names.
    #[must_use]
    pub fn start(authority: &Authority, names: &[&str], prefix: &str) -> Self {
        let state = Arc::new(Mutex::new(State {
            prefix: prefix.to_owned(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let server = HttpServer::encrypted(authority, names, move |request| {
            let mut state = shared.lock().expect("a lock");
            let (answered, pause) = (state.respond(&request), state.pause);
            async move {
                tokio::time::sleep(pause).await;
                answered
            }
            .boxed()
        });
        Self { server, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Refuses whoever is not this user with this password.
    pub fn require(&self, user: &str, password: &str) {
        let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.state().authorization = Some(format!("Basic {pair}"));
    }

    /// Answers everything with this from now on.
    pub fn answer_with(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        self.state().instead = Some(answer(status, headers, body.to_owned()));
    }

    /// Answers everything so much later from now on.
    pub fn pause(&self, pause: Duration) {
        self.state().pause = pause;
    }

    /// How many subjects there are.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.state().subjects.len()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("a lock")
    }
}

impl State {
    fn respond(&mut self, request: &Request<Bytes>) -> Answer {
        if let Some(instead) = &self.instead {
            return instead.clone();
        }
        let given = request.headers().get(AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok());
        if self.authorization.is_some() && self.authorization.as_deref() != given {
            return refused(401, 40_101);
        }
        let path = request.uri().path();
        let Some(path) = path.strip_prefix(&self.prefix) else {
            return refused(404, 404);
        };
        let decode = |segment: &str| {
            let decoded = percent_encoding::percent_decode_str(segment);
            decoded.decode_utf8_lossy().into_owned()
        };
        let segments: Vec<_> = path.split('/').skip(1).map(decode).collect();
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        match (request.method(), segments.as_slice()) {
            (&Method::GET, ["subjects"]) => {
                let names: Vec<_> = self.subjects.keys().collect();
                answered(&json!(names))
            }
            (&Method::POST, ["subjects", subject, "versions"]) => {
                self.register(subject, request.body())
            }
            (&Method::GET, ["subjects", subject, "versions"]) => {
                match self.subjects.get(*subject) {
                    Some(versions) => answered(&json!((1..=versions.len()).collect::<Vec<_>>())),
                    None => refused(404, 40_401),
                }
            }
            (&Method::GET, ["schemas", "ids", id]) => {
                let id = id.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
                match id.and_then(|id| self.schemas.get(id)) {
                    Some((kind, definition)) if kind == "AVRO" => {
                        answered(&json!({"schema": definition}))
                    }
                    Some((kind, definition)) => {
                        answered(&json!({"schema": definition, "schemaType": kind}))
                    }
                    None => refused(404, 40_403),
                }
            }
            _ => refused(404, 404),
        }
    }

    fn register(&mut self, subject: &str, body: &[u8]) -> Answer {
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let kind = asked["schemaType"].as_str().unwrap_or("AVRO").to_owned();
        let Some(definition) = asked["schema"].as_str().map(str::to_owned) else {
            return refused(422, 42_201);
        };
        let is_json = serde_json::from_str::<Value>(&definition).is_ok();
        if !["AVRO", "JSON", "PROTOBUF"].contains(&&*kind) || (kind != "PROTOBUF" && !is_json) {
            return refused(422, 42_201);
        }
        let schema = (kind, definition);
        let versions = self.subjects.get(subject);
        let last = versions.and_then(|versions| versions.last());
        if let Some(last) = last.and_then(|id| self.schemas.get(id - 1))
            && !reads(&schema.1, &last.1)
        {
            return refused(409, 409);
        }
        let known = self.schemas.iter().position(|one| *one == schema);
        let id = known.unwrap_or_else(|| {
            self.schemas.push(schema);
            self.schemas.len() - 1
        }) + 1;
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        if !versions.contains(&id) {
            versions.push(id);
        }
        answered(&json!({ "id": id }))
    }
}

/// Whether one Avro record can read what another wrote: each field that is new has a default.
fn reads(reader: &str, writer: &str) -> bool {
    let fields = |schema: &str| {
        let schema = serde_json::from_str::<Value>(schema).unwrap_or_default();
        schema["fields"].as_array().cloned().unwrap_or_default()
    };
    let written = fields(writer);
    let is_written = |field: &Value| written.iter().any(|one| one["name"] == field["name"]);
    fields(reader)
        .iter()
        .all(|field| is_written(field) || field.get("default").is_some())
}

const CONTENT_TYPE: (&str, &str) = ("content-type", "application/vnd.schemaregistry.v1+json");

fn answered(body: &Value) -> Answer {
    answer(200, &[CONTENT_TYPE], body.to_string())
}

fn refused(status: u16, code: u32) -> Answer {
    let body = json!({"error_code": code, "message": "a text of the registry"});
    let realm = ("www-authenticate", "Basic realm=\"registry\"");
    answer(status, &[CONTENT_TYPE, realm], body.to_string())
}
