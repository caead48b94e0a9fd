//! Messages as the JSON of a request: one for each run of messages of one topic.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use portolan_sdk::{Failure, FailureClass, Message};
use serde_json::{Map, Value, json};

use crate::name::topic_of;

/// Messages of one request, at most: the service's bound.
const REQUEST_MESSAGES: usize = 1_000;

/// A request ends before a message that would make it longer than this; the service takes 10 MB.
const REQUEST_BYTES: usize = 7 << 20;

/// The longest key, in bytes.
const KEY_BYTES: usize = 1_024;

/// The attribute that says which topic a message was emitted to.
const TABLE_NAME: &str = "TABLE_NAME";

/// One request.
#[derive(Debug, PartialEq)]
pub(crate) struct Publication {
    pub(crate) topic: String,
    pub(crate) messages: Vec<Value>,
}

impl Publication {
    pub(crate) fn body(&self) -> Vec<u8> {
        json!({ "messages": self.messages })
            .to_string()
            .into_bytes()
    }
}

/// What a plan says of messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    pub(crate) topic: Option<String>,
    pub(crate) table_name: bool,
}

/// The requests that messages make, in their order. A message that cannot be published is told after
/// the requests of those before it.
pub(crate) struct Publications<'a, I: Iterator> {
    form: &'a Form,
    messages: I,
    /// What did not go into the request before it.
    left: Option<Result<(String, Value, usize), Failure>>,
}

impl<'a, I: Iterator<Item = Message>> Publications<'a, I> {
    pub(crate) fn of(form: &'a Form, messages: I) -> Self {
        Self {
            form,
            messages,
            left: None,
        }
    }
}

impl<I: Iterator<Item = Message>> Iterator for Publications<'_, I> {
    type Item = Result<Publication, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut publication: Option<Publication> = None;
        let mut bytes = 0;
        loop {
            let form = self.form;
            let next = self.left.take();
            let next = next.or_else(|| self.messages.next().map(|message| form.read(&message)));
            match (next, &mut publication) {
                (None, _) => break,
                (Some(Err(failure)), None) => return Some(Err(failure)),
                (Some(Ok((topic, message, length))), None) => {
                    bytes = length;
                    publication = Some(Publication {
                        topic,
                        messages: vec![message],
                    });
                }
                (Some(Ok((topic, message, length))), Some(begun))
                    if begun.topic == topic
                        && begun.messages.len() < REQUEST_MESSAGES
                        && bytes + length <= REQUEST_BYTES =>
                {
                    bytes += length;
                    begun.messages.push(message);
                }
                (left, Some(_)) => {
                    self.left = left;
                    break;
                }
            }
        }
        publication.map(Ok)
    }
}

impl Form {
    /// The topic of a message, its JSON, and about how many bytes that has.
    fn read(&self, message: &Message) -> Result<(String, Value, usize), Failure> {
        let topic = topic_of(self.topic.as_deref(), &message.topic)?.to_owned();
        let mut attributes = Map::new();
        for (name, value) in &message.headers {
            let Ok(value) = std::str::from_utf8(value) else {
                return Err(unsupported(
                    "the header of a message is not UTF-8, as an attribute has to be",
                    "Write it as text, for example in base64.",
                ));
            };
            attributes.insert(name.clone(), Value::from(value));
        }
        if self.table_name {
            attributes.insert(TABLE_NAME.to_owned(), Value::from(&*message.topic));
        }
        if message.value.is_empty() && attributes.is_empty() {
            return Err(unsupported(
                "Pub/Sub takes no message that is empty",
                "Emit messages with a value, or add with_table_name_attribute=true to the URI.",
            ));
        }
        let mut published = json!({ "data": BASE64_STANDARD.encode(&message.value) });
        let mut length = message.value.len().div_ceil(3) * 4 + 64;
        if let Some(members) = published.as_object_mut() {
            if !attributes.is_empty() {
                length += message
                    .headers
                    .iter()
                    .map(|(name, value)| name.len() + value.len() + 8)
                    .sum::<usize>();
                members.insert("attributes".to_owned(), Value::Object(attributes));
            }
            if let Some(key) = message.key.as_deref().filter(|key| !key.is_empty()) {
                members.insert("orderingKey".to_owned(), Value::from(ordering_key(key)?));
            }
        }
        Ok((topic, published, length))
    }
}

