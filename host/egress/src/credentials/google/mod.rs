//! Google's tokens.
//!
//! * `key`: the JSON of credentials. `exchange`: from a key to a token.
//! * `impersonate`: acting as another account. `lent`: what the host lends its connections.

mod exchange;
mod impersonate;
mod key;
mod lent;

pub use key::GoogleKeyFault;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderValue;
use http::uri::{Scheme, Uri};
use portolan_contract::StoredPlan;
use portolan_secret::SecretText;

use super::aws::HostEnvironment;
use super::cache::TokenCache;
use super::{AccessToken, CredentialError, TokenSource};
use crate::MetadataClient;
use crate::http::EndpointClient;
use exchange::KeySource;
use impersonate::Impersonation;
use lent::LentTokens;

/// What the storage backend asks for.
pub const STORAGE_SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";

/// What an account needs in order to act as another one.
const CLOUD_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The hosts that a token of Google's is sent to end with this.
const FAMILY: &str = ".googleapis.com";

/// The tokens of one connection to a service of Google's. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct GoogleTokens {
    shared: Arc<Shared>,
}

struct Shared {
    source: Box<dyn TokenSource>,
    scope: String,
    cache: TokenCache,
}

impl GoogleTokens {
    /// The tokens of a plan, for one scope: its named secret `credentials`, or `bearer-token`, and
    /// the accounts to act as.
    ///
    /// # Errors
    ///
    /// The credentials are not of a kind that is taken; or they are implicit, which
    /// [`GoogleTokens::lent`] is for.
    pub fn of_plan(
        client: &EndpointClient,
        plan: &StoredPlan,
        scope: &str,
    ) -> Result<Self, CredentialError> {
        let source: Box<dyn TokenSource> = if let Some(json) = plan.secret("credentials") {
            Box::new(KeySource::new(client, json)?)
        } else if let Some(token) = plan.secret("bearer-token") {
            let token = token.clone().into_text();
            Box::new(Given(token.map_err(|_| CredentialError::NoHeader)?))
        } else if plan.plan.setting("credentials") == Some("implicit") {
            return Err(CredentialError::NothingLent("Google"));
        } else {
            return Err(CredentialError::Missing("Google credentials"));
        };
        Ok(Self::new(client, plan, scope, source))
    }

    /// The tokens that the host lends a plan, for one scope: by its variables, and by `machine` where
    /// those name no key. The accounts to act as are the plan's.
    ///
    /// # Errors
    ///
    /// The token service cannot be an endpoint.
    pub fn lent(
        client: &EndpointClient,
        plan: &StoredPlan,
        scope: &str,
        environment: HostEnvironment,
        machine: Option<MetadataClient>,
    ) -> Result<Self, CredentialError> {
        let source = LentTokens {
            client: client.with_trusted_endpoint(exchange::HOST, 443)?,
            environment,
            machine,
        };
        Ok(Self::new(client, plan, scope, Box::new(source)))
    }

    fn new(
        client: &EndpointClient,
        plan: &StoredPlan,
        scope: &str,
        source: Box<dyn TokenSource>,
    ) -> Self {
        let chain = plan.plan.assumed_roles().map(|role| role.role.clone());
        let source = match Impersonation::new(client, source, chain.collect()) {
            Ok(chain) => Box::new(chain),
            Err(source) => source,
        };
        Self {
            shared: Arc::new(Shared {
                source,
                scope: scope.to_owned(),
                cache: TokenCache::default(),
            }),
        }
    }

    /// What a request to this URI is authorised with.
    ///
    /// # Errors
    ///
    /// The URI is not one of Google's services over TLS, whatever the plan says; or there is no
    /// token.
    pub async fn authorization(&self, uri: &Uri) -> Result<HeaderValue, CredentialError> {
        check_family(uri)?;
        let shared = &self.shared;
        let token = shared.cache.get(|| shared.source.fetch(&shared.scope));
        token.await?.bearer()
    }

    /// Lets go of the token that is kept: a server did not take it.
    pub fn forget(&self) {
        self.shared.cache.forget();
    }
}

/// Whether a token may go there.
fn check_family(uri: &Uri) -> Result<(), CredentialError> {
    let host = uri.host().unwrap_or_default();
    match uri.scheme() == Some(&Scheme::HTTPS) && host.to_ascii_lowercase().ends_with(FAMILY) {
        true => Ok(()),
        false => Err(CredentialError::Elsewhere {
            host: host.to_owned(),
            family: format!("*{FAMILY}"),
        }),
    }
}

/// A token as the connection's URI gave it.
#[derive(Debug)]
struct Given(SecretText);

#[async_trait]
impl TokenSource for Given {
    async fn fetch(&self, _: &str) -> Result<AccessToken, CredentialError> {
        Ok(AccessToken::endless(self.0.clone()))
    }
}

impl fmt::Debug for GoogleTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleTokens")
            .field("source", &self.shared.source)
            .field("scope", &self.shared.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_googles_services_over_tls_and_nowhere_else() {
        for uri in [
            "https://storage.googleapis.com/b/o",
            "https://STORAGE.googleapis.com:443/",
            "https://us-east1-pubsub.googleapis.com/",
        ] {
            check_family(&Uri::from_static(uri)).expect(uri);
        }
        for uri in [
            "http://storage.googleapis.com/",
            "https://googleapis.com/",
            "https://storage.googleapis.com.evil.example/",
            "https://storagegoogleapis.com/",
            "https://storage.googleapis.com@evil.example/",
            "https://127.0.0.1/",
            "/only/a/path",
        ] {
            check_family(&Uri::from_static(uri)).expect_err(uri);
        }
    }
}
