//! Tokens for OAuth client credentials (RFC 6749, section 4.4).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use http::uri::{Scheme, Uri};
use portolan_contract::StoredPlan;
use portolan_secret::SecretText;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::ask::{Answer, Question};
use super::cache::TokenCache;
use super::{AccessToken, CredentialError, TokenRefusal};
use crate::http::EndpointClient;

/// How long a token is kept of which the service does not say when it ends.
const UNTOLD: Duration = Duration::from_secs(5 * 60);

/// The tokens of one connection. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct OauthTokens {
    shared: Arc<Shared>,
}

struct Shared {
    way: EndpointClient,
    service: TokenPlace,
    client: OauthClient,
    cache: TokenCache,
}

/// Where tokens are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenPlace {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host, and port where it is not the usual one.
    authority: String,
    /// With its query.
    path: String,
}

/// Who asks for tokens, and for which.
pub(crate) struct OauthClient {
    pub(crate) id: String,
    pub(crate) secret: SecretText,
    /// `client_credentials`, where nothing else is said.
    pub(crate) grant_type: Option<String>,
    pub(crate) scope: Option<String>,
}

impl OauthTokens {
    /// The tokens of a plan: its setting `client-id` and its named secret `client-secret`. The URL of
    /// the token service is what the URI itself has in the option `token_url`; what a provider plans
    /// has no say in it.
    ///
    /// # Errors
    ///
    /// Something of it is missing, or the URL is none of HTTPS.
    pub fn of_plan(
        client: &EndpointClient,
        plan: &StoredPlan,
        token_url: &str,
        scope: Option<&str>,
    ) -> Result<Self, CredentialError> {
        let url = plan.context.options().iter();
        let mut urls = url.filter(|(name, _)| name == token_url);
        let (Some((_, url)), None) = (urls.next(), urls.next()) else {
            return Err(CredentialError::Missing("one URL of a token service"));
        };
        let service = Self::place(url)?;
        let id = plan.plan.setting("client-id");
        let secret = plan
            .secret("client-secret")
            .and_then(|secret| secret.clone().into_text().ok())
            .ok_or(CredentialError::Missing("client secret"))?;
        let asks = OauthClient {
            id: id.ok_or(CredentialError::Missing("client"))?.to_owned(),
            secret,
            grant_type: None,
            scope: scope.map(str::to_owned),
        };
        Ok(Self::new(client, service, asks))
    }

    /// The place that a URL names.
    pub(crate) fn place(url: &str) -> Result<TokenPlace, CredentialError> {
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "https");
        let url = url.ok_or(CredentialError::Missing("token service with HTTPS"))?;
        let host = url.host_str();
        let host = host.ok_or(CredentialError::Missing("host of a token service"))?;
        Ok(TokenPlace {
            host: host.to_owned(),
            port: url.port().unwrap_or(443),
            authority: match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
            path: match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            },
        })
    }

    /// The tokens that this client is given at this place.
    pub(crate) fn new(way: &EndpointClient, service: TokenPlace, client: OauthClient) -> Self {
        Self {
            shared: Arc::new(Shared {
                way: way.clone(),
                service,
                client,
                cache: TokenCache::default(),
            }),
        }
    }

    /// The token itself, for a protocol that is no HTTP.
    pub(crate) async fn token(&self) -> Result<SecretText, CredentialError> {
        let shared = &self.shared;
        let token = shared.cache.get(|| shared.fetch()).await?;
        token.visible()
    }

    /// What a request to this URI is authorised with.
    ///
    /// # Errors
    ///
    /// It would go without TLS, or there is no token.
    pub async fn authorization(&self, uri: &Uri) -> Result<HeaderValue, CredentialError> {
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(CredentialError::Elsewhere {
                host: uri.host().unwrap_or_default().to_owned(),
                family: "the connection's own servers".to_owned(),
            });
        }
        let shared = &self.shared;
        shared.cache.get(|| shared.fetch()).await?.bearer()
    }

    /// Lets go of the token that is kept: a server did not take it.
    pub fn forget(&self) {
        self.shared.cache.forget();
    }
}

impl Shared {
    async fn fetch(&self) -> Result<AccessToken, CredentialError> {
        let grant_type = self.client.grant_type.as_deref();
        let mut pairs = vec![("grant_type", grant_type.unwrap_or("client_credentials"))];
        if let Some(scope) = &self.client.scope {
            pairs.push(("scope", scope));
        }
        let service = &self.service;
        let mut question = Question::form(&service.authority, service.path.clone(), &pairs);
        question.authorization = Some(self.basic()?);
        let asked = Instant::now();
        let answer = question.ask(&self.way).await?;
        if !answer.status.is_success() {
            return Err(refused(answer));
        }
        let granted: Granted = answer.json()?;
        let lifetime = granted.expires_in.map_or(UNTOLD, Duration::from_secs);
        let token = SecretText::new(granted.access_token);
        Ok(AccessToken::new(token, asked, lifetime))
    }

    /// The client's name and secret, as every token service takes them (section 2.3.1).
    fn basic(&self) -> Result<HeaderValue, CredentialError> {
        let escaped = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let secret = SecretText::new(escaped(self.client.secret.expose()));
        let pair = SecretText::new(format!("{}:{}", escaped(&self.client.id), secret.expose()));
        let encoded = SecretText::new(BASE64_STANDARD.encode(pair.expose()));
        let text = SecretText::new(format!("Basic {}", encoded.expose()));
        let value = HeaderValue::from_str(text.expose());
        let mut value = value.map_err(|_| CredentialError::NoHeader)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// What a refusal means (section 5.2).
fn refused(answer: Answer) -> CredentialError {
    let code = match answer.json::<Refused>() {
        Ok(refused) => refused.error,
        Err(unreadable) => return unreadable,
    };
    let refusal = match code.as_str() {
        "invalid_client" => TokenRefusal::WrongSecret,
        "unauthorized_client" => TokenRefusal::UnknownClient,
        "invalid_scope" => TokenRefusal::Scope,
        _ => TokenRefusal::Other,
    };
    answer.refused(refusal)
}

impl fmt::Debug for OauthTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthTokens")
            .field("host", &self.shared.service.host)
            .field("scope", &self.shared.client.scope)
            .finish_non_exhaustive()
    }
}
