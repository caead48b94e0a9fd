//! Binding what an instance exports, which is when the runtime compares types with the contract's.

use crate::{Fault, Limits, LoadError, ProviderError};

/// Why the exports of a component cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// One of them has another type than in the contract.
    #[error(transparent)]
    Type(#[from] LoadError),
    /// The provider was stopped at its start.
    #[error(transparent)]
    Start(#[from] ProviderError),
}

/// Why no export was bound in an instance.
pub(crate) enum Unbound {
    /// There is no instance.
    Start(Fault),
    /// This interface has another type than in the contract.
    Type(&'static str, wasmtime::Error),
}

impl From<Fault> for Unbound {
    fn from(fault: Fault) -> Self {
        Self::Start(fault)
    }
}

impl Unbound {
    pub(crate) fn start(error: &wasmtime::Error, limits: &Limits) -> Self {
        Self::Start(Fault::of_start(error, limits))
    }

    /// As the fault of a provider that is approved already.
    pub(crate) fn into_fault(self, limits: &Limits) -> Fault {
        match self {
            Self::Start(fault) => fault,
            Self::Type(_, error) => Fault::of_start(&error, limits),
        }
    }
}
