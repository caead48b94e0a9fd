//! The question that is asked before each operation of a handle: may it still be used?

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;

/// Says before each operation of a [`Confined`](crate::Confined) store whether it may run.
///
/// A gate is asked very often, so it answers from memory where it can.
#[async_trait]
pub trait Gate: fmt::Debug + Send + Sync {
    /// Answers for the operation that is about to start.
    ///
    /// # Errors
    ///
    /// A [`GateError`] says why the handle may not be used any more; the operation fails with it
    /// and nothing reaches the store.
    async fn check(&self) -> Result<(), GateError>;
}

/// A gate that lets everything pass: for a handle that nobody can revoke.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGate;

#[async_trait]
impl Gate for OpenGate {
    async fn check(&self) -> Result<(), GateError> {
        Ok(())
    }
}

/// Why a handle may not be used any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateError {
    sqlstate: Cow<'static, str>,
    message: String,
    hint: Option<String>,
}

impl GateError {
    /// An error with its SQLSTATE and a message for people.
    pub fn new(sqlstate: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            sqlstate: sqlstate.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same error with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The SQLSTATE.
    #[must_use]
    pub fn sqlstate(&self) -> &str {
        &self.sqlstate
    }

    /// What happened.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it, if something can be done.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Finds the gate's error in an error of a confined store.
    #[must_use]
    pub fn find(error: &object_store::Error) -> Option<&Self> {
        crate::failure::find_source(error)
    }
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for GateError {}
