//! How the host authenticates a request.

use serde::{Deserialize, Serialize};

/// How the host authenticates a request. What it needs for it, it reads from the plan: the page of
/// the manifest lists the names of settings and named secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Authentication {
    /// AWS Signature Version 4 for `service`, over the body's SHA-256 among others.
    #[serde(rename = "sigv4")]
    SigV4,
    /// A token of Google for `scope`; only to hosts below `googleapis.com`.
    Google,
    /// A token of Microsoft Entra for `service`; only below the suffix that this service has in the
    /// plan's cloud.
    Entra,
    /// A token for OAuth client credentials, from the URL in the option that is marked `token_url`;
    /// for `scope` if it is given.
    OauthClientCredentials,
    /// User and password, where the plan has them; only to the URI's own authority.
    Basic,
    /// A secret as the value of `header`, where the plan has one; only to the URI's own authority.
    SecretHeader,
    /// A secret as the value of the query parameter `parameter`, where the plan has one; only to the
    /// URI's own authority.
    SecretQuery,
    /// The client certificate of the endpoint's TLS profile, where the plan has one; only to the
    /// URI's own authority.
    ClientCertificate,
}

impl Authentication {
    /// Whether what it sends goes to the URI's own authority and nowhere else.
    #[must_use]
    pub fn stays_at_the_authority(self) -> bool {
        matches!(
            self,
            Self::Basic | Self::SecretHeader | Self::SecretQuery | Self::ClientCertificate
        )
    }
}
