//! Why a component is not loaded, and why a provider gave nothing.

use std::time::Duration;

use portolan_contract::{CONTRACT_VERSION, Failure, Kind, ManifestError};

use crate::fault::{bytes, duration};
use crate::{AnswerProblem, Fault, ProviderId};

/// Why a component is not loaded. Each is one sentence; none holds a secret, because a component
/// has none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are no component that this host can read.
    #[error("the file is no WebAssembly component that this host can read: {why}")]
    NotAComponent {
        /// Where the reader gave up.
        why: String,
    },
    /// It is too large.
    #[error("the component has {found} bytes; the most is {}", bytes(*most))]
    TooLarge {
        /// Its size in bytes.
        found: usize,
        /// The limit in bytes.
        most: usize,
    },
    /// It has too many functions to compile.
    #[error("the component has {found} functions; the most is {most}")]
    TooManyFunctions {
        /// How many it has.
        found: u32,
        /// The limit.
        most: u32,
    },
    /// It needs more memory than an instance may have, before it does anything.
    #[error(
        "provider {provider} needs {found} bytes of memory to begin with; the most is {}",
        bytes(*most)
    )]
    Memory {
        /// The provider's name.
        provider: String,
        /// What all its memories begin with, in bytes.
        found: u64,
        /// The limit in bytes.
        most: usize,
    },
    /// It needs larger tables than an instance may have, before it does anything.
    #[error("provider {provider} needs {found} table elements to begin with; the most is {most}")]
    TableElements {
        /// The provider's name.
        provider: String,
        /// What all its tables begin with.
        found: u64,
        /// The limit.
        most: usize,
    },
    /// It has no manifest.
    #[error("the component has no manifest: it has no custom section portolan:manifest")]
    NoManifest,
    /// It has more than one manifest.
    #[error("the component has more than one custom section portolan:manifest")]
    SecondManifest,
    /// A part inside it has a manifest.
    #[error("a part inside the component has a custom section portolan:manifest")]
    NestedManifest,
    /// Its manifest is not UTF-8.
    #[error("the manifest of the component is not UTF-8")]
    ManifestNotText,
    /// Its manifest is refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It asks to see secrets, and nobody allowed that.
    #[error("provider {provider} asks to see secrets in clear: {}", places.join(", "))]
    Reveal {
        /// The provider's name.
        provider: String,
        /// What it asks to see.
        places: Vec<String>,
    },
    /// It is not the component that was approved.
    #[error("the component has SHA-256 {found}, and {expected} was approved")]
    Digest {
        /// The digest of the bytes at hand.
        found: String,
        /// The one that was approved.
        expected: String,
    },
    /// It imports something of another version of the contract.
    #[error(
        "provider {provider} imports {import}, and this host speaks contract {CONTRACT_VERSION}"
    )]
    ImportVersion {
        /// The provider's name.
        provider: String,
        /// The import.
        import: String,
    },
    /// It imports something that is not in the contract.
    #[error("provider {provider} imports {import}, which is not part of the contract")]
    Import {
        /// The provider's name.
        provider: String,
        /// The import.
        import: String,
    },
    /// An import has another type than in the contract.
    #[error("provider {provider} uses the contract in a way that this host does not know: {why}")]
    ImportType {
        /// The provider's name.
        provider: String,
        /// Which import, and what differs.
        why: String,
    },
    /// It has no phase one.
    #[error("provider {provider} does not export {export}, which every provider needs")]
    NoPlanning {
        /// The provider's name.
        provider: String,
        /// The missing interface.
        export: String,
    },
    /// It does not export what a kind of its manifest needs.
    #[error(
        "provider {provider} does not export {export}, which its manifest promises with the kind \
         {kind}"
    )]
    NoExport {
        /// The provider's name.
        provider: String,
        /// The missing interface.
        export: String,
        /// The kind that the manifest lists.
        kind: Kind,
    },
    /// An export has another type than in the contract.
    #[error("provider {provider} exports {export} with another type than the contract's: {why}")]
    ExportType {
        /// The provider's name.
        provider: String,
        /// The interface.
        export: String,
        /// What differs.
        why: String,
    },
    /// It needs more than an instance may have.
    #[error("the component cannot be compiled: {why}")]
    Compile {
        /// What the compiler said.
        why: String,
    },
    /// Compiling it takes too long.
    #[error("the component was not compiled within {}", duration(*most))]
    CompileTime {
        /// The limit.
        most: Duration,
    },
    /// The sandbox itself cannot be set up.
    #[error("the sandbox cannot be set up: {why}")]
    Sandbox {
        /// What is missing.
        why: String,
    },
}

