//! A line becomes a message, or is none.

use portolan::Message;
use serde_json::Value;

use super::input::Line;
use crate::args::{EmitArguments, EmitFormat};
use crate::report::Failure;

/// How lines become messages.
#[derive(Debug)]
pub(super) struct Messages {
    topic: String,
    key: Key,
    format: EmitFormat,
}

#[derive(Debug)]
enum Key {
    None,
    Same(Vec<u8>),
    /// Where it stands in each document.
    From(String),
}

impl Messages {
    /// As the arguments say.
    ///
    /// # Errors
    ///
    /// They do not go together.
    pub(super) fn new(arguments: &EmitArguments) -> Result<Self, Failure> {
        let key = match (&arguments.key, &arguments.key_from) {
            (_, Some(_)) if arguments.format == EmitFormat::Lines => {
                return Err(Failure::new("22023", "--key-from needs JSON to look into")
                    .hint("add --format ndjson, or give every message the same key with --key"));
            }
            (_, Some(pointer)) if !pointer.starts_with('/') => {
                return Err(Failure::new("22023", "--key-from is no JSON pointer")
                    .hint("write / before each name, as in /customer/id"));
            }
            (_, Some(pointer)) => Key::From(pointer.clone()),
            (Some(key), None) => Key::Same(key.as_bytes().to_vec()),
            (None, None) => Key::None,
        };
        Ok(Self {
            topic: arguments.topic.clone(),
            key,
            format: arguments.format,
        })
    }

    /// The messages of some lines, up to the first that is none, and what is wrong with that one.
    pub(super) fn of(&self, lines: Vec<Line>) -> (Vec<Message>, Option<Failure>) {
        let mut messages = Vec::with_capacity(lines.len());
        for line in lines {
            let number = line.number;
            match self.message(line.text) {
                Ok(message) => messages.extend(message),
                Err(failure) => {
                    return (messages, Some(failure.detail(format!("line {number}"))));
                }
            }
        }
        (messages, None)
    }

    fn message(&self, text: Vec<u8>) -> Result<Option<Message>, Failure> {
        let is_json = self.format == EmitFormat::Ndjson;
        if is_json && text.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let key = match &self.key {
            Key::None if is_json => {
                document(&text)?;
                None
            }
            Key::None => None,
            Key::Same(key) if is_json => {
                document(&text)?;
                Some(key.clone())
            }
            Key::Same(key) => Some(key.clone()),
            Key::From(pointer) => Some(found(&document(&text)?, pointer)?),
        };
        let message = Message::new(&*self.topic, text);
        Ok(Some(match key {
            Some(key) => message.with_key(key),
            None => message,
        }))
    }
}

/// The document that a text is. Its parser's words may repeat the text, and are not told.
fn document(text: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(text).map_err(|_| {
        Failure::new("22023", "a line of the input is no JSON")
            .hint("write one JSON document on each line, or send lines as they are: --format lines")
    })
}

/// A text is its own key; everything else is as JSON writes it.
fn found(document: &Value, pointer: &str) -> Result<Vec<u8>, Failure> {
    match document.pointer(pointer) {
        None | Some(Value::Null) => Err(Failure::new(
            "22023",
            format!("a line of the input has nothing at {pointer} to be its key"),
        )
        .hint("name a member that every document has")),
        Some(Value::String(text)) => Ok(text.clone().into_bytes()),
        Some(other) => Ok(other.to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(
        format: EmitFormat,
        key: Option<&str>,
        key_from: Option<&str>,
    ) -> Result<Messages, Failure> {
        Messages::new(&EmitArguments {
            url: "external://sink".to_owned(),
            topic: "t".to_owned(),
            key: key.map(str::to_owned),
            key_from: key_from.map(str::to_owned),
            format,
        })
    }

    fn lines(texts: &[&str]) -> Vec<Line> {
        let texts = texts.iter().zip(1..);
        texts
            .map(|(text, number)| Line {
                number,
                text: text.as_bytes().to_vec(),
            })
            .collect()
    }

    fn keys(messages: &[Message]) -> Vec<String> {
        let keys = messages
            .iter()
            .map(|message| message.key.clone().unwrap_or_default());
        keys.map(|key| String::from_utf8(key).expect("a text"))
            .collect()
    }

    #[test]
    fn every_line_is_a_message_and_an_empty_one_too() {
        let made = messages(EmitFormat::Lines, Some("k"), None).expect("they go together");
        let (made, wrong) = made.of(lines(&["a", "", "{"]));
        assert_eq!((made.len(), wrong.is_none()), (3, true));
        assert_eq!(
            (made[1].value.as_slice(), made[1].topic.as_str()),
            (&b""[..], "t")
        );
        assert_eq!(keys(&made), ["k", "k", "k"]);
    }

    #[test]
    fn a_document_stays_as_it_is_written_and_holds_its_key() {
        let made = messages(EmitFormat::Ndjson, None, Some("/a/id")).expect("they go together");
        let (made, wrong) = made.of(lines(&[
            " {\"a\":{\"id\":\"x\"}}",
            "",
            "{\"a\":{\"id\":7}}",
        ]));
        assert!(wrong.is_none());
        assert_eq!(made[0].value, b" {\"a\":{\"id\":\"x\"}}");
        assert_eq!(keys(&made), ["x", "7"]);
    }

    #[test]
    fn what_is_no_document_ends_it_with_its_place() {
        for (pointer, text) in [
            (None, "{hunter2"),
            (Some("/id"), "{}"),
            (Some("/id"), "{\"id\":null}"),
        ] {
            let made = messages(EmitFormat::Ndjson, None, pointer).expect("they go together");
            let (made, wrong) = made.of(lines(&["{\"id\":1}", text, "{\"id\":2}"]));
            let wrong = wrong.expect("it is none");
            assert_eq!(made.len(), 1);
            assert_eq!(wrong.detail.as_deref(), Some("line 2"));
            assert!(!wrong.message.contains("hunter2"));
        }
    }

    #[test]
    fn arguments_that_do_not_go_together_are_refused() {
        for (format, pointer) in [(EmitFormat::Lines, "/id"), (EmitFormat::Ndjson, "id")] {
            let refused = messages(format, None, Some(pointer)).expect_err("refused");
            assert!(refused.hint.is_some());
        }
    }
}
