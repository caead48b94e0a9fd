//! What a service of Google says when it does not.

use portolan_sdk::{Failure, FailureClass, joined};
use serde_json::Value;

/// A refusal in the form of Google's APIs. Its message is read, and not repeated.
#[derive(Debug)]
pub struct Told {
    code: Option<String>,
    /// Why, in a word: that of an `ErrorInfo`, or the type of a violated precondition.
    reason: Option<String>,
    message: String,
}

impl Told {
    /// What a body tells; nothing where it is none of Google's.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let document = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let error = document.get("error").unwrap_or(&Value::Null);
        let word = |value: Option<&Value>| {
            let text = value.and_then(Value::as_str)?;
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let fits = (1..=64).contains(&text.len()) && text.bytes().all(is_word);
            fits.then(|| text.to_owned())
        };
        let details = error.get("details").and_then(Value::as_array);
        let reason = details.into_iter().flatten().find_map(|detail| {
            let violation = detail.pointer("/violations/0/type");
            word(detail.get("reason")).or_else(|| word(violation))
        });
        let message = error.get("message").and_then(Value::as_str);
        Self {
            code: word(error.get("status")),
            reason,
            message: message.unwrap_or_default().to_owned(),
        }
    }

    /// The code, such as `PERMISSION_DENIED`; empty where there is none.
    #[must_use]
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// Why, in a word, such as `SERVICE_DISABLED`; empty where it is not said.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }

    /// Whether the message holds these words.
    #[must_use]
    pub fn tells(&self, words: &str) -> bool {
        self.message.contains(words)
    }

    /// The failure of this refusal: `SERVICE answered 403 PERMISSION_DENIED (REASON)`.
    #[must_use]
    pub fn failure(&self, service: &str, status: u16, class: FailureClass, hint: &str) -> Failure {
        let mut text = joined(&[service, " answered ", &status.to_string()]);
        if let Some(code) = &self.code {
            text.push(' ');
            text.push_str(code);
        }
        if let Some(reason) = &self.reason {
            text.push_str(&joined(&[" (", reason, ")"]));
        }
        Failure::new(class, text).with_hint(hint)
    }
}
