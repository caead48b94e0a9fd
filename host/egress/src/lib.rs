//! The policy that judges every endpoint; the only crate that may open a socket.
//!
//! # Layout
//!
//! * [`policy`]: which hosts and addresses may be dialled: [`Policy`], its [`Rule`]s, and the
//!   [`Verdict`] on a host or an address. The module's page explains the order of judgement.
//! * [`Host`] and [`AddressClass`]: what a text names, and what kind of place an address is.

pub mod policy;
pub use policy::{
    AddressClass, Denial, Host, InvalidHost, InvalidRule, Policy, Reason, Rule, Verdict,
};

#[doc(hidden)]
pub mod fuzzing;
