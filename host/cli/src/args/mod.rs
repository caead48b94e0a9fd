//! Every flag and command, defined once: help, completions and tests come from here.

mod emit;
mod envelope;
mod key;
mod policy;
mod provider;
mod transfer;

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub(crate) use emit::{EmitArguments, EmitFormat};
pub(crate) use envelope::{DecryptArguments, EncryptArguments};
pub(crate) use key::{
    KeyAddArguments, KeyCommand, KeyRecoverArguments, KeyRemoveArguments, StoreCommand,
};
pub(crate) use policy::{PolicyAllowArguments, PolicyCommand, PolicyTestArguments};
pub(crate) use provider::{ProviderAddArguments, ProviderCommand};
pub(crate) use transfer::{
    CatArguments, CpArguments, GetArguments, LsArguments, PutArguments, RmArguments,
    TransferArguments,
};

/// Names for external resources: create, grant, rotate and use them without seeing a credential.
#[derive(Debug, Parser)]
#[command(
    name = "portolan",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Examples:
  portolan sql -e \"CREATE EXTERNAL CONNECTION backups AS 'nodelocal://self/nightly'\"
  echo hello | portolan put - external://backups/mon.txt
  portolan validate backups

Results go to standard output, errors and notices to standard error.
Exit status: 0 done, 1 a statement or operation failed, 2 wrong usage, 130 interrupted."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Those of this process; where they are none, or help is asked for, the process ends.
    ///
    /// A variable that is set to nothing counts as one that is not set, as people expect who write
    /// `PORTOLAN_USER= portolan …`.
    pub(crate) fn of_process() -> Self {
        let command = Self::command().mut_args(|argument| {
            let variable = argument.get_env().and_then(std::env::var_os);
            match variable.is_some_and(|value| value.is_empty()) {
                true => argument.env(None::<&str>),
                false => argument,
            }
        });
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// Flags that every command takes. A flag overrides the environment, which overrides the
/// configuration file.
#[derive(Debug, Args)]
pub(crate) struct GlobalArguments {
    /// Directory that holds everything: catalog, key, plugins, cache and portolan.toml
    #[arg(long, global = true, value_name = "DIR", env = "PORTOLAN_STORE")]
    pub(crate) store: Option<PathBuf>,

    /// User of the catalog to act as (no authentication: who can read the store is root)
    #[arg(long, global = true, value_name = "NAME", env = "PORTOLAN_USER")]
    pub(crate) user: Option<String>,

    #[arg(
        help = "Root directory of nodelocal:// [default: extern in the store]",
        long,
        global = true,
        value_name = "DIR",
        env = "PORTOLAN_EXTERNAL_IO_DIR"
    )]
    pub(crate) external_io_dir: Option<PathBuf>,

    #[arg(
        help = "Configuration file [default: portolan.toml in the store]",
        long,
        global = true,
        value_name = "FILE",
        env = "PORTOLAN_CONFIG"
    )]
    pub(crate) config: Option<PathBuf>,

    #[arg(
        help = "Open the store otherwise: key-file=PATH, text=SOURCE, recovery[=SOURCE], passphrase[=SOURCE] or kms",
        long,
        global = true,
        value_name = "METHOD",
        env = "PORTOLAN_UNLOCK"
    )]
    pub(crate) unlock: Option<String>,

    #[arg(
        help = "Admit an endpoint: HOST[:PORT] or CIDR[:PORT]; may be given several times",
        long,
        global = true,
        value_name = "RULE"
    )]
    pub(crate) allow_egress: Vec<String>,

    #[arg(
        help = "Refuse connections to servers of a URI's own choice over HTTP",
        long,
        global = true,
        env = "PORTOLAN_EXTERNAL_IO_DISABLE_HTTP",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) external_io_disable_http: Option<bool>,

    #[arg(
        help = "Refuse connections that use the credentials of this host",
        long,
        global = true,
        env = "PORTOLAN_EXTERNAL_IO_DISABLE_IMPLICIT_CREDENTIALS",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) external_io_disable_implicit_credentials: Option<bool>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run SQL statements, or a prompt on a terminal
    #[command(after_help = "Examples:
  portolan sql                                   the prompt, with history and completion
  portolan sql -e 'SHOW EXTERNAL CONNECTIONS' --format json
  portolan sql -f setup.sql
  portolan sql --param 1=env:SECRET -e \"ALTER EXTERNAL CONNECTION lake SET (AWS_SECRET_ACCESS_KEY = \\$1)\"

