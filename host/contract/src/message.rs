//! What a sink takes.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// The most messages that a provider takes at once.
pub const MAX_BATCH_MESSAGES: usize = 10_000;

/// The most bytes of all messages that a provider takes at once.
pub const MAX_BATCH_BYTES: usize = 16 << 20;

/// The most headers of one message.
const MAX_HEADERS: usize = 64;

/// The most bytes of a topic's name.
const MAX_TOPIC: usize = 1 << 10;

/// One message.
///
/// `Debug` shows how long it is, and nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The topic; a provider adds what its connection says of topics.
    pub topic: String,
    /// Messages of a topic with the same key keep their order.
    pub key: Option<Vec<u8>>,
    /// What is said.
    pub value: Vec<u8>,
    /// Names and values, in their order; at most 64.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since the Unix epoch.
    pub timestamp: u64,
}

impl Message {
    /// A message of now, without key and headers.
    #[must_use]
    pub fn new(topic: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map(|since| since.as_millis()).unwrap_or_default();
        Self {
            topic: topic.into(),
            key: None,
            value: value.into(),
            headers: Vec::new(),
            timestamp: u64::try_from(now).unwrap_or(u64::MAX),
        }
    }

    /// The same with a key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same with one header more.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How many bytes it has in all.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        let key = self.key.as_ref().map_or(0, Vec::len);
        self.topic.len() + key + self.value.len() + headers
    }

    /// Whether any sink can take it.
    ///
    /// # Errors
    ///
    /// What of it breaks a bound, as the end of a sentence: "has no topic".
    pub fn check(&self) -> Result<(), &'static str> {
        match self {
            _ if self.topic.is_empty() => Err("has no topic"),
            _ if self.topic.len() > MAX_TOPIC => Err("has a topic of more than 1 KiB"),
            _ if self.topic.chars().any(char::is_control) => {
                Err("has a topic with a control character")
            }
            _ if self.headers.len() > MAX_HEADERS => Err("has more than 64 headers"),
            _ if self.bytes() > MAX_BATCH_BYTES => Err("has more than 16 MiB"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} bytes)", self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_bounded_and_says_what_is_wrong_with_it() {
        let message = |topic: &str| Message::new(topic, "value");
        assert_eq!(
            message("t").with_key("k").with_header("h", "v").check(),
            Ok(())
        );
        assert_eq!(message("").check(), Err("has no topic"));
        assert_eq!(
            message(&"t".repeat(1_025)).check(),
            Err("has a topic of more than 1 KiB")
        );
        assert_eq!(
            message("a\nb").check(),
            Err("has a topic with a control character")
        );
        let many = (0..65).fold(message("t"), |message, _| message.with_header("h", ""));
        assert_eq!(many.check(), Err("has more than 64 headers"));
        let long = Message::new("t", vec![0; MAX_BATCH_BYTES]);
        assert_eq!(long.check(), Err("has more than 16 MiB"));
    }

    #[test]
    fn what_prints_a_message_shows_nothing_of_it() {
        let shown = format!("{:?}", Message::new("orders", "hunter2").with_key("k"));
        assert_eq!(shown, "Message(14 bytes)");
    }
}
