//! Tokens of Microsoft Entra.
//!
//! * `cloud`: the clouds of Azure and their servers.
//! * `application`: an application with a secret, or with what another authority says of it.
//! * `lent`: what the host lends its connections.

mod application;
mod cloud;
mod lent;

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::{Scheme, Uri};
use portolan_contract::StoredPlan;

use super::aws::HostEnvironment;
use super::cache::TokenCache;
use super::{CredentialError, TokenSource};
use crate::MetadataClient;
use crate::http::EndpointClient;
use application::{Application, Proof};
use lent::LentTokens;

pub use cloud::{AzureCloud, AzureService};

/// The tokens of one connection to a service of Azure's. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct EntraTokens {
    shared: Arc<Shared>,
}

struct Shared {
    cloud: AzureCloud,
    service: AzureService,
    source: Box<dyn TokenSource>,
    cache: TokenCache,
}

impl EntraTokens {
    /// The tokens of a plan, for one service: its settings `environment`, `tenant` and `client-id`,
    /// and its named secret `client-secret`.
    ///
    /// # Errors
    ///
    /// Something of it is missing, or the credentials are implicit.
    pub fn of_plan(
        client: &EndpointClient,
        plan: &StoredPlan,
        service: AzureService,
    ) -> Result<Self, CredentialError> {
        if plan.plan.setting("credentials") == Some("implicit") {
            return Err(CredentialError::NothingLent("Azure"));
        }
        let setting = |name, what| {
            let value = plan.plan.setting(name).filter(|value| !value.is_empty());
            value
                .map(str::to_owned)
                .ok_or(CredentialError::Missing(what))
        };
        let secret = plan
            .secret("client-secret")
            .and_then(|secret| secret.clone().into_text().ok())
            .ok_or(CredentialError::Missing("client secret"))?;
        let cloud = AzureCloud::of_plan(plan)?;
        let source = Application {
            client: client.clone(),
            cloud,
            tenant: setting("tenant", "tenant")?,
            id: setting("client-id", "client")?,
            proof: Proof::Secret(secret),
        };
        Ok(Self::new(cloud, service, Box::new(source)))
    }

    /// The tokens that the host lends a plan, for one service: by its variables, and by `machine`
    /// where those say nothing.
    ///
    /// # Errors
    ///
    /// The plan's cloud is not known, or its token service cannot be an endpoint.
    pub fn lent(
        client: &EndpointClient,
        plan: &StoredPlan,
        service: AzureService,
        environment: HostEnvironment,
        machine: Option<MetadataClient>,
    ) -> Result<Self, CredentialError> {
        let cloud = AzureCloud::of_plan(plan)?;
        let source = LentTokens {
            client: client.with_trusted_endpoint(cloud.login_host(), 443)?,
            cloud,
            environment,
            machine,
        };
        Ok(Self::new(cloud, service, Box::new(source)))
    }

    fn new(cloud: AzureCloud, service: AzureService, source: Box<dyn TokenSource>) -> Self {
        Self {
            shared: Arc::new(Shared {
                cloud,
                service,
                source,
                cache: TokenCache::default(),
            }),
        }
    }

    /// What a request to this URI is authorised with.
    ///
    /// # Errors
    ///
    /// The URI is not one of the service's in its cloud over TLS, whatever the plan says; or there
    /// is no token.
    pub async fn authorization(&self, uri: &Uri) -> Result<HeaderValue, CredentialError> {
        let shared = &self.shared;
        check_suffix(uri, shared.cloud.suffix(shared.service))?;
        let scope = shared.cloud.scope(shared.service);
        let fetch = || shared.source.fetch(&scope);
        shared.cache.get(fetch).await?.bearer()
    }

    /// Lets go of the token that is kept: a server did not take it.
    pub fn forget(&self) {
        self.shared.cache.forget();
    }
}

/// Whether a token of this family may go there.
fn check_suffix(uri: &Uri, suffix: &str) -> Result<(), CredentialError> {
    let host = uri.host().unwrap_or_default();
    let label = host
        .len()
        .checked_sub(suffix.len())
        .and_then(|at| host.split_at_checked(at))
        .filter(|(_, end)| end.eq_ignore_ascii_case(suffix))
        .map(|(label, _)| label);
    match label {
        Some(label) if label.ends_with('.') && uri.scheme() == Some(&Scheme::HTTPS) => Ok(()),
        _ => Err(CredentialError::Elsewhere {
            host: host.to_owned(),
            family: format!("*.{suffix}"),
        }),
    }
}

impl fmt::Debug for EntraTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraTokens")
            .field("cloud", &self.shared.cloud)
            .field("service", &self.shared.service)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_under_the_suffix_that_it_was_asked_for_and_nowhere_else() {
        let suffix = AzureCloud::Public.suffix(AzureService::Storage);
        for uri in [
            "https://acct.blob.core.windows.net/c/b",
            "https://ACCT.Blob.Core.Windows.Net:443/",
        ] {
            check_suffix(&Uri::from_static(uri), suffix).expect(uri);
        }
        for uri in [
            "http://acct.blob.core.windows.net/",
            "https://blob.core.windows.net/",
            "https://acctblob.core.windows.net/",
            "https://acct.blob.core.usgovcloudapi.net/",
            "https://acct.blob.core.windows.net.evil.example/",
            "https://kv.vault.azure.net/",
            "https://login.microsoftonline.com/",
            "/only/a/path",
        ] {
            check_suffix(&Uri::from_static(uri), suffix).expect_err(uri);
        }
    }
}