impl LoadError {
    /// The SQLSTATE that a statement ends with when this is why.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::TooLarge { .. }
            | Self::TooManyFunctions { .. }
            | Self::Memory { .. }
            | Self::TableElements { .. }
            | Self::CompileTime { .. } => "53200",
            Self::Reveal { .. } | Self::Manifest(ManifestError::PublicCredential { .. }) => "42501",
            Self::Digest { .. } => "XX001",
            Self::Manifest(ManifestError::Contract { .. })
            | Self::ImportVersion { .. }
            | Self::Import { .. }
            | Self::ImportType { .. }
            | Self::NoPlanning { .. }
            | Self::NoExport { .. }
            | Self::ExportType { .. } => "0A000",
            Self::Sandbox { .. } => "XX000",
            _ => "22023",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAComponent { .. } | Self::Compile { .. } => {
                "give a component that was built with the SDK for this contract, not a core module"
            }
            Self::TooLarge { .. }
            | Self::TooManyFunctions { .. }
            | Self::Memory { .. }
            | Self::TableElements { .. }
            | Self::CompileTime { .. } => {
                "build it in release mode with optimisation for size, or raise the limit"
            }
            Self::NoManifest
            | Self::SecondManifest
            | Self::NestedManifest
            | Self::ManifestNotText => {
                "append the manifest to the component once, as `cargo xtask plugins` does"
            }
            Self::Manifest(ManifestError::PublicCredential { .. }) => {
                "add it with --allow-public if the value is no secret; otherwise correct the manifest \
                 and build the component again"
            }
            Self::Manifest(_) => "correct the manifest and build the component again",
            Self::Reveal { .. } => {
                "add the provider with --allow-reveal if its author may see these secrets"
            }
            Self::Digest { .. } => {
                "put the approved component back, or approve this one with `portolan provider add \
                 --replace`"
            }
            Self::Import { .. } => {
                "build it for wasm32-unknown-unknown, so that it imports nothing but the contract"
            }
            Self::ImportVersion { .. }
            | Self::ImportType { .. }
            | Self::NoPlanning { .. }
            | Self::ExportType { .. } => {
                "build it again with the SDK for this host, or use a host for its contract"
            }
            Self::NoExport { .. } => "export the interface, or take the kind out of the manifest",
            Self::Sandbox { .. } => {
                "see that the process may reserve address space and start threads"
            }
        }
    }
}

/// Why a provider gave no plan, or a probe did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The provider says why not, in words that are cleaned.
    #[error("{0}")]
    Refused(Failure),
    /// The host stopped the provider.
    #[error("{provider} {fault}")]
    Fault {
        /// The provider.
        provider: ProviderId,
        /// Why it was stopped.
        fault: Fault,
    },
    /// The provider's answer breaks a rule.
    #[error("{provider} {problem}")]
    Answer {
        /// The provider.
        provider: ProviderId,
        /// What is wrong with its answer.
        problem: AnswerProblem,
    },
}

impl ProviderError {
    /// The SQLSTATE that a statement ends with when this is why.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::Refused(failure) => failure.class.sqlstate(),
            Self::Fault { fault, .. } => fault.sqlstate(),
            Self::Answer { problem, .. } => problem.sqlstate(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(failure) => failure.hint.as_deref(),
            Self::Fault { fault, .. } => Some(fault.hint()),
            Self::Answer { problem, .. } => Some(problem.hint()),
        }
    }
}
