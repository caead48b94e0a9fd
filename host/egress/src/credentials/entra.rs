//! Tokens of Microsoft Entra for an application with a client secret.
//!
//! This is the client-credentials grant of the documented token endpoint and nothing more: no
//! discovery, no other authority than the cloud's own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::uri::{Scheme, Uri};
use portolan_contract::StoredPlan;
use portolan_secret::SecretText;
use serde::Deserialize;
use tokio::time::Instant;

use super::ask::{Answer, Question};
use super::cache::TokenCache;
use super::{AccessToken, CredentialError, TokenRefusal};
use crate::http::EndpointClient;

/// One of Azure's clouds, each with its own servers and its own tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AzureCloud {
    /// `AzurePublicCloud`.
    Public,
    /// `AzureUSGovernmentCloud`.
    UsGovernment,
    /// `AzureChinaCloud`.
    China,
    /// `AzureGermanCloud`.
    German,
}

/// A service that tokens are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AzureService {
    /// Blob storage.
    Storage,
    /// Key Vault.
    KeyVault,
}

impl AzureCloud {
    /// The cloud of an environment's name; case is ignored, as the ancestor ignores it.
    #[must_use]
    pub fn named(environment: &str) -> Option<Self> {
        const NAMES: [(&str, AzureCloud); 6] = [
            ("AzureCloud", AzureCloud::Public),
            ("AzurePublicCloud", AzureCloud::Public),
            ("AzureUSGovernment", AzureCloud::UsGovernment),
            ("AzureUSGovernmentCloud", AzureCloud::UsGovernment),
            ("AzureChinaCloud", AzureCloud::China),
            ("AzureGermanCloud", AzureCloud::German),
        ];
        NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(environment))
            .map(|(_, cloud)| *cloud)
    }

    /// The cloud of a plan: its setting `environment`, the public one without.
    ///
    /// # Errors
    ///
    /// [`CredentialError::UnknownCloud`].
    pub fn of_plan(plan: &StoredPlan) -> Result<Self, CredentialError> {
        match plan.plan.setting("environment") {
            None => Ok(Self::Public),
            Some(name) => Self::named(name).ok_or(CredentialError::UnknownCloud),
        }
    }

    /// The host that gives this cloud's tokens.
    #[must_use]
    pub fn login_host(self) -> &'static str {
        match self {
            Self::Public => "login.microsoftonline.com",
            Self::UsGovernment => "login.microsoftonline.us",
            Self::China => "login.chinacloudapi.cn",
            Self::German => "login.microsoftonline.de",
        }
    }

    /// What the names of a service's hosts end with; a token of the service is sent to these only.
    #[must_use]
    pub fn suffix(self, service: AzureService) -> &'static str {
        match (service, self) {
            (AzureService::Storage, Self::Public) => "blob.core.windows.net",
            (AzureService::Storage, Self::UsGovernment) => "blob.core.usgovcloudapi.net",
            (AzureService::Storage, Self::China) => "blob.core.chinacloudapi.cn",
            (AzureService::Storage, Self::German) => "blob.core.cloudapi.de",
            (AzureService::KeyVault, Self::Public) => "vault.azure.net",
            (AzureService::KeyVault, Self::UsGovernment) => "vault.usgovcloudapi.net",
            (AzureService::KeyVault, Self::China) => "vault.azure.cn",
            (AzureService::KeyVault, Self::German) => "vault.microsoftazure.de",
        }
    }

    /// The scope to ask for.
    fn scope(self, service: AzureService) -> String {
        match service {
            // One resource for storage in every cloud.
            AzureService::Storage => "https://storage.azure.com/.default".to_owned(),
            AzureService::KeyVault => format!("https://{}/.default", self.suffix(service)),
        }
    }
}

/// The tokens of one connection to a service of Azure's. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct EntraTokens {
    shared: Arc<Shared>,
}

struct Shared {
    client: EndpointClient,
    cloud: AzureCloud,
    service: AzureService,
    tenant: String,
    client_id: String,
    client_secret: SecretText,
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
        Ok(Self {
            shared: Arc::new(Shared {
                client: client.clone(),
                cloud: AzureCloud::of_plan(plan)?,
                service,
                tenant: setting("tenant", "tenant")?,
                client_id: setting("client-id", "client")?,
                client_secret: secret,
                cache: TokenCache::default(),
            }),
        })
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
        shared.cache.get(|| shared.fetch()).await?.bearer()
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

impl Shared {
    async fn fetch(&self) -> Result<AccessToken, CredentialError> {
        let tenant: String = url::form_urlencoded::byte_serialize(self.tenant.as_bytes()).collect();
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let pairs = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
            ("scope", &self.cloud.scope(self.service)),
        ];
        let asked = Instant::now();
        let question = Question::form(self.cloud.login_host(), path, &pairs);
        let answer = question.ask(&self.client).await?;
        if !answer.status.is_success() {
            return Err(refused(answer));
        }
        let granted: Granted = answer.json()?;
        Ok(AccessToken::new(
            SecretText::new(granted.access_token),
            asked,
            Duration::from_secs(granted.expires_in),
        ))
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_codes: Vec<u64>,
}

/// What a refusal means: the number of Entra's own code first, OAuth's code where there is none
/// that is known.
fn refused(answer: Answer) -> CredentialError {
    let refused: Refused = match answer.json() {
        Ok(refused) => refused,
        Err(unreadable) => return unreadable,
    };
    let known = refused.error_codes.iter().find_map(|code| match code {
        7_000_215 => Some(TokenRefusal::WrongSecret),
        7_000_222 => Some(TokenRefusal::SecretExpired),
        7_000_112 => Some(TokenRefusal::ClientDisabled),
        700_016 | 700_038 => Some(TokenRefusal::UnknownClient),
        90_002 | 900_021 | 900_023 | 50_059 => Some(TokenRefusal::UnknownTenant),
        53_000..=53_004 => Some(TokenRefusal::TenantRule),
        70_011 | 500_011 | 1_002_012 => Some(TokenRefusal::Scope),
        _ => None,
    });
    let refusal = known.unwrap_or(match (refused.error.as_str(), answer.skew) {
        ("invalid_client" | "invalid_grant", Some(ahead)) => TokenRefusal::ClockSkew { ahead },
        ("invalid_client", None) => TokenRefusal::WrongSecret,
        ("unauthorized_client", _) => TokenRefusal::UnknownClient,
        ("invalid_scope" | "invalid_resource", _) => TokenRefusal::Scope,
        _ => TokenRefusal::Other,
    });
    answer.refused(refusal)
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

    #[test]
    fn an_environment_is_known_by_its_name_in_any_case() {
        for (name, cloud) in [
            ("AzurePublicCloud", Some(AzureCloud::Public)),
            ("AZURECHINACLOUD", Some(AzureCloud::China)),
            ("azureusgovernmentcloud", Some(AzureCloud::UsGovernment)),
            ("AzureGermanCloud", Some(AzureCloud::German)),
            ("RANDOM-ENV", None),
        ] {
            assert_eq!(AzureCloud::named(name), cloud, "{name}");
        }
    }

    #[test]
    fn no_two_clouds_share_a_host_or_a_suffix() {
        use AzureCloud::{China, German, Public, UsGovernment};
        let mut seen = std::collections::HashSet::new();
        for cloud in [Public, UsGovernment, China, German] {
            assert!(seen.insert(cloud.login_host()));
            for service in [AzureService::Storage, AzureService::KeyVault] {
                assert!(seen.insert(cloud.suffix(service)));
            }
        }
    }
}
