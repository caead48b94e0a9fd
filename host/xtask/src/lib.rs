//! The project's own chores: building plugins, checking them, benchmarks.
//!
//! # Layout
//!
//! * [`bench`](mod@bench): every benchmark, and their figures in one table.
//! * [`component`]: from the package of a provider to its component, the same to the byte wherever
//!   it is built.
//! * [`criterion`]: the medians that Criterion stores, for benchmarks that have a target.
//! * [`manifest_section`]: the manifest inside a component.
//! * [`plugins`]: the committed components, rebuilt or compared with their sources.
//! * [`toolchain`]: the compiler that they were built with.
//! * [`wasm_opt`]: what makes them smaller on the way.

#![expect(
    clippy::disallowed_methods,
    reason = "chores run cargo, rustc, npm and wasm-opt"
)]

pub mod bench;
pub mod component;
pub mod criterion;
pub mod manifest_section;
pub mod plugins;
pub mod toolchain;
pub mod wasm_opt;

/// The root of the repository that this program was compiled in.
#[must_use]
pub fn repository() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
