//! Who did what, and how it ended.

use std::fmt;

use jiff::Timestamp;

/// The place of a record in the trail; grows with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuditId(pub u64);

/// What sort of thing an action was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// An external connection.
    Connection,
    /// A user or role.
    Principal,
    /// A provider.
    Provider,
    /// A slot that holds the store's key, called by its number.
    KeySlot,
    /// A storage that no connection names, called by its redacted URI.
    Uri,
    /// The system as a whole.
    System,
}

impl ObjectKind {
    /// The word that a catalog keeps and `SHOW AUDIT` shows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Principal => "principal",
            Self::Provider => "provider",
            Self::KeySlot => "key slot",
            Self::Uri => "uri",
            Self::System => "system",
        }
    }

    /// The kind that [`Self::as_str`] gives this text for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Connection,
            Self::Principal,
            Self::Provider,
            Self::KeySlot,
            Self::Uri,
            Self::System,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == name)
    }
}

/// The thing that an action was about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuditObject {
    /// Its sort.
    pub kind: ObjectKind,
    /// Its name at that time.
    pub name: String,
}

impl AuditObject {
    /// The connection called `name`.
    pub fn connection(name: impl Into<String>) -> Self {
        Self {
            kind: ObjectKind::Connection,
            name: name.into(),
        }
    }

    /// A storage that no connection names, by its redacted URI.
    pub fn uri(redacted: impl Into<String>) -> Self {
        Self {
            kind: ObjectKind::Uri,
            name: redacted.into(),
        }
    }
}

impl fmt::Display for AuditObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind.as_str(), self.name)
    }
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done.
    Ok,
    /// A privilege or policy forbade it; with the SQLSTATE.
    Refused(String),
    /// It went wrong; with the SQLSTATE.
    Failed(String),
}

impl AuditOutcome {
    /// `ok`, `refused` or `failed`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// The SQLSTATE, unless it was done.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Ok => None,
            Self::Refused(sqlstate) | Self::Failed(sqlstate) => Some(sqlstate),
        }
    }

    /// The outcome that [`Self::as_str`] and [`Self::sqlstate`] give these for.
    #[must_use]
    pub fn from_parts(name: &str, sqlstate: Option<String>) -> Option<Self> {
        match (name, sqlstate) {
            ("ok", None) => Some(Self::Ok),
            ("refused", Some(sqlstate)) => Some(Self::Refused(sqlstate)),
            ("failed", Some(sqlstate)) => Some(Self::Failed(sqlstate)),
            _ => None,
        }
    }
}

/// One action. Holds no secret: the statement is masked before it gets here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// When it ended, in whole microseconds.
    pub time: Timestamp,
    /// Who acted.
    pub principal: String,
    /// For whom, where the principal says that it acts for another.
    pub on_behalf_of: Option<String>,
    /// Where the request came from, as the embedding program gives it.
    pub client_address: Option<String>,
    /// The embedding program's name for the request.
    pub request_id: Option<String>,
    /// What was done: a statement's tag or the name of a command.
    pub action: String,
    /// What it was done to.
    pub object: Option<AuditObject>,
    /// The statement with every literal masked.
    pub statement: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// What else is worth knowing.
    pub detail: Option<String>,
}

/// A record with its place in the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place.
    pub id: AuditId,
    /// What happened.
    pub record: AuditRecord,
}

/// Which records are asked for. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only those about this.
    pub object: Option<AuditObject>,
    /// Only those of this time or later.
    pub since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_put_together_from_its_parts() {
        for outcome in [
            AuditOutcome::Ok,
            AuditOutcome::Refused("42501".into()),
            AuditOutcome::Failed("08001".into()),
        ] {
            let sqlstate = outcome.sqlstate().map(str::to_owned);
            assert_eq!(
                AuditOutcome::from_parts(outcome.as_str(), sqlstate),
                Some(outcome)
            );
        }
        assert_eq!(AuditOutcome::from_parts("ok", Some("42501".into())), None);
    }
}
