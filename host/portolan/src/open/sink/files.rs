//! An object store as a sink: each target writes files of its own.

use std::sync::Arc;

use async_trait::async_trait;
use bytesize::ByteSize;
use portolan_contract::{FailureClass, Message, Plan};
use portolan_data::{FileLayout, FileSink, FileSinkError, GateError, Partition, failure_of};

use super::outbox::{Opener, Target, Trouble};
use crate::open::gate::HandleGate;
use crate::open::pinned::Pinned;
use crate::open::storage::Builder;
use crate::{Error, SqlState};

/// Opens the store of one version of a connection.
pub(super) struct Files<'a> {
    pub(super) builder: &'a Builder,
    pub(super) pinned: Arc<Pinned>,
    pub(super) gate: Arc<HandleGate>,
}

#[async_trait]
impl Opener for Files<'_> {
    async fn open(&self) -> Result<Box<dyn Target>, Trouble> {
        let for_good = |error| Trouble {
            error,
            may_pass: false,
        };
        let layout = layout(self.pinned.plan()).map_err(for_good)?;
        let gate = Arc::clone(&self.gate);
        let store = self.builder.build(&self.pinned, gate).await;
        Ok(Box::new(FileSink::new(store.map_err(for_good)?, layout)))
    }
}

/// How files are laid out, as the settings of the plan say.
fn layout(plan: &Plan) -> Result<FileLayout, Error> {
    let mut layout = FileLayout::default();
    if let Some(size) = plan.setting("file_size") {
        let size = size
            .parse::<ByteSize>()
            .map_err(|_| unreadable("file_size"))?;
        layout.file_size = size.as_u64();
    }
    layout.partition = match plan.setting("partition_format") {
        None | Some("daily") => Partition::Daily,
        Some("hourly") => Partition::Hourly,
        Some("flat") => Partition::Flat,
        Some(_) => return Err(unreadable("partition_format")),
    };
    if let Some(prefix) = plan.setting("topic_prefix") {
        prefix.clone_into(&mut layout.topic_prefix);
    }
    Ok(layout)
}

fn unreadable(setting: &str) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("the setting {setting} of the connection cannot be read"),
    )
    .with_hint("give the connection its URI again with ALTER EXTERNAL CONNECTION")
}

#[async_trait]
impl Target for FileSink {
    async fn emit(&mut self, messages: &[Message]) -> Result<u64, Trouble> {
        FileSink::emit(self, messages).await.map_err(trouble)
    }

    async fn flush(&mut self) -> Result<u64, Trouble> {
        FileSink::flush(self).await.map_err(trouble)
    }

    async fn close(mut self: Box<Self>) -> Result<(), Trouble> {
        FileSink::flush(&mut self).await.map(drop).map_err(trouble)
    }
}

/// A store tries again by itself, below; one that did not answer may do so later.
fn trouble(error: FileSinkError) -> Trouble {
    match error {
        FileSinkError::Store(error) => {
            let failure = failure_of(&error);
            Trouble {
                may_pass: matches!(
                    failure.class,
                    FailureClass::Unreachable | FailureClass::Timeout
                ),
                error: match GateError::find(&error) {
                    Some(refused) => refused.clone().into(),
                    None => failure.into(),
                },
            }
        }
        other => Trouble {
            error: Error::new(SqlState::FeatureNotSupported, other.to_string())
                .with_hint("write each message as one line; JSON needs no line breaks"),
            may_pass: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use portolan_contract::PlanEntry;

    use super::*;

    fn laid_out(settings: &[(&str, &str)]) -> Result<FileLayout, Error> {
        let entry = |(name, value): &(&str, &str)| {
            PlanEntry::Setting((*name).to_owned(), (*value).to_owned())
        };
        layout(&Plan {
            entries: settings.iter().map(entry).collect(),
        })
    }

    #[test]
    fn the_settings_of_a_changefeed_lay_files_out() {
        assert_eq!(laid_out(&[]).expect("a layout"), FileLayout::default());
        let all = [
            ("file_size", "1.5 MiB"),
            ("partition_format", "flat"),
            ("topic_prefix", "bank_"),
        ];
        let expected = FileLayout {
            file_size: 1_572_864,
            partition: Partition::Flat,
            topic_prefix: "bank_".to_owned(),
        };
        assert_eq!(laid_out(&all).expect("a layout"), expected);
        for (name, value) in [("file_size", "big"), ("partition_format", "weekly")] {
            let error = laid_out(&[(name, value)]).expect_err("unreadable");
            assert_eq!(error.sqlstate(), SqlState::InvalidParameterValue);
        }
    }
}
