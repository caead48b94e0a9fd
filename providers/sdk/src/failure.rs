//! Failures, put together.

use crate::{Failure, FailureClass, joined};

impl Failure {
    /// A failure with nothing but its class and its message.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            hint: None,
            option_name: None,
            facts: Vec::new(),
        }
    }

    /// The URI is not one of this provider's.
    pub fn invalid_uri(message: impl Into<String>) -> Self {
        Self::new(FailureClass::InvalidUri, message)
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with the option that is wrong.
    #[must_use]
    pub fn with_option(mut self, name: impl Into<String>) -> Self {
        self.option_name = Some(name.into());
        self
    }

    /// The same failure, with what was being done before its message.
    #[must_use]
    pub fn context(mut self, doing: &str) -> Self {
        self.message = joined(&[doing, ": ", &self.message]);
        self
    }

    /// The same failure to decrypt, with the key that encrypted after its message: where a connection
    /// names another one, or the same one by another name, it would be looked for in vain.
    #[must_use]
    pub fn with_content_of(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            self.message = joined(&[&self.message, "; the content was encrypted with ", key]);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_goes_before_the_message_and_keeps_the_rest() {
        let failure = Failure::new(FailureClass::Denied, "read-only")
            .with_hint("Mount it writable.")
            .context("failed to write");
        assert_eq!(failure.message, "failed to write: read-only");
        assert_eq!(failure.class, FailureClass::Denied);
        assert_eq!(failure.hint.as_deref(), Some("Mount it writable."));
    }

    #[test]
    fn the_key_that_encrypted_goes_after_the_message() {
        let failure = Failure::new(FailureClass::Denied, "answered 403").with_hint("Ask for it.");
        assert_eq!(
            failure.clone().with_content_of(None).message,
            "answered 403"
        );
        let failure = failure.with_content_of(Some("k"));
        assert_eq!(
            failure.message,
            "answered 403; the content was encrypted with k"
        );
        assert_eq!(failure.hint.as_deref(), Some("Ask for it."));
    }
}
