//! HTTP as the host speaks it: version 1.1 over connections of the dial guard.
//!
//! There is no proxy from the environment, no redirect is followed, no cookie is kept, nothing is
//! decompressed. A server may be silent for so long and no longer, and its head may have so many
//! bytes.

mod body;
mod client;
mod clock;
mod connector;
mod endpoints;
mod patience;
mod stream;
mod watched;

pub(crate) use body::Upload;
pub use body::{BodyError, RequestBody, ResponseBody};
pub(crate) use client::{HttpClient, MOST_HEAD_BYTES, MOST_HEADERS, error_of};
pub(crate) use clock::seconds_ahead;
pub use endpoints::EndpointClient;
pub(crate) use stream::Stream;
pub(crate) use watched::Watched;

use http::Uri;

use crate::policy::Host;

/// The host and port of a URI, the host in its one normal form; the port of its scheme where it
/// names none.
fn place(uri: &Uri) -> (String, u16) {
    let usual = match uri.scheme() == Some(&http::uri::Scheme::HTTPS) {
        true => 443,
        false => 80,
    };
    let host = normal(uri.host().unwrap_or_default());
    (host, uri.port_u16().unwrap_or(usual))
}

/// A host in the form in which two are compared, and in which it is shown.
pub(crate) fn normal(host: &str) -> String {
    Host::parse(host).map_or_else(|_| host.to_owned(), |host| host.to_string())
}