Statements run in order and stop at the first that fails.")]
    Sql(SqlArguments),
    /// List objects
    #[command(after_help = transfer::LS_HELP)]
    Ls(LsArguments),
    /// Print objects to standard output
    #[command(after_help = transfer::CAT_HELP)]
    Cat(CatArguments),
    /// Write objects from files or from standard input
    #[command(after_help = transfer::PUT_HELP)]
    Put(PutArguments),
    /// Read objects into files
    #[command(after_help = transfer::GET_HELP)]
    Get(GetArguments),
    /// Remove objects
    #[command(after_help = transfer::RM_HELP)]
    Rm(RmArguments),
    /// Copy objects within a connection or from one to another
    #[command(after_help = transfer::CP_HELP)]
    Cp(CpArguments),
    /// Send lines of standard input to a sink, as messages
    #[command(after_help = emit::EMIT_HELP)]
    Emit(EmitArguments),
    /// Encrypt standard input with a key, to standard output
    #[command(after_help = envelope::ENCRYPT_HELP)]
    Encrypt(EncryptArguments),
    /// Decrypt standard input with a key, to standard output
    #[command(after_help = envelope::DECRYPT_HELP)]
    Decrypt(DecryptArguments),
    /// Try a connection out, step by step
    #[command(after_help = "Example:\n  portolan validate backups --depth read")]
    Validate(ValidateArguments),
    /// List, inspect, add and remove providers
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Ask the policy about a URI, and admit endpoints
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// List, add, remove and rotate what opens the store
    #[command(subcommand)]
    Key(KeyCommand),
    /// Save what can be saved of a store whose keys are lost
    #[command(subcommand)]
    Store(StoreCommand),
    /// Show who did what, when, and whether it was refused
    #[command(after_help = "Example:\n  portolan audit --for backups --since 2026-11-01")]
    Audit(AuditArguments),
    /// Check the store, its key, the cache, and what interrupted uploads left
    #[command(after_help = "Examples:
  portolan doctor
  portolan doctor --clean 1d

An upload in parts that was killed leaves parts in S3 and Google Cloud Storage that no listing shows.
--clean gives up, below each connection, those that began longer ago than it says; an upload that is
still under way is one of them if it began as long ago.")]
    Doctor(DoctorArguments),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  portolan completions bash > ~/.local/share/bash-completion/completions/portolan"
    )]
    Completions(CompletionsArguments),
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns with a header, for people
    Table,
    /// RFC 4180, with a header row
    Csv,
    /// Tab-separated, quoted as csv, with a header row
    Tsv,
    /// One array of objects for each statement
    Json,
    /// One object on each line
    Ndjson,
    /// One line for each column
    Records,
}

/// The format alone.
#[derive(Debug, Args)]
pub(crate) struct FormatArguments {
    #[arg(
        help = "How to print results [default: table on a terminal, tsv elsewhere]",
        long,
        value_name = "FORMAT"
    )]
    pub(crate) format: Option<Format>,
}

/// `portolan sql`.
#[derive(Debug, Args)]
pub(crate) struct SqlArguments {
    /// Statements to run; may be given several times
    #[arg(
        short = 'e',
        long,
        value_name = "STATEMENTS",
        allow_hyphen_values = true
    )]
    pub(crate) execute: Vec<String>,
    /// File of statements to run, - for standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Value of a placeholder: N=@FILE, N=- for standard input, N=env:NAME
    #[arg(long = "param", value_name = "N=SOURCE")]
    pub(crate) parameters: Vec<String>,
    #[command(flatten)]
    pub(crate) format: FormatArguments,
}

/// `portolan validate`.
#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    /// The connection's name
    pub(crate) name: String,
    #[arg(help = "How far to go [default: what the provider does at CREATE]", long, value_name = "DEPTH", value_parser = ["none", "read", "full"])]
    pub(crate) depth: Option<String>,
    #[command(flatten)]
    pub(crate) format: FormatArguments,
}

/// `portolan doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    #[arg(
        help = "Give up unfinished uploads that began longer ago than this, such as 1d or 12h",
        long,
        value_name = "AGE",
        value_parser = humantime::parse_duration
    )]
    pub(crate) clean: Option<std::time::Duration>,
    #[command(flatten)]
    pub(crate) format: FormatArguments,
}

/// `portolan audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Only what concerns this connection
    #[arg(long = "for", value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// Only since this time: 2026-11-23, 2026-11-23T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    #[command(flatten)]
    pub(crate) format: FormatArguments,
}

/// `portolan completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example_of_itself() {
        let mut left = vec![("portolan".to_owned(), Arguments::command())];
        let mut shown = 0;
        while let Some((name, command)) = left.pop() {
            // What only has commands of its own shows those.
            if !command.has_subcommands() {
                let help = command.get_after_help().map(ToString::to_string);
                let help = help.unwrap_or_default();
                let words = name.trim_start_matches("portolan ");
                let has_example = help.lines().any(|line| {
                    line.starts_with("  ") && line.contains("portolan ") && line.contains(words)
                });
                assert!(has_example, "{name}: {help}");
                shown += 1;
            }
            let below = command.get_subcommands().cloned();
            left.extend(below.map(|one| (format!("{name} {}", one.get_name()), one)));
        }
        assert!(shown > 20, "{shown}");
    }
}
