//! What every catalog must do, as tests that any implementation can run.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use portolan_catalog::{KeySource, SqliteCatalog, SqliteOptions, conformance};
//!
//! let directory = tempfile::tempdir()?;
//! let made = std::cell::Cell::new(0);
//! conformance::run(|| {
//!     made.set(made.get() + 1);
//!     let path = directory.path().join(format!("{}.db", made.get()));
//!     let key = KeySource::File(path.with_extension("key"));
//!     SqliteCatalog::open(SqliteOptions { path, key }).unwrap()
//! });
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//! * `connections`, `principals`, `grants`, `trail`, `transactions`, `keys`: the cases
//! * `samples`: what the cases write

#![expect(clippy::expect_used, reason = "a case fails by panicking")]

mod connections;
mod grants;
mod keys;
mod principals;
mod samples;
mod trail;
mod transactions;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::access::Catalog;

/// One requirement.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    run: fn(&dyn Catalog),
}

impl Case {
    /// The requirement, in words joined by `_`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Tries a catalog that was just made.
    ///
    /// # Panics
    /// When the requirement is not met.
    pub fn run(&self, catalog: &dyn Catalog) {
        (self.run)(catalog);
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Case").field(&self.name).finish()
    }
}

/// The cases of a module, under the names of their functions.
macro_rules! list {
    ($($name:ident),* $(,)?) => {
        pub(super) const CASES: &[$crate::conformance::Case] = &[
            $($crate::conformance::Case { name: stringify!($name), run: $name }),*
        ];
    };
}
use list;

/// All requirements.
pub fn cases() -> impl Iterator<Item = Case> {
    [
        connections::CASES,
        principals::CASES,
        grants::CASES,
        trail::CASES,
        transactions::CASES,
        keys::CASES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Tries every case on a catalog of its own. `make` makes a new one each time.
///
/// # Panics
/// After the last case, naming those that failed.
pub fn run<C: Catalog>(make: impl Fn() -> C) {
    let failed: Vec<&str> = cases()
        .filter(|case| {
            let catalog = make();
            catch_unwind(AssertUnwindSafe(|| case.run(&catalog))).is_err()
        })
        .map(|case| case.name())
        .collect();
    assert!(failed.is_empty(), "failed: {}", failed.join(", "));
}
