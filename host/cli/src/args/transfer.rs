//! The arguments of the data plane: `ls`, `cat`, `put`, `get`, `rm`, `cp`.

use std::path::PathBuf;

use clap::Args;

use super::FormatArguments;

pub(super) const LS_HELP: &str = "Examples:
  portolan ls external://backups/2026
  portolan ls -r external://backups --format json
  portolan ls 'external://backups/2026-*/x?.sql'

In the path of a URL * and ? stand for characters of one segment, ** for any number of segments,
[a-z] for one of these characters and {a,b} for either text. Write them %2A, %3F, %5B and %7B where
they belong to a name. A pattern that nothing matches is an error.";

pub(super) const CAT_HELP: &str = "Examples:
  portolan cat external://backups/mon.txt | gunzip
  portolan cat 'external://backups/2026-*/log.txt'

A URL may hold a pattern, as `portolan ls --help` explains. Objects are printed in the order of the
listing; what cannot be read is named, the rest is printed, and the status is 1.";

pub(super) const PUT_HELP: &str = "Examples:
  portolan put dump.sql external://backups/dump.sql
  pg_dump shop | portolan put - external://backups/shop.sql
  portolan put -r ./site external://web/2026

A URL that ends in / takes the file under its own name. With -r what lies below SOURCE goes below
the URL; symbolic links and special files in it are named, skipped, and counted as failures.
Objects that exist are replaced. An object is visible whole or not at all: what is over 8 MiB goes in
parts, and a failure or ctrl-C withdraws them. At stores that take 10,000 parts standard input may
bring 78 GiB, since its size is not known before. --verify reads each object back and compares its size
and SHA-256 with what was sent.";

pub(super) const GET_HELP: &str = "Examples:
  portolan get external://backups/dump.sql ./dump.sql
  portolan get -r external://backups/2026 ./restore
  portolan get 'external://backups/2026-*/x?.sql' ./restore

With -r or a pattern TARGET is a directory, which is made where it is missing. What lies below the URL
goes below it; with a pattern, what follows its first part without * and the like. Files that exist
are replaced unless --no-clobber is given; each is written beside its name and then renamed, so that
it is there whole or as it was. A name that leads out of the directory, or that would be a file and a
directory at once, is refused.";

pub(super) const RM_HELP: &str = "Examples:
  portolan rm external://backups/mon.txt
  portolan rm -r external://backups/2025
  portolan rm --dry-run 'external://backups/2025-*/*.tmp'

To remove everything that a connection holds needs an answer on a terminal, or --yes.
Up to 1,000 objects go to the store together, which S3 removes by one request; --parallel says how
many times so many are under way.";

pub(super) const CP_HELP: &str = "Examples:
  portolan cp external://backups/mon.txt external://archive/mon.txt
  portolan cp -r external://backups/2026 external://archive/2026 --verify

Within one connection the store copies. From one to another, or where the store cannot copy, the bytes
pass through this machine, and the size of what arrived is compared with what was sent. --verify
reads every target back and compares its size and SHA-256 with the source's content. Content is
copied; attributes such as a content type are kept only where the store itself copies.
A target that ends in / takes the object under its own name; with -r or a pattern, what lies below
SOURCE goes below TARGET. Objects that exist are replaced.";

/// What every command has that moves or removes many objects.
#[derive(Debug, Args)]
pub(crate) struct TransferArguments {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many objects, and parts of large ones, are under way at once; each part takes 8 MiB of memory
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) parallel: u8,
    #[arg(
        help = "Print a row for each object: what was done, and how it ended",
        long,
        value_name = "FORMAT"
    )]
    pub(crate) format: Option<super::Format>,
}

/// `portolan ls`.
#[derive(Debug, Args)]
pub(crate) struct LsArguments {
    #[arg(help = "external://NAME[/PATH], or a pattern")]
    pub(crate) url: String,
    /// List everything below, not one level
    #[arg(short, long)]
    pub(crate) recursive: bool,
    #[command(flatten)]
    pub(crate) format: FormatArguments,
}

/// `portolan cat`.
#[derive(Debug, Args)]
pub(crate) struct CatArguments {
    /// external://NAME/PATH, or a pattern
    #[arg(required = true)]
    pub(crate) urls: Vec<String>,
    /// Print everything below
    #[arg(short, long)]
    pub(crate) recursive: bool,
}

/// `portolan put`.
#[derive(Debug, Args)]
pub(crate) struct PutArguments {
    /// A file, a directory with -r, or - for standard input
    pub(crate) source: PathBuf,
    /// external://NAME/PATH
    pub(crate) url: String,
    /// Write everything below a directory
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Read each object back and compare
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArguments,
}

/// `portolan get`.
#[derive(Debug, Args)]
pub(crate) struct GetArguments {
    /// external://NAME/PATH, or a pattern
    pub(crate) url: String,
    #[arg(
        help = "Where to write it [default: the URL's last segment, here; with a pattern: here]"
    )]
    pub(crate) target: Option<PathBuf>,
    /// Read everything below
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Leave files alone that exist
    #[arg(short, long)]
    pub(crate) no_clobber: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArguments,
}

/// `portolan rm`.
#[derive(Debug, Args)]
pub(crate) struct RmArguments {
    /// external://NAME/PATH, or a pattern
    #[arg(required = true)]
    pub(crate) urls: Vec<String>,
    /// Remove everything below
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArguments,
}

/// `portolan cp`.
#[derive(Debug, Args)]
pub(crate) struct CpArguments {
    /// external://NAME/PATH, or a pattern
    pub(crate) source: String,
    /// external://NAME/PATH
    pub(crate) target: String,
    /// Copy everything below
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Read each target back and compare
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) transfer: TransferArguments,
}
