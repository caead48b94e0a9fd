//! What the end-to-end tests share.
//!
//! # Layout
//!
//! * [`hostile`]: the hostile guest as a component, with a manifest of the test's choice.
//! * [`handmade`]: components around a core module that is written by hand, for what a compiler
//!   would not emit.
//! * [`attach`]: parts that are attached to a finished component.

pub mod attach;
pub mod handmade;
pub mod hostile;
