//! What a provider implements.

use crate::{Depth, Failure, Plan, ReadMarker, Steps, Stopped, UriPieces, WriteMarker};

/// Phase one, which every provider has: pure functions of a URI in pieces.
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

/// What the host lends to the probe of an object store.
#[expect(missing_debug_implementations, reason = "it holds what the host lends")]
pub struct StorageProbe<'host> {
    /// The plan of phase one.
    pub plan: &'host Plan,
    /// Reads the marker and lists its names.
    pub reader: &'host dyn ReadMarker,
    /// Writes the marker; there only at depth `full`.
    pub writer: Option<&'host dyn WriteMarker>,
    /// How far to go.
    pub depth: Depth,
    /// Where the steps are told.
    pub steps: Steps<'host>,
}

/// Phase two of a provider of object stores.
pub trait StorageProvider: Provider {
    /// Tries the connection out and tells its steps.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when a step failed; the step has told why.
    fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped>;
}
