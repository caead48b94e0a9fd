//! The project's own chores: building plugins, checking them, benchmarks.
//!
//! # Layout
//!
//! * [`component`]: from the package of a provider to its component, the same to the byte wherever
//!   it is built.
//! * [`manifest_section`]: the manifest inside a component.
//! * [`plugins`]: the committed components, rebuilt or compared with their sources.
//! * [`toolchain`]: the compiler that they were built with.

#![expect(clippy::disallowed_methods, reason = "chores run cargo and rustc")]

pub mod component;
pub mod manifest_section;
pub mod plugins;
pub mod toolchain;
