//! Secrets that cannot be printed by accident.
//!
//! A secret enters the process as a [`SecretText`] or [`SecretBytes`], whose `Debug` says nothing
//! and whose memory is wiped when it is dropped. Text that may hold a secret by accident (what a
//! library or a server said) goes through a [`Scrubber`] before anybody reads it.
//!
//! # Layout
//! * [`value`]: text and bytes that are never printed
//! * [`scrub`]: finds secrets in foreign text, in every form that encoders give them

pub mod scrub;
pub mod value;

pub use scrub::Scrubber;
pub use value::{SecretBytes, SecretText};
