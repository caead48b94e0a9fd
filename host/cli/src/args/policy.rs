//! The arguments of `policy`.

use clap::{Args, Subcommand};

use super::FormatArguments;

pub(super) const TEST_HELP: &str = "Examples:
  portolan policy test 's3://backups/daily?AUTH=implicit'
  portolan policy test - < uri.txt
  portolan policy test 'kafka://b-1.kafka.example.com:9092' --broker b-2.kafka.example.com:9092

The URI is planned by its provider, which needs what EXPLAIN CREATE EXTERNAL CONNECTION needs. Each
endpoint is judged by its name, and then each address that the name has, unless --no-resolve is
given. Nothing is ever dialled. The status is 1 where an endpoint is denied or cannot be looked up.
A URI with secrets is better read from standard input than put where `ps` shows it.";

pub(super) const ALLOW_HELP: &str = "Examples:
  portolan policy allow minio.internal:9000
  portolan policy allow 10.1.0.0/16:443

Adds the rule to [egress] allow in the configuration file. Comments and the order of the file stay;
the file is made, for its owner alone, where there is none.";

/// `portolan policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// What the policy says of a URI, step by step
    #[command(after_help = TEST_HELP)]
    Test(PolicyTestArguments),
    /// Admit an endpoint for good
    #[command(after_help = ALLOW_HELP)]
    Allow(PolicyAllowArguments),
}

/// `portolan policy test`.
#[derive(Debug, Args)]
pub(crate) struct PolicyTestArguments {
    /// A connection's URI, or - to read it from standard input
    pub(crate) uri: String,
    /// Judge names alone, and look none up
    #[arg(long)]
    pub(crate) no_resolve: bool,
    /// Judge this broker too, as if a server of the URI had named it; may be repeated
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) broker: Vec<String>,
    #[command(flatten)]
    pub(crate) format: FormatArguments,
}

/// `portolan policy allow`.
#[derive(Debug, Args)]
pub(crate) struct PolicyAllowArguments {
    #[arg(help = "HOST[:PORT] or CIDR[:PORT]")]
    pub(crate) rule: String,
}
