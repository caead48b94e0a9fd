//! Guests for the coming kinds of provider, walked through the contract by a scripted host.
//!
//! Each folder of `guests/` is a provider in small: it compiles against `wit/` alone, and shows how
//! its protocol is spoken in the contract. A script in `scripts/` holds every call between such a
//! guest and its host, in both directions, byte by byte; the host here follows it, and stops at the
//! first call that differs. Secrets are random in every run, and all that crosses the boundary, in
//! either direction, is searched for them, plain, encoded and in part.
//!
//! # Layout
//!
//! * [`Script`]: the text of a walk, and how it is read.
//! * [`Guest`]: one guest, led from its URI to its last answer.
//! * [`build`]: from a guest's folder to its component.
//! * `for_each_script!`: the list of the scripts, made from the folders of the guests.
//!
//! The host here opens no socket, speaks no TLS and signs nothing: what a walk shows is that the
//! contract can say what the protocol needs, not that a server would agree.
#![expect(
    unreachable_pub,
    reason = "the generated bindings export the types of handles"
)]

mod bindings;
mod call;
mod component;
mod host;
mod known;
mod plan;
mod script;
mod words;

pub use component::build;
pub use script::Script;

mod walk;
pub use walk::Guest;

include!(concat!(env!("OUT_DIR"), "/scripts.rs"));
