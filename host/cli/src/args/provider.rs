//! The arguments of `provider`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::FormatArguments;

pub(super) const LIST_HELP: &str = "Example:
  portolan provider list --format csv";

pub(super) const INSPECT_HELP: &str = "Examples:
  portolan provider inspect s3
  portolan provider inspect ./acme.wasm          before it is added

What is printed is its manifest, which the host holds it to.";

pub(super) const ADD_HELP: &str = "Examples:
  portolan provider add ./acme.wasm              shows what it may do, and asks
  portolan provider add ./acme.wasm --yes
  portolan provider add ./s3.wasm --replace      in the place of the one that is built in

It takes the admin role. A file that is changed later is never loaded.";

pub(super) const REMOVE_HELP: &str = "Example:
  portolan provider remove acme

Connections that it planned stay, and can be used again once it is added again.";

/// `portolan provider`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// The providers of this store, built in and added
    #[command(after_help = LIST_HELP)]
    List(FormatArguments),
    /// What a provider may see and touch: a name, or a component's file
    #[command(after_help = INSPECT_HELP)]
    Inspect(ProviderInspectArguments),
    /// Approve a component: its digest is recorded, and no other is ever loaded
    #[command(after_help = ADD_HELP)]
    Add(ProviderAddArguments),
    /// Withdraw an approval
    #[command(after_help = REMOVE_HELP)]
    Remove(ProviderRemoveArguments),
}

/// `portolan provider inspect`.
#[derive(Debug, Args)]
pub(crate) struct ProviderInspectArguments {
    /// A provider's name, or a .wasm file
    pub(crate) provider: String,
}

/// `portolan provider add`.
#[derive(Debug, Args)]
pub(crate) struct ProviderAddArguments {
    /// The component's file
    pub(crate) file: PathBuf,
    /// Take over schemes that another provider has
    #[arg(long)]
    pub(crate) replace: bool,
    /// Let an option be public although its name looks like a credential's
    #[arg(long, value_name = "OPTION")]
    pub(crate) allow_public: Vec<String>,
    /// Let the provider read the values that its manifest lists under reveal
    #[arg(long)]
    pub(crate) allow_reveal: bool,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `portolan provider remove`.
#[derive(Debug, Args)]
pub(crate) struct ProviderRemoveArguments {
    /// The provider's name
    pub(crate) name: String,
}
