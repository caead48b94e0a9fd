//! The kinds of HTTP request that the host sends for a provider.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HostPattern, PathPattern};

/// How the host authenticates a request. The provider names none of its secrets for it but by the
/// names of its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Authentication {
    /// Not at all; the default.
    #[default]
    None,
    /// AWS Signature Version 4 for `service`.
    #[serde(rename = "sigv4")]
    SigV4,
    /// A token of Google for `scope`; only to hosts below `googleapis.com`.
    Google,
    /// A token of Microsoft Entra for `scope`; only below the cloud's suffix it was asked for.
    Entra,
    /// A token for OAuth client credentials from the plan's token URL; for `scope` if it is given.
    OauthClientCredentials,
    /// User and password; only to the URI's own authority.
    Basic,
    /// A secret as the value of `header`; only to the URI's own authority.
    SecretHeader,
    /// A secret as the value of the query parameter `parameter`; only to the URI's own authority.
    SecretQuery,
    /// The client certificate of the endpoint's TLS profile; only to the URI's own authority.
    ClientCertificate,
}

/// One kind of request. Anything that no rule describes is refused before it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRule {
    /// The name by which the provider asks for it: `[a-z][a-z0-9-]{0,62}`.
    pub name: String,
    /// The host, in the patterns of endpoint rules.
    pub host: HostPattern,
    /// The method, in capitals.
    pub method: String,
    /// The path: `/` between segments, `*` within one, a last `**` for the rest.
    pub path: PathPattern,
    /// Headers that the host sets; the provider cannot send others of these names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How the request is authenticated.
    #[serde(default)]
    pub authentication: Authentication,
    /// The service in a SigV4 signature, such as `kms`; needed for `sigv4` and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The OAuth scope of the token; needed for `google` and `entra`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The header that carries the secret; needed for `secret-header` and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The query parameter that carries the secret. Needed for `secret-query` and only there; `*`
    /// is every option that the manifest does not list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}
