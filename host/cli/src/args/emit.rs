//! The arguments of `emit`.

use clap::{Args, ValueEnum};

pub(super) const EMIT_HELP: &str = "Examples:
  tail -f app.log | portolan emit external://audit --topic app
  portolan emit external://orders --topic orders --format ndjson --key-from /customer < orders.ndjson

Every message arrives at least once: after a failure that may pass, what was not acknowledged is sent
again, in its order. Messages with the same key keep their order. Lines are sent as they come, and at
the end the number of acknowledged messages is printed. Where a failure does not pass, the error says
how many were acknowledged before it: they are the first ones of the input. ctrl-C stops reading, and
waits for what was read.";

/// How the input is cut into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmitFormat {
    /// Each line, whatever it says
    Lines,
    /// Each line that is not empty, which has to be JSON
    Ndjson,
}

/// `portolan emit`.
#[derive(Debug, Args)]
pub(crate) struct EmitArguments {
    #[arg(help = "external://NAME")]
    pub(crate) url: String,
    /// The topic of the messages; the connection may put a prefix before it, or name another
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: String,
    /// The key of every message
    #[arg(long, value_name = "KEY", conflicts_with = "key_from")]
    pub(crate) key: Option<String>,
    /// Where in each JSON document its key stands: a JSON pointer, such as /customer/id
    #[arg(long, value_name = "POINTER")]
    pub(crate) key_from: Option<String>,
    /// How standard input is cut into messages
    #[arg(long, value_name = "FORMAT", default_value = "lines")]
    pub(crate) format: EmitFormat,
}
