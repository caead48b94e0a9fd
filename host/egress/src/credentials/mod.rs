//! Tokens that stand for a connection's credentials: asked for, kept, renewed, and sent only to the
//! servers that they are for.
//!
//! # Layout
//!
//! * [`GoogleTokens`]: a service account's or a user's key, a token as it was given, or what the host
//!   lends; and the chain of accounts to act as.
//! * [`EntraTokens`]: the client credentials of an application, or what the host lends, in one of the
//!   [`AzureCloud`]s.
//! * [`OauthTokens`]: OAuth client credentials, at the one URL that the connection's own URI names.
//! * [`Lent`]: what a host lends its connections.
//! * [`TokenSource`]: where a token comes from.
//! * `cache`: one token at a time, renewed before it ends. `ask`: one question to a token service.
//!   `identity_file`: what a platform says of a program.
//! * [`CredentialError`]: why there is no token, by type, with its class and hint.
//!
//! A secret stands in the body of a request to the token service and nowhere else; of a service's
//! answer nothing is shown but what its codes mean.

pub mod aws;

mod ask;
mod cache;
mod entra;
mod error;
mod google;
mod identity_file;
mod lent;
mod oauth;
mod token;

pub use entra::{AzureCloud, AzureService, EntraTokens};
pub use error::{CredentialError, TokenRefusal};
pub use google::{GoogleKeyFault, GoogleTokens, STORAGE_SCOPE};
pub use lent::Lent;
pub(crate) use oauth::OauthClient;
pub use oauth::OauthTokens;
pub use token::{AccessToken, TokenSource};
