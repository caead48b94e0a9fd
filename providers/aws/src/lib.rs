//! What providers of Amazon's services share.
//!
//! # Layout
//!
//! * [`Credentials`]: whose credentials a URI asks for, as settings and secrets of a plan.
//! * [`AwsServer`], [`regional`], [`token_service`]: where a service is, or the server of
//!   `AWS_ENDPOINT` in its place.
//! * [`roles`]: the identities of `ASSUME_ROLE`; [`TOKENS`] is the TLS profile of their service.

mod credentials;
pub use credentials::Credentials;

mod roles;
pub use roles::roles;

mod server;
pub use server::{AwsServer, regional, token_service};

/// The TLS profile of the endpoint that hands out tokens, which is Amazon's whatever server else a
/// plan names.
pub const TOKENS: &str = "server-of-tokens";
