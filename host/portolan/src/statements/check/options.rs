//! How much CHECK does, and how much it may.

use std::time::Duration;

use bytesize::ByteSize;
use portolan_statement as ast;

use super::units;
use crate::access::{Access, refused};
use crate::call::Call;
use crate::{Error, SqlState};

/// The most workers.
const MAX_WORKERS: u64 = 64;

/// The most bytes of one object, unless an administrator asks.
const MAX_TRANSFER: u64 = 1 << 30;

/// The most bytes of one object at all: no storage takes a larger one, and the parts of a larger one
/// would have to be so long that it takes memory to say what is in them.
const MAX_OBJECT: u64 = 5 << 40;

/// The longest time, unless an administrator asks.
const MAX_TIME: Duration = Duration::from_secs(60 * 60);

/// What each worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Work {
    /// How many workers there are.
    pub(super) workers: usize,
    /// How many bytes one pass writes and reads.
    pub(super) transfer: u64,
    /// For how long passes are begun; one is made in any case.
    pub(super) time: Duration,
}

impl Work {
    /// Reads the options of the statement.
    pub(super) fn read<'a>(
        call: &Call<'a>,
        statement: &'a ast::CheckConnection,
    ) -> Result<Self, Error> {
        let workers = match statement.concurrently {
            None => 1,
            Some(ast::Number::Literal(number)) => number,
            Some(ast::Number::Placeholder(number)) => call
                .parameter(number)?
                .expose()
                .trim()
                .parse()
                .map_err(|_| invalid("CONCURRENTLY is no whole number", "write it as 4"))?,
        };
        let transfer = match &statement.transfer {
            None => 32 << 20,
            Some(text) => call
                .text(text)?
                .expose()
                .trim()
                .parse::<ByteSize>()
                .map_err(|_| invalid("TRANSFER is no size", "write it as '32 MiB'"))?
                .as_u64(),
        };
        let time = match &statement.time {
            None => Duration::ZERO,
            Some(text) => units::duration(call.text(text)?.expose().trim())
                .ok_or_else(|| invalid("TIME is no duration", "write it as '1m30s'"))?,
        };
        if !(1..=MAX_WORKERS).contains(&workers) {
            return Err(invalid(
                format!("CONCURRENTLY must be between 1 and {MAX_WORKERS}"),
                match workers {
                    0 => "ask for at least one worker",
                    _ => "ask for fewer workers",
                },
            ));
        }
        if transfer == 0 {
            return Err(invalid(
                "TRANSFER must be at least 1 byte",
                "write it as '32 MiB'",
            ));
        }
        if transfer > MAX_OBJECT {
            let most = units::size(MAX_OBJECT);
            return Err(invalid(
                format!("TRANSFER must be at most {most}"),
                "ask for less",
            ));
        }
        Ok(Self {
            workers: usize::try_from(workers).unwrap_or(1),
            transfer,
            time,
        })
    }

    /// Refuses what only an administrator may ask of a storage.
    pub(super) fn require(&self, access: &Access<'_>) -> Result<(), Error> {
        if access.is_admin() {
            return Ok(());
        }
        let too_much = if self.transfer > MAX_TRANSFER {
            format!("TRANSFER more than {}", units::size(MAX_TRANSFER))
        } else if self.time > MAX_TIME {
            "a TIME of more than 1h".to_owned()
        } else {
            return Ok(());
        };
        Err(refused(format!(
            "only users with the admin role are allowed to CHECK EXTERNAL CONNECTION with {too_much}"
        ))
        .with_hint("ask for less, or ask an administrator to run it"))
    }
}

fn invalid(message: impl Into<String>, hint: &str) -> Error {
    Error::new(SqlState::InvalidParameterValue, message).with_hint(hint)
}
