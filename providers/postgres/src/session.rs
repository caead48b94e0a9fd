//! What the server tells of itself before it waits for queries.

use portolan_sdk::{Details, Failure, FailureClass, joined};
use postgres_protocol::message::backend::Message;

use crate::wire::{Wire, garbled};

/// What a session is.
#[derive(Debug, Default)]
pub(crate) struct Session {
    version: Option<String>,
    /// The version of CockroachDB, whose other one is the PostgreSQL that it speaks like.
    crdb_version: Option<String>,
    standby: bool,
    read_only: bool,
}

impl Session {
    /// Reads until the server waits.
    pub(crate) fn read(wire: &mut Wire) -> Result<Self, Failure> {
        let mut session = Self::default();
        loop {
            match wire.next()? {
                Message::ParameterStatus(body) => {
                    let (Ok(name), Ok(value)) = (body.name(), body.value()) else {
                        return Err(garbled("a parameter that cannot be read"));
                    };
                    match name {
                        "server_version" => session.version = Some(value.to_owned()),
                        "crdb_version" => session.crdb_version = Some(value.to_owned()),
                        "in_hot_standby" => session.standby = value == "on",
                        "default_transaction_read_only" => session.read_only = value == "on",
                        _ => {}
                    }
                }
                Message::BackendKeyData(_) => {}
                Message::ReadyForQuery(_) if session.version.is_some() => return Ok(session),
                Message::ReadyForQuery(_) => return Err(garbled("no version")),
                _ => return Err(garbled("a message before the first query")),
            }
        }
    }

    /// Tells what it is.
    pub(crate) fn tell(&self, details: &mut Details) {
        if let Some(version) = &self.version {
            details.add("server_version", version.as_str());
        }
        if let Some(version) = &self.crdb_version {
            details.add("crdb_version", version.as_str());
        }
        if self.standby {
            details.add("in_hot_standby", "on");
        }
    }

    /// That it is one that the connection wants (`target_session_attrs`). `prefers` says that a
    /// server of another kind may come.
    pub(crate) fn check(&self, wanted: &str, prefers: bool) -> Result<(), Failure> {
        let is_wanted = match wanted {
            "read-write" => !self.standby && !self.read_only,
            "read-only" => self.standby || self.read_only,
            "primary" => !self.standby,
            "standby" => self.standby,
            "prefer-standby" => self.standby || !prefers,
            _ => true,
        };
        if is_wanted {
            return Ok(());
        }
        let what = match (self.standby, self.read_only) {
            (true, _) => "a standby",
            (false, true) => "read-only",
            (false, false) => "a primary that takes writes",
        };
        Err(Failure::new(
            FailureClass::Unreachable,
            joined(&[
                "the server is ",
                what,
                ", and target_session_attrs is ",
                wanted,
            ]),
        )
        .with_hint("Name the other servers as well, or leave target_session_attrs out."))
    }
}
