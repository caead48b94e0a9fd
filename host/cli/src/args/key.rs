//! The arguments of `key` and `store`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::FormatArguments;

pub(super) const LIST_HELP: &str = "Example:
  portolan key list";

pub(super) const ADD_HELP: &str = "Examples:
  portolan key add --recovery                    print a phrase, once; write it down and keep it elsewhere
  portolan key add --passphrase                  asked for twice, and not shown
  portolan key add --key-file /mnt/usb/portolan.key
  portolan key add --kms                         the key management service of [master_key] kms

The store's key then lies in one more slot, and either opens the store. A key file that is missing is
made with a new random key, for its owner alone.
SOURCE is @FILE, - for standard input, or env:NAME; without one you are asked on the terminal.";

pub(super) const REMOVE_HELP: &str = "Example:
  portolan --unlock recovery key remove 1

The slot that opened the store stays: removing it takes opening the store with another one, which shows
that the other one works. Whoever had the slot's key and a copy of the store can still open that copy;
portolan key rotate keeps from them what comes later.";

pub(super) const ROTATE_HELP: &str = "Example:
  portolan key rotate

Every slot stays, and what opens it stays the same: phrases and passphrases need not be at hand. Other
processes may read and write meanwhile. A change that was broken off is gone on with.";

pub(super) const RECOVER_HELP: &str = "Examples:
  portolan key recover                           asks for the recovery phrase
  portolan key recover --passphrase
  portolan key recover --recovery=@phrase.txt --key-file /etc/portolan/key

Opens the store with a phrase, makes a new key file where the store looks for one, and adds a slot for
it. The lost key's slot stays until portolan key remove takes it away.";

pub(super) const RESCUE_HELP: &str = "Examples:
  portolan store rescue > rescue.sql
  portolan --store new sql -f rescue.sql --param 1=env:SECRET --param 2=@other.txt

For a store whose every key is lost. The script makes users and roles, connections with their comments
and owners, and all privileges; each secret is a placeholder, and a comment says which. Nothing of it
can be checked without a key, so read it before you run it.";

/// `portolan key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// The slots that hold the store's key, and what opens each
    #[command(after_help = LIST_HELP)]
    List(FormatArguments),
    /// Let one more key open the store
    #[command(after_help = ADD_HELP)]
    Add(KeyAddArguments),
    /// Remove a slot
    #[command(after_help = REMOVE_HELP)]
    Remove(KeyRemoveArguments),
    /// Give the store a newer key, in the same slots
    #[command(after_help = ROTATE_HELP)]
    Rotate,
    /// Open the store with a phrase, and make a new key file
    #[command(after_help = RECOVER_HELP)]
    Recover(KeyRecoverArguments),
}

/// `portolan key add`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("key").required(true).multiple(false))]
pub(crate) struct KeyAddArguments {
    /// A phrase of 24 words, printed once
    #[arg(long, group = "key")]
    pub(crate) recovery: bool,
    /// A passphrase of your choice
    #[arg(long, group = "key", value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) passphrase: Option<String>,
    /// A file with a key; made where it is missing
    #[arg(long, group = "key", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    #[arg(
        help = "A key as text, for PORTOLAN_MASTER_KEY: 64 hexadecimal digits, or base64 of 32 bytes",
        long,
        group = "key",
        value_name = "SOURCE"
    )]
    pub(crate) text: Option<String>,
    #[arg(
        help = "A key that the service of [master_key] kms unwraps",
        long,
        group = "key"
    )]
    pub(crate) kms: bool,
    /// What to call the slot
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
}

/// `portolan key remove`.
#[derive(Debug, Args)]
pub(crate) struct KeyRemoveArguments {
    /// The slot's number
    pub(crate) slot: u32,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `portolan key recover`.
#[derive(Debug, Args)]
pub(crate) struct KeyRecoverArguments {
    #[arg(
        help = "The recovery phrase [default: asked for on the terminal]",
        long,
        value_name = "SOURCE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        conflicts_with = "passphrase"
    )]
    pub(crate) recovery: Option<String>,
    /// A passphrase instead
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) passphrase: Option<String>,
    #[arg(
        help = "The new key file [default: where the store looks for one]",
        long,
        value_name = "FILE"
    )]
    pub(crate) key_file: Option<PathBuf>,
    /// What to call the slot
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
}

/// `portolan store`.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Write a script that makes a new store like one whose keys are lost
    #[command(after_help = RESCUE_HELP)]
    Rescue,
}
