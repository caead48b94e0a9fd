//! HTTP as the host speaks it: version 1.1 over connections of the dial guard.
//!
//! There is no proxy from the environment, no redirect is followed, no cookie is kept, nothing is
//! decompressed. A server may be silent for so long and no longer, and its head may have so many
//! bytes.

mod body;
mod client;
mod connector;
mod endpoints;
mod stream;

pub use body::{BodyError, RequestBody, ResponseBody};
pub(crate) use client::HttpClient;
pub use endpoints::EndpointClient;
pub(crate) use stream::Stream;

use http::Uri;

/// The host and port of a URI; the port of its scheme where it names none.
fn place(uri: &Uri) -> (String, u16) {
    let host = uri.host().unwrap_or_default();
    // Brackets belong to the URI, not to the address.
    let host = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    let usual = match uri.scheme() == Some(&http::uri::Scheme::HTTPS) {
        true => 443,
        false => 80,
    };
    (host.to_owned(), uri.port_u16().unwrap_or(usual))
}
