//! What providers of HTTP servers share.
//!
//! # Layout
//!
//! * [`Certificates`]: what `ca_cert`, `client_cert` and `client_key` say, as a TLS profile.
//! * [`basic`]: the user and the password before the host, as Basic authentication sends them.
//! * [`answered`]: the class of a status that refuses.
//! * [`SERVER`] is the number of the server's endpoint; [`BASIC`] and [`CLIENT_CERTIFICATE`] are
//!   the names of the secrets that tell whether a plan gives credentials.

mod basic;
pub use basic::{BASIC, basic};

mod certificates;
pub use certificates::{CLIENT_CERTIFICATE, Certificates, PROFILE};

mod status;
pub use status::answered;

/// The number of the server's endpoint.
pub const SERVER: u32 = 0;
