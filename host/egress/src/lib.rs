//! The way out of a host: the policy that judges every endpoint, and the only crate that may open a
//! socket.
//!
//! # Layout
//!
//! * [`Egress`] and [`EgressOptions`]: the way out of one host, and what its operator decides.
//! * [`policy`]: which hosts and addresses may be dialled: [`Policy`], its [`Rule`]s, and the
//!   [`Verdict`] on a host or an address. The module's page explains the order of judgement.
//!   [`CurrentPolicy`] is the one in force, which may be replaced.
//! * `dial`: the guard: resolves once, judges every address, dials those very addresses.
//!   [`Resolve`] looks names up, [`ConnectTo`] leads elsewhere.
//! * [`tls`]: the profiles of plans, the authorities, and why a handshake failed.
//! * [`http`]: HTTP over connections of the guard; an [`http::EndpointClient`] reaches the endpoints
//!   of one plan.
//! * [`credentials`]: what the host gets for a connection, and what it signs with.
//! * [`EgressError`]: every cause, by type, with its class and hint.

pub mod policy;
pub use policy::{
    AddressClass, Denial, Host, InvalidHost, InvalidRule, Policy, Reason, Rule, Verdict,
};

mod current;
pub use current::CurrentPolicy;

mod egress;
pub use egress::Egress;

mod options;
pub use options::{ConnectTo, EgressOptions};

mod error;
pub use error::EgressError;

mod resolve;
pub use resolve::{Resolve, SystemResolver};

mod dial;
pub use dial::Resolved;

pub mod credentials;
pub mod http;
pub mod tls;

#[doc(hidden)]
pub mod fuzzing;
