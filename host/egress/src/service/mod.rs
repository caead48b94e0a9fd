//! Requests that the host sends for a provider: to the endpoints of one plan, authenticated as a rule
//! of its manifest says, and answered with members that the provider does not see.
//!
//! Whoever calls has found the [`RequestRule`] that describes the request. What holds independently
//! of any manifest is checked here, after that and before anything is signed: where each kind of
//! credential may go.
//!
//! # Layout
//!
//! * [`ServiceClient`]: the way to the services of one plan, with its tokens and keys.
//! * [`ServiceRequest`] and `target`: a request, and its URL.
//! * `identity`: how each kind of authentication is done.
//! * [`ServiceAnswer`], `collected` and `opaque`: an answer, read within bounds, and what is taken
//!   out of it.
//! * [`ServiceError`]: what went wrong, by type, with its class and hint.
//!
//! # What authentication reads from a plan
//!
//! | kind | settings | named secrets | more |
//! | --- | --- | --- | --- |
//! | `sigv4` | `region`, `access-key-id`, `credentials` | `secret-access-key`, `session-token` | assumed roles; their token service is the second endpoint |
//! | `google` | `credentials` | `credentials` or `bearer-token` | assumed roles; `oauth2.googleapis.com` and `iamcredentials.googleapis.com` as endpoints |
//! | `entra` | `environment`, `tenant`, `client-id`, `credentials` | `client-secret` | the login host of the cloud as an endpoint |
//! | `oauth-client-credentials` | `client-id` | `client-secret` | the token URL is the URI's own; its host is an endpoint |
//! | `basic` | | `basic`: user, `:` and password | |
//! | `secret-header` | | `header`: the whole value | |
//! | `secret-query` | | `query.NAME` for each parameter | |
//! | `client-certificate` | | those of the endpoint's TLS profile | |
//! | the path `/{path}` | | `path`, as the URI has it | |

mod answer;
mod client;
mod collected;
mod error;
mod identity;
mod opaque;
mod request;
mod target;

pub use answer::{AnswerPart, ServiceAnswer};
pub use client::ServiceClient;
pub use error::ServiceError;
pub use request::ServiceRequest;

#[cfg(doc)]
use portolan_contract::RequestRule;

/// The most bytes of an answer's body, unpacked.
pub const MOST_ANSWERED: usize = 16 << 20;
