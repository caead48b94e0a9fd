//! What reading every row of a catalog comes to.

/// How many rows of a table there are, each of them authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthenticRows {
    /// The table, as the storage calls it.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
}
