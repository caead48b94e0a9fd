use std::cell::RefCell;

use portolan_sdk::Kind;

use super::*;

/// Answers every request in the same way, and keeps what was asked.
pub(crate) struct Scripted {
    answer: Answer,
    asked: RefCell<Vec<String>>,
}

impl Scripted {
    pub(crate) fn answering(status: u16, content_type: &str, body: &str) -> Self {
        Self {
            answer: Answer {
                status,
                content_type: content_type.to_owned(),
                body: body.as_bytes().to_vec(),
            },
            asked: RefCell::default(),
        }
    }
}

impl Api for Scripted {
    fn send(&self, request: Request) -> Result<Answer, Failure> {
        let mut asked = format!(
            "{} {} /{}",
            request.rule,
            request.method,
            request.path.join("/")
        );
        for part in request.body {
            if let Part::Bytes(bytes) = part {
                asked.push(' ');
                asked.push_str(&String::from_utf8(bytes).expect("a text"));
            }
        }
        self.asked.borrow_mut().push(asked);
        Ok(self.answer.clone())
    }
}

fn plan() -> Plan {
    Plan::new(Kind::Storage).object_store("http", "", "below/here")
}

fn avro(definition: &str) -> Schema {
    Schema {
        schema_type: SchemaType::Avro,
        definition: definition.to_owned(),
    }
}

#[test]
fn subjects_are_a_window_of_the_whole_list() {
    let api = Scripted::answering(200, "", r#"["a","b","c","d"]"#);
    let names = |skip, at_most| subjects(&api, &plan(), skip, at_most).expect("names");
    assert_eq!(names(0, 1_000), ["a", "b", "c", "d"]);
    assert_eq!(names(1, 2), ["b", "c"]);
    assert_eq!(names(9, 2), Vec::<String>::new());
    assert_eq!(api.asked.borrow()[0], "read GET /below/here/subjects");
    let many: Vec<_> = (0..1_500).map(|number| number.to_string()).collect();
    let api = Scripted::answering(200, "", &serde_json::to_string(&many).expect("JSON"));
    assert_eq!(
        subjects(&api, &plan(), 0, u32::MAX).map(|names| names.len()),
        Ok(1_000)
    );
}

#[test]
fn a_schema_is_registered_under_its_type() {
    for (schema_type, expected) in [
        (SchemaType::Avro, r#"{"schema":"\"int\""}"#),
        (
            SchemaType::Json,
            r#"{"schema":"\"int\"","schemaType":"JSON"}"#,
        ),
        (
            SchemaType::Protobuf,
            r#"{"schema":"\"int\"","schemaType":"PROTOBUF"}"#,
        ),
        (
            SchemaType::Other("XML".to_owned()),
            r#"{"schema":"\"int\"","schemaType":"XML"}"#,
        ),
    ] {
        let api = Scripted::answering(200, "", r#"{"id":7}"#);
        let schema = Schema {
            schema_type,
            definition: "\"int\"".to_owned(),
        };
        assert_eq!(register(&api, &plan(), "t-value", &schema), Ok(7));
        assert_eq!(
            *api.asked.borrow(),
            [format!(
                "register POST /below/here/subjects/t-value/versions {expected}"
            )]
        );
    }
}

#[test]
fn a_schema_comes_with_its_type() {
    for (body, expected) in [
        (r#"{"schema":"\"int\""}"#, SchemaType::Avro),
        (
            r#"{"schema":"\"int\"","schemaType":"AVRO"}"#,
            SchemaType::Avro,
        ),
        (
            r#"{"schema":"\"int\"","schemaType":"JSON"}"#,
            SchemaType::Json,
        ),
        (
            r#"{"schema":"\"int\"","schemaType":"PROTOBUF"}"#,
            SchemaType::Protobuf,
        ),
    ] {
        let api = Scripted::answering(200, "", body);
        let schema = get(&api, &plan(), 3).expect("a schema");
        assert_eq!(schema.definition, "\"int\"");
        assert_eq!(format!("{:?}", schema.schema_type), format!("{expected:?}"));
        assert_eq!(*api.asked.borrow(), ["read GET /below/here/schemas/ids/3"]);
    }
}

#[test]
fn what_is_no_answer_of_a_registry_is_not_believed() {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"id":-1}"#,
        r#"{"id":4294967296}"#,
    ] {
        let api = Scripted::answering(200, "", body);
        let failure = register(&api, &plan(), "s", &avro("1")).expect_err(body);
        assert_eq!(failure.class, FailureClass::Protocol, "{body}");
        assert_eq!(
            get(&api, &plan(), 1).expect_err(body).class,
            FailureClass::Protocol
        );
    }
    let failure = subjects(&Scripted::answering(200, "", "{}"), &plan(), 0, 9);
    assert_eq!(failure.expect_err("no list").class, FailureClass::Protocol);
    let long = json!({ "schema": "x".repeat((1 << 20) + 1) }).to_string();
    let failure = get(&Scripted::answering(200, "", &long), &plan(), 1);
    assert_eq!(failure.expect_err("too long").class, FailureClass::Budget);
}

#[test]
fn a_subject_cannot_leave_its_place() {
    for subject in ["", ".", ".."] {
        let api = Scripted::answering(200, "", r#"{"id":1}"#);
        assert!(register(&api, &plan(), subject, &avro("1")).is_err());
        assert!(api.asked.borrow().is_empty());
    }
}

#[test]
fn a_refusal_is_told_by_its_code() {
    let api = Scripted::answering(409, "", r#"{"error_code":409}"#);
    let failure = register(&api, &plan(), "s", &avro("1")).expect_err("incompatible");
    assert_eq!(failure.class, FailureClass::Denied);
    let api = Scripted::answering(404, "", r#"{"error_code":40403}"#);
    assert_eq!(
        get(&api, &plan(), 9).expect_err("none").class,
        FailureClass::NotFound
    );
}
