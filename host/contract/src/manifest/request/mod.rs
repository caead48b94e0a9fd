//! The kinds of HTTP request that the host sends for a provider.
//!
//! # Layout
//!
//! * [`RequestRule`]: one kind of request, as the manifest writes it.
//! * [`Authentication`]: how the host authenticates it.
//! * `pointer`: members of JSON documents. `judge`: which rule describes a request, and in what the
//!   nearest one differs from it. `check`: what a manifest may not say. `sentence`: a rule for those
//!   who decide whether to trust it.

mod authentication;
pub(super) mod check;
mod judge;
mod one_or_more;
mod pointer;
mod sentence;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use authentication::Authentication;
pub use judge::{AskedRequest, Difference, RequestRefusal};
pub use pointer::{InvalidPointer, JsonPointer};

use super::{HostPattern, PathPattern};

/// How the bytes of an opaque part are written in a text; see `encoding` of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartEncoding {
    /// As the inside of a JSON string.
    JsonText,
    /// RFC 4648 section 4, padded.
    Base64,
    /// RFC 4648 section 5, without padding.
    Base64url,
    /// RFC 4648 section 8; either case is read.
    Hex,
}

/// One kind of request. Anything that no rule describes is refused before it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRule {
    /// The name by which the provider asks for it: `[a-z][a-z0-9-]{0,62}`.
    pub name: String,
    /// The host, in the patterns of endpoint rules: one of them, or several.
    #[serde(
        deserialize_with = "one_or_more::read",
        serialize_with = "one_or_more::write"
    )]
    pub host: Vec<HostPattern>,
    /// The method, in capitals.
    pub method: String,
    /// The path: `/` between segments, `*` within one, a last `**` for the rest; `/{path}` for the
    /// secret path of the URI, which the host puts in.
    pub path: PathPattern,
    /// Parameters of the query that the host sets; the provider cannot send others of these names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Parameters of the query that the provider may send, with any value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_query: Vec<String>,
    /// Headers that the host sets; the provider cannot send others of these names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Headers that the provider may send, with any value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// How the request is authenticated: one way, or several that go together.
    #[serde(
        default,
        deserialize_with = "one_or_more::read",
        serialize_with = "one_or_more::write",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub authentication: Vec<Authentication>,
    /// Whose signature or token it is: a service in the words of SigV4, such as `kms`, or for Entra
    /// `key-vault` or `storage`; needed for these two and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The OAuth scope of the token; needed for `google`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The header that carries the secret; needed for `secret-header` and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The query parameter that carries the secret. Needed for `secret-query` and only there; `*`
    /// is every secret that the plan names for the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The strings in the request's JSON body that are opaque parts. An opaque part stands nowhere
    /// else, and nothing else stands there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opaque_body: Vec<JsonPointer>,
    /// The strings in the answer's JSON body that the provider never sees, and how they are read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub opaque_answer: BTreeMap<JsonPointer, PartEncoding>,
}

impl RequestRule {
    /// Whether the request is authenticated in this way, among others.
    #[must_use]
    pub fn authenticates(&self, way: Authentication) -> bool {
        self.authentication.contains(&way)
    }
}
