//! Providers that an administrator approved.

use jiff::Timestamp;

/// A provider that is not embedded in the binary and may be loaded all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedProvider {
    /// Unique.
    pub name: String,
    /// As `1.2.3`.
    pub version: String,
    /// SHA-256 of the component in lower-case hex. A component that does not match is not loaded.
    pub digest: String,
    /// Where the component lies, relative to the directory of plugins.
    pub file: String,
    /// The manifest that was approved, as TOML.
    pub manifest: String,
    /// Options that look like credentials and were allowed to be public all the same.
    pub allow_public: Vec<String>,
    /// Who approved it.
    pub approved_by: String,
    /// When, in whole microseconds.
    pub approved: Timestamp,
}
