//! What a probe tells: ordered steps, each with its outcome, duration and a hint.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Failure;

/// How far a probe goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// Up to authentication, metadata and authorisation; nothing is written or produced.
    Read,
    /// Everything, with one marker or message.
    Full,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It worked.
    Ok,
    /// It was not done, and why.
    Skipped(String),
    /// It did not work.
    Failed(Failure),
}

impl Outcome {
    /// The word that VALIDATE prints.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
        }
    }
}

/// One step of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was tried: `write`, `list`, `read back`, …
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, by the host's clock.
    pub duration: Duration,
    /// More, by name.
    pub details: Vec<(String, String)>,
}
