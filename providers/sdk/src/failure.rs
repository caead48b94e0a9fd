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
}
