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
//!   [`Resolve`] looks names up, [`ConnectTo`] leads elsewhere. [`Judgement`]s tell the way to a
//!   verdict step by step.
//! * [`Connection`]: a connection to an endpoint of a plan, as a provider uses it through the host.
//! * [`MetadataClient`]: the second guard, for the credentials that a cloud lends to its machines.
//! * [`tls`]: the profiles of plans, the authorities, and why a handshake failed.
//! * [`http`]: HTTP over connections of the guard; an [`http::EndpointClient`] reaches the endpoints
//!   of one plan.
//! * [`service`]: requests to the endpoints of one plan, authenticated as rules of a manifest say, and
//!   answers with members that stay opaque.
//! * [`credentials`]: what the host gets for a connection, and what it signs with.
//! * [`sasl`]: authentication exchanges with the secrets of a plan.
//! * [`EgressError`]: every cause, by type, with its class and hint.
//!
//! # The guard
//!
//! ```text
//! host, port ─ connect_to? ──────────────────────────────────────────────┐ the operator's address
//!     └─ name judged ─ resolved once ─ each address judged ─ the allowed ─┴─ judged again, dialled
//! ```
//!
//! There are two functions in this workspace that open a socket, both in `dial`, and the lint of
//! sockets (`clippy.toml`) refuses a third. The first takes nothing but what the guard resolved,
//! and asks the policy of that moment once more before it dials; after the policy was replaced no
//! connection that was dialled under an older one carries another request. The second takes
//! nothing but an entry of the fixed table of metadata services.
//!
//! # Limits
//!
//! | what | most | why so much |
//! | --- | --- | --- |
//! | a look-up | [`resolve_timeout`], 5 s | resolvers ask again after 5 s; a second try is the caller's |
//! | look-ups of the system at once | 32 | each holds a thread of the runtime until it ends |
//! | addresses of a name that are dialled | 16 | each has a share of the time; a share is 0.3 s then |
//! | dialling, over all addresses | [`dial_timeout`], 5 s | two lost SYN packets are made good in 3 s |
//! | a TLS handshake | [`tls_timeout`], 10 s | two round trips, and a busy server's signature |
//! | the head of an answer, from the last that was sent | [`silence_timeout`], 30 s | stores take 20 s to end a large upload; a byte now and then gains nothing |
//! | waiting for 1 KiB of a body | [`silence_timeout`], 30 s | slower than 35 bytes a second is no transfer; a reader's own pauses do not count |
//! | waiting until the server reads | [`silence_timeout`], 30 s | also after it has answered |
//! | the head of an answer | 64 KiB and one read, 128 headers | stores send 2 KiB; the largest known ones allow 16 |
//! | an answer to a provider | 16 MiB, unpacked; 32 KiB of headers | what the contract says; a packed one is unpacked no further |
//! | a body | none | it is handed on as it comes; [`ResponseBody::collect_within`](http::ResponseBody::collect_within) is for those who keep it |
//! | a connection that nobody uses | 60 s, 32 for one host | servers close theirs after 5 s to 5 min |
//! | clients and TLS profiles that nobody uses | 64 | a profile is 0.3 ms to build |
//! | metadata services | 1 s to dial, 5 s and 64 KiB for an answer | outside of a cloud nobody is there to refuse; a token may have to be made first |
//!
//! [`resolve_timeout`]: EgressOptions::resolve_timeout
//! [`dial_timeout`]: EgressOptions::dial_timeout
//! [`tls_timeout`]: EgressOptions::tls_timeout
//! [`silence_timeout`]: EgressOptions::silence_timeout

pub mod policy;
pub use policy::{
    AddressClass, BrokerDenial, BrokerRule, Denial, Host, InvalidHost, InvalidRule, Policy, Reason,
    Rule, Verdict,
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

mod connection;
pub use connection::{Connection, ConnectionError, Piece, TlsFacts};

mod metadata;
pub use metadata::{MetadataAnswer, MetadataClient, MetadataService};

mod judgement;
pub use judgement::{Conclusion, Judgement};

pub mod credentials;
pub mod http;
pub mod sasl;
pub mod service;
pub mod tls;

#[doc(hidden)]
pub mod fuzzing;

#[doc(hidden)]
pub mod corpus;
