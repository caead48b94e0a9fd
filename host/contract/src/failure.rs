//! Why something did not work, in the contract's classes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of a failure; it decides the SQLSTATE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FailureClass {
    /// The URI is not one of this provider's.
    InvalidUri,
    /// Neither the provider nor the server can do it.
    Unsupported,
    /// The server, or the operator's policy, does not allow it.
    Denied,
    /// Nothing answers there.
    Unreachable,
    /// The credentials were refused.
    RefusedCredentials,
    /// The peer does not speak the protocol, or read back something else.
    Protocol,
    /// The thing named does not exist.
    NotFound,
    /// It took too long.
    Timeout,
    /// A budget of the host is used up.
    Budget,
    /// A class that this host does not know.
    Other(String),
}

impl FailureClass {
    /// The name of the class of what another process has locked.
    pub const LOCKED: &str = "locked";

    /// The name of the class of a disk, a quota or a file that cannot grow. What is used up is not
    /// one of the host's own budgets.
    pub const DISK_FULL: &str = "disk-full";

    /// The SQLSTATE that a statement ends with when this is why.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::InvalidUri => "22023",
            Self::Unsupported => "0A000",
            Self::Denied => "42501",
            Self::Unreachable => "08001",
            Self::RefusedCredentials => "28000",
            Self::Other(class) if class == Self::LOCKED => "55P03",
            Self::Other(class) if class == Self::DISK_FULL => "53100",
            Self::Protocol | Self::Other(_) => "08P01",
            Self::NotFound => "42704",
            Self::Timeout => "57014",
            Self::Budget => "53200",
        }
    }
}

/// A failure, its texts already scrubbed and stripped of control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub class: FailureClass,
    /// What happened, for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The option that is wrong, if one is.
    pub option_name: Option<String>,
    /// More, by name: for a log, never for matching.
    pub facts: Vec<(String, String)>,
}

impl Failure {
    /// A failure with nothing but its class and message.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            hint: None,
            option_name: None,
            facts: Vec::new(),
        }
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
