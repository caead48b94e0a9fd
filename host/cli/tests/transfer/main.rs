//! Transfers by the real program: many objects, large ones, signals, and names that are traps.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod denied;
mod home;
mod interrupts;
mod many;
mod names;
mod terminal;
