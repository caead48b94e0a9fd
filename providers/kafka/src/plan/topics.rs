//! Which topics messages go to.

use portolan_sdk::{Failure, Options, Plan, Value, joined};

/// The longest name of a topic that Kafka takes.
const MAX_BYTES: usize = 249;

/// What the options say of topics.
pub(super) struct Topics<'uri> {
    name: Option<&'uri str>,
    prefix: Option<&'uri str>,
}

impl<'uri> Topics<'uri> {
    pub(super) fn read(options: &mut Options<'uri>) -> Result<Self, Failure> {
        let is_empty =
            matches!(options.value("topic_name"), Some(Value::Text(name)) if name.is_empty());
        if is_empty {
            return Err(Failure::invalid_uri("topic_name must not be empty")
                .with_hint("Name a topic, or leave topic_name out.")
                .with_option("topic_name"));
        }
        Ok(Self {
            name: options.text("topic_name")?,
            prefix: options.text("topic_prefix")?,
        })
    }

    /// Refuses what no topic can be called.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for (option, text) in [("topic_name", self.name), ("topic_prefix", self.prefix)] {
            let is_legal = text.is_none_or(|text| text.bytes().all(is_topic_byte));
            if !is_legal {
                return Err(refused(option, " holds a character that no topic can have"));
            }
        }
        let prefix = self.prefix.unwrap_or_default();
        if prefix.len() + self.name.map_or(1, str::len) > MAX_BYTES {
            return Err(refused(
                self.name.map_or("topic_prefix", |_| "topic_name"),
                " makes the name of a topic that is too long",
            ));
        }
        match self.name {
            Some("." | "..") if prefix.is_empty() => {
                Err(refused("topic_name", " is not the name of a topic"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn planned(&self, plan: Plan) -> Plan {
        let named = [("topic-name", self.name), ("topic-prefix", self.prefix)];
        named
            .into_iter()
            .fold(plan, |plan, (setting, text)| match text {
                Some(text) => plan.set(setting, text),
                None => plan,
            })
    }
}

fn is_topic_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn refused(option: &str, problem: &str) -> Failure {
    Failure::invalid_uri(joined(&[option, problem]))
        .with_hint("A topic has at most 249 letters, digits, dots, underscores and hyphens.")
        .with_option(option)
}
