//! Phase one, which every provider has.

use crate::bindings::planning::exports::portolan::provider::planning;
use crate::{Failure, Plan, PlanEntry, UriPieces};

/// Pure functions of a URI in pieces.
pub trait Provider {
    /// What the connection becomes.
    ///
    /// # Errors
    ///
    /// Says why the URI is not one of this provider's.
    fn plan(uri: &UriPieces) -> Result<Plan, Failure>;

    /// What may be shown of the URI. It validates nothing, and applied to its own printed result it
    /// gives the same. By default everything is shown as it was given: a secret is a number and
    /// prints as `redacted` whatever is done here.
    #[must_use]
    fn redact(uri: UriPieces) -> UriPieces {
        uri
    }
}

impl<T: Provider> planning::Guest for T {
    fn plan(uri: UriPieces) -> Result<Vec<PlanEntry>, Failure> {
        T::plan(&uri).map(Plan::into_entries)
    }

    fn redact(uri: UriPieces) -> UriPieces {
        T::redact(uri)
    }
}