/// The key as the text that the service orders by. What is no text is written in base64, so that
/// two keys never become one but by being written alike.
fn ordering_key(key: &[u8]) -> Result<String, Failure> {
    let text = match std::str::from_utf8(key) {
        Ok(text) => text.to_owned(),
        Err(_) => BASE64_STANDARD.encode(key),
    };
    match text.len() <= KEY_BYTES {
        true => Ok(text),
        false => Err(unsupported(
            "the key of a message is longer than Pub/Sub orders by: 1,024 bytes",
            "Emit messages with shorter keys, or without.",
        )),
    }
}

fn unsupported(message: &str, hint: &str) -> Failure {
    Failure::new(FailureClass::Unsupported, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, key: Option<&[u8]>, value: &[u8]) -> Message {
        Message {
            topic: topic.to_owned(),
            key: key.map(<[u8]>::to_vec),
            value: value.to_vec(),
            headers: Vec::new(),
            timestamp: 0,
        }
    }

    fn published(form: &Form, messages: Vec<Message>) -> Vec<Result<Publication, Failure>> {
        Publications::of(form, messages.into_iter()).collect()
    }

    #[test]
    fn messages_are_base64_with_their_key_and_their_attributes() {
        let form = Form {
            topic: None,
            table_name: true,
        };
        let with_header = Message {
            headers: vec![("source".to_owned(), b"a".to_vec())],
            ..message("orders", Some(b"k"), b"{}")
        };
        let all = published(
            &form,
            vec![with_header, message("orders", Some(b"\xff"), b"")],
        );
        let [Ok(one)] = &all[..] else {
            unreachable!("{all:?}");
        };
        assert_eq!(one.topic, "orders");
        let body: Value = serde_json::from_slice(&one.body()).expect("JSON");
        assert_eq!(
            body,
            json!({"messages": [
                {"data": "e30=", "orderingKey": "k",
                 "attributes": {"source": "a", "TABLE_NAME": "orders"}},
                {"data": "", "orderingKey": "/w==", "attributes": {"TABLE_NAME": "orders"}},
            ]})
        );
    }

    #[test]
    fn each_run_of_a_topic_is_a_request_unless_the_connection_names_the_topic() {
        let messages = || {
            ["abc", "abc", "def", "abc"]
                .map(|topic| message(topic, None, b"x"))
                .to_vec()
        };
        let topics = |form: &Form| -> Vec<_> {
            let all = published(form, messages()).into_iter();
            let all = all.map(|one| one.expect("a request"));
            all.map(|one| (one.topic, one.messages.len())).collect()
        };
        let named = |name: &str, count| (name.to_owned(), count);
        assert_eq!(
            topics(&Form::default()),
            [named("abc", 2), named("def", 1), named("abc", 1)]
        );
        let form = Form {
            topic: Some("own".to_owned()),
            table_name: false,
        };
        assert_eq!(topics(&form), [named("own", 4)]);
    }

    #[test]
    fn a_request_is_bounded_in_messages_and_in_bytes() {
        let counts = |messages: Vec<Message>| -> Vec<_> {
            let all = published(&Form::default(), messages).into_iter();
            all.map(|one| one.expect("a request").messages.len())
                .collect()
        };
        assert_eq!(
            counts(vec![message("abc", None, b"x"); 2_001]),
            [1_000, 1_000, 1]
        );
        let long = message("abc", None, &vec![0; 3 << 20]);
        assert_eq!(counts(vec![long; 3]), [1, 1, 1]);
    }

    #[test]
    fn what_the_service_could_not_take_is_told_after_what_stands_before_it() {
        let header = Message {
            headers: vec![("h".to_owned(), vec![0xff])],
            ..message("abc", None, b"x")
        };
        for (wrong, told) in [
            (message("a/b", None, b"x"), "no topic of the name"),
            (message("abc", None, b""), "no message that is empty"),
            (
                message("abc", Some(&[b'k'; 1_025]), b"x"),
                "longer than Pub/Sub orders by",
            ),
            (header, "not UTF-8"),
        ] {
            let all = published(&Form::default(), vec![message("abc", None, b"x"), wrong]);
            assert!(all[0].is_ok());
            let failure = all[1].as_ref().expect_err(told);
            assert_eq!(failure.class, FailureClass::Unsupported);
            assert!(failure.message.contains(told), "{}", failure.message);
        }
    }
}
