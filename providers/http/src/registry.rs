//! Subjects and schemas: the requests to a registry, and what of its answers is believed.

use portolan_sdk::lent::http::{Request, send};
use portolan_sdk::lent::parts::Part;
use portolan_sdk::{Failure, FailureClass, Plan, Schema, SchemaType, joined};
use portolan_web::SERVER;
use serde_json::{Value, json};

use crate::refusal::{no_registry, refused};

/// The most bytes of a schema, by the contract.
const MOST_DEFINED: usize = 1 << 20;

/// The most names in one answer, by the contract.
const MOST_SUBJECTS: u32 = 1_000;

/// What the answers of a registry say that they are.
const CONTENT_TYPE: &str = "application/vnd.schemaregistry";

/// What sends requests: the host, or a script in a test.
pub(crate) trait Api {
    /// Sends one and waits for its answer.
    ///
    /// # Errors
    ///
    /// Nothing answered.
    fn send(&self, request: Request) -> Result<Answer, Failure>;
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether the server says that it speaks as a registry.
    pub(crate) fn is_of_a_registry(&self) -> bool {
        self.content_type.starts_with(CONTENT_TYPE)
    }
}

/// The server, through what the host lends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lent;

impl Api for Lent {
    fn send(&self, request: Request) -> Result<Answer, Failure> {
        let response = send(request)?;
        let mut headers = response.headers.into_iter();
        let content_type = headers.find(|(name, _)| name == "content-type");
        let mut body = Vec::new();
        for part in response.body {
            if let Part::Bytes(bytes) = part {
                body.extend(bytes);
            }
        }
        Ok(Answer {
            status: response.status,
            content_type: content_type.map(|(_, value)| value).unwrap_or_default(),
            body,
        })
    }
}

fn request(plan: &Plan, rule: &str, method: &str, path: &[&str], body: Option<&Value>) -> Request {
    let prefix = plan.store().map_or("", |store| store.prefix.as_str());
    let prefix = prefix.split('/').filter(|segment| !segment.is_empty());
    Request {
        rule: rule.to_owned(),
        endpoint: SERVER,
        method: method.to_owned(),
        path: prefix
            .chain(path.iter().copied())
            .map(str::to_owned)
            .collect(),
        query: Vec::new(),
        headers: Vec::new(),
        body: match body {
            Some(body) => vec![Part::Bytes(body.to_string().into_bytes())],
            None => Vec::new(),
        },
        keep_opaque: Vec::new(),
    }
}

/// The request for all subjects.
pub(crate) fn subjects_request(plan: &Plan) -> Request {
    request(plan, "read", "GET", &["subjects"], None)
}

/// A list of names, if a body is one.
pub(crate) fn names_of(body: &[u8]) -> Option<Vec<String>> {
    let Ok(Value::Array(names)) = serde_json::from_slice(body) else {
        return None;
    };
    let names = names.into_iter().map(|name| match name {
        Value::String(name) => Some(name),
        _ => None,
    });
    names.collect()
}

/// The names of the subjects after the first `skip`.
pub(crate) fn subjects(
    api: &dyn Api,
    plan: &Plan,
    skip: u32,
    at_most: u32,
) -> Result<Vec<String>, Failure> {
    let answer = api.send(subjects_request(plan))?;
    if answer.status != 200 {
        return Err(refused(&answer));
    }
    let names = names_of(&answer.body).ok_or_else(no_registry)?;
    let names = names.into_iter().skip(skip as usize);
    Ok(names.take(at_most.min(MOST_SUBJECTS) as usize).collect())
}

/// Registers a schema. A registry answers a schema that it has with the number that it has.
pub(crate) fn register(
    api: &dyn Api,
    plan: &Plan,
    subject: &str,
    schema: &Schema,
) -> Result<u32, Failure> {
    if subject.is_empty() || matches!(subject, "." | "..") {
        return Err(Failure::new(
            FailureClass::Unsupported,
            "a subject of a schema registry has a name, and not . or ..",
        )
        .with_hint("Name the subject, as in TOPIC-value."));
    }
    let mut body = json!({ "schema": schema.definition });
    if let (Some(name), Some(members)) = (type_name(&schema.schema_type), body.as_object_mut()) {
        members.insert("schemaType".to_owned(), Value::from(name));
    }
    let path = ["subjects", subject, "versions"];
    let answer = api.send(request(plan, "register", "POST", &path, Some(&body)))?;
    let id = document(&answer)?.get("id").and_then(Value::as_u64);
    id.and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| garbled("it holds no number of a schema"))
}

/// The registry's word for a type; none for the one that it takes anything for. Registries that know
/// nothing but Avro refuse the word.
fn type_name(schema_type: &SchemaType) -> Option<&str> {
    match schema_type {
        SchemaType::Avro => None,
        SchemaType::Json => Some("JSON"),
        SchemaType::Protobuf => Some("PROTOBUF"),
        SchemaType::Other(name) => Some(name),
    }
}

/// The schema with a number.
pub(crate) fn get(api: &dyn Api, plan: &Plan, id: u32) -> Result<Schema, Failure> {
    let path = ["schemas", "ids", &id.to_string()];
    let answer = api.send(request(plan, "read", "GET", &path, None))?;
    let mut answer = document(&answer)?;
    let mut text = |name: &str| match answer.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let schema_type = match text("schemaType") {
        None => SchemaType::Avro,
        Some(name) => match name.as_str() {
            "AVRO" => SchemaType::Avro,
            "JSON" => SchemaType::Json,
            "PROTOBUF" => SchemaType::Protobuf,
            _ => SchemaType::Other(name),
        },
    };
    let definition = text("schema").ok_or_else(|| garbled("it holds no schema"))?;
    if definition.len() > MOST_DEFINED {
        return Err(
            Failure::new(FailureClass::Budget, "the schema is longer than 1 MiB")
                .with_hint("Read it from the registry itself."),
        );
    }
    Ok(Schema {
        schema_type,
        definition,
    })
}

fn document(answer: &Answer) -> Result<Value, Failure> {
    if answer.status != 200 {
        return Err(refused(answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| garbled("it is no JSON"))
}

fn garbled(what: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["the answer is none of a schema registry: ", what]),
    )
    .with_hint("Look for a proxy on the way that answers in the place of the registry.")
}

#[cfg(test)]
#[path = "registry_tests.rs"]
pub(crate) mod tests;
