//! The one error of this crate: a SQLSTATE, a sentence, and what to do next.

mod convert;
mod sqlstate;

use std::fmt;

pub use sqlstate::SqlState;

/// Why a statement, or an operation of a handle, did not succeed.
///
/// No text in it holds a secret: not the URI of the statement, not what a server echoed.
/// `Display` is the message alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    sqlstate: SqlState,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// An error with its state and what happened. The message must not hold a secret.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            sqlstate,
            message: message.into(),
            detail: None,
            hint: None,
        }))
    }

    /// The same error with more about what happened.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// The same error with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error with what to do about it, where somebody knows.
    #[must_use]
    pub(crate) fn with_hint_of(mut self, hint: Option<impl Into<String>>) -> Self {
        self.0.hint = hint.map(Into::into);
        self
    }

    /// The same error with `prefix` and `: ` before its message.
    #[must_use]
    pub(crate) fn prefixed(mut self, prefix: &str) -> Self {
        self.0.message.insert_str(0, ": ");
        self.0.message.insert_str(0, prefix);
        self
    }

    /// The class of the error.
    #[must_use]
    pub fn sqlstate(&self) -> SqlState {
        self.0.sqlstate
    }

    /// What happened, in one sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// More about what happened.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("sqlstate", &self.0.sqlstate.code());
        debug.field("message", &self.0.message);
        debug.field("detail", &self.0.detail);
        debug.field("hint", &self.0.hint);
        debug.finish()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_goes_before_the_message_and_changes_nothing_else() {
        let error = Error::new(SqlState::ConnectionFailure, "nothing answers")
            .with_hint("start the server")
            .prefixed("failed to construct External Connection details");
        assert_eq!(
            error.to_string(),
            "failed to construct External Connection details: nothing answers"
        );
        assert_eq!(error.sqlstate(), SqlState::ConnectionFailure);
        assert_eq!(error.hint(), Some("start the server"));
    }
}
