//! The arguments of `provider`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::FormatArguments;

/// `portolan provider`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// The providers of this store, built in and added
    List(FormatArguments),
    /// What a provider may see and touch: a name, or a component's file
    Inspect(ProviderInspectArguments),
    /// Approve a component: its digest is recorded, and no other is ever loaded
    Add(ProviderAddArguments),
    /// Withdraw an approval
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
