//! Messages as the JSON that is posted: `{"payload":[…],"length":N}`.
//!
//! A value that is a JSON object stands there as it is: whoever writes the objects of a changefeed
//! puts key and topic into them. Every other value is text, and stands in an object with its topic,
//! its key and its headers, so that nothing of a message is lost and what it is can be told.

use portolan_sdk::{Failure, FailureClass, Message, joined};
use serde::de::IgnoredAny;

/// What is posted to see whether an endpoint takes anything: no message.
pub(crate) const EMPTY: &[u8] = b"{\"payload\":[],\"length\":0}";

/// A body ends before a message that would make it longer than this; one message alone may.
const BODY_BYTES: usize = 1 << 20;

/// Messages in one body, at most.
const BODY_MESSAGES: u64 = 1_000;

/// A body, and how many messages it holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) json: Vec<u8>,
    pub(crate) messages: u64,
}

/// The bodies that messages make, in their order. A message that cannot be posted is told after the
/// bodies of those before it.
#[derive(Debug)]
pub(crate) struct Bodies<I: Iterator> {
    messages: I,
    /// What did not go into the body before it.
    left: Option<Result<Vec<u8>, Failure>>,
}

impl<I: Iterator<Item = Message>> Bodies<I> {
    pub(crate) fn of(messages: I) -> Self {
        Self {
            messages,
            left: None,
        }
    }
}

impl<I: Iterator<Item = Message>> Iterator for Bodies<I> {
    type Item = Result<Body, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut json = b"{\"payload\":[".to_vec();
        let mut messages = 0;
        while messages < BODY_MESSAGES {
            let next = self.left.take();
            let next = next.or_else(|| self.messages.next().map(|message| item(&message)));
            let item = match next {
                None => break,
                Some(Err(failure)) if messages == 0 => return Some(Err(failure)),
                Some(Ok(item)) if messages == 0 || json.len() + item.len() < BODY_BYTES => item,
                left => {
                    self.left = left;
                    break;
                }
            };
            if messages > 0 {
                json.push(b',');
            }
            json.extend(item);
            messages += 1;
        }
        json.extend_from_slice(b"],\"length\":");
        json.extend_from_slice(messages.to_string().as_bytes());
        json.push(b'}');
        (messages > 0).then_some(Ok(Body { json, messages }))
    }
}

/// One message as it stands in the payload.
fn item(message: &Message) -> Result<Vec<u8>, Failure> {
    if is_object(&message.value) {
        return Ok(message.value.clone());
    }
    let mut item = b"{\"topic\":".to_vec();
    push_text(&mut item, "topic", message.topic.as_bytes())?;
    if let Some(key) = &message.key {
        item.extend_from_slice(b",\"key\":");
        push_text(&mut item, "key", key)?;
    }
    for (place, (name, value)) in message.headers.iter().enumerate() {
        item.extend_from_slice(if place == 0 {
            b",\"headers\":[["
        } else {
            b",["
        });
        push_text(&mut item, "header", name.as_bytes())?;
        item.push(b',');
        push_text(&mut item, "header", value)?;
        item.push(b']');
    }
    if !message.headers.is_empty() {
        item.push(b']');
    }
    item.extend_from_slice(b",\"value\":");
    push_text(&mut item, "value", &message.value)?;
    item.push(b'}');
    Ok(item)
}

/// Whether bytes are one JSON object and nothing else.
fn is_object(value: &[u8]) -> bool {
    let first = value.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'{') && serde_json::from_slice::<IgnoredAny>(value).is_ok()
}

fn push_text(json: &mut Vec<u8>, what: &str, bytes: &[u8]) -> Result<(), Failure> {
    let text = std::str::from_utf8(bytes).ok();
    let written = text.and_then(|text| serde_json::to_string(text).ok());
    let Some(written) = written else {
        return Err(Failure::new(
            FailureClass::Unsupported,
            joined(&[
                "the ",
                what,
                " of a message is not UTF-8, and a webhook is sent JSON",
            ]),
        )
        .with_hint("Write it as text, or as a JSON object that holds it in base64."));
    };
    json.extend_from_slice(written.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn message(key: Option<&[u8]>, value: &[u8]) -> Message {
        Message {
            topic: "t\"1".to_owned(),
            key: key.map(<[u8]>::to_vec),
            value: value.to_vec(),
            headers: Vec::new(),
            timestamp: 0,
        }
    }

    fn bodies(messages: Vec<Message>) -> Vec<Result<Body, Failure>> {
        Bodies::of(messages.into_iter()).collect()
    }

    fn read(body: &Result<Body, Failure>) -> Value {
        let body = body.as_ref().expect("a body");
        let read: Value = serde_json::from_slice(&body.json).expect("JSON");
        assert_eq!(read["length"], json!(body.messages));
        let payload = read["payload"].as_array().expect("a list");
        assert_eq!(payload.len() as u64, body.messages);
        read["payload"].clone()
    }

    #[test]
    fn an_object_stands_as_it_is_and_everything_else_is_text() {
        let all = bodies(vec![
            message(None, b" {\"after\":{\"a\":1},\"key\":[1]} "),
            message(Some(b"k"), b"hello"),
            message(None, b"17"),
            message(None, b"{\"half\":"),
            message(None, b"{} {}"),
        ]);
        assert_eq!(all.len(), 1);
        assert_eq!(
            read(&all[0]),
            json!([
                {"after": {"a": 1}, "key": [1]},
                {"topic": "t\"1", "key": "k", "value": "hello"},
                {"topic": "t\"1", "value": "17"},
                {"topic": "t\"1", "value": "{\"half\":"},
                {"topic": "t\"1", "value": "{} {}"},
            ])
        );
    }

    #[test]
    fn headers_keep_their_order_and_their_doubles() {
        let headers = [("a", "1"), ("a", "2")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let all = bodies(vec![Message {
            headers: headers.to_vec(),
            ..message(None, b"x")
        }]);
        assert_eq!(
            read(&all[0]),
            json!([{"topic": "t\"1", "headers": [["a", "1"], ["a", "2"]], "value": "x"}])
        );
    }

    #[test]
    fn no_messages_make_no_body_and_the_empty_one_is_written_out() {
        assert_eq!(bodies(Vec::new()), []);
        let empty: Value = serde_json::from_slice(EMPTY).expect("JSON");
        assert_eq!(empty, json!({"payload": [], "length": 0}));
    }

    #[test]
    fn a_body_is_bounded_in_messages_and_in_bytes_and_one_message_may_be_longer() {
        let counts = |messages: Vec<Message>| -> Vec<_> {
            let all = bodies(messages);
            all.iter()
                .map(|body| body.as_ref().expect("a body").messages)
                .collect()
        };
        assert_eq!(counts(vec![message(None, b"{}"); 2_001]), [1_000, 1_000, 1]);
        let long = |bytes: usize| message(None, &vec![b'x'; bytes]);
        assert_eq!(counts(vec![long(600_000), long(600_000), long(9)]), [1, 2]);
        assert_eq!(counts(vec![long(9), long(3 << 20), long(9)]), [1, 1, 1]);
    }

    #[test]
    fn what_is_no_text_is_told_after_what_stands_before_it() {
        let all = bodies(vec![
            message(None, b"a"),
            message(None, b"b"),
            message(None, b"\xff"),
        ]);
        assert_eq!(all.len(), 2);
        assert_eq!(read(&all[0]).as_array().map(Vec::len), Some(2));
        let failure = all[1].as_ref().expect_err("no text");
        assert_eq!(failure.class, FailureClass::Unsupported);
        assert!(failure.message.contains("value of a message is not UTF-8"));
    }
}
