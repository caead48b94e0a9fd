//! Acting as another service account, at the end of a chain.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portolan_secret::SecretText;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::CLOUD_SCOPE;
use crate::credentials::ask::{Answer, Question};
use crate::credentials::cache::TokenCache;
use crate::credentials::{AccessToken, CredentialError, TokenRefusal, TokenSource};
use crate::http::EndpointClient;

/// The service that gives tokens of accounts to others.
const HOST: &str = "iamcredentials.googleapis.com";

/// How long a token is asked for.
const LIFETIME: Duration = Duration::from_secs(3600);

/// What is escaped in an account's address as a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'@');

/// Gets tokens of the last account of a chain with those of its first identity.
pub(super) struct Impersonation {
    client: EndpointClient,
    source: Box<dyn TokenSource>,
    /// The first identity's own token, which outlives those it is exchanged for.
    cache: TokenCache,
    delegates: Vec<String>,
    target: String,
}

impl Impersonation {
    /// The chain over a first identity, or that identity back where there is none.
    pub(super) fn new(
        client: &EndpointClient,
        source: Box<dyn TokenSource>,
        mut chain: Vec<String>,
    ) -> Result<Self, Box<dyn TokenSource>> {
        let Some(target) = chain.pop() else {
            return Err(source);
        };
        Ok(Self {
            client: client.clone(),
            source,
            cache: TokenCache::default(),
            delegates: chain,
            target,
        })
    }

    async fn ask(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        let first = self.cache.get(|| self.source.fetch(CLOUD_SCOPE)).await?;
        let assumed = self.assume(&first, scope).await;
        assumed.map_err(|cause| match cause {
            // It tells by itself which server it is about, and stays what it is for whoever asks
            // for its type.
            CredentialError::Egress(_) => cause,
            cause => CredentialError::Role(Box::new(cause)),
        })
    }

    /// A token of the last account, for one of the first identity.
    async fn assume(
        &self,
        first: &AccessToken,
        scope: &str,
    ) -> Result<AccessToken, CredentialError> {
        let asking = Asking {
            scope: [scope],
            lifetime: format!("{}s", LIFETIME.as_secs()),
            delegates: self.delegates.iter().map(|link| name(link)).collect(),
        };
        let body = serde_json::to_string(&asking).map_err(|_| CredentialError::Missing("scope"))?;
        let question = Question {
            host: HOST,
            path: format!(
                "/v1/projects/-/serviceAccounts/{}:generateAccessToken",
                utf8_percent_encode(&self.target, SEGMENT)
            ),
            content_type: "application/json",
            body: SecretText::new(body),
            authorization: Some(first.bearer()?),
        };
        let asked = Instant::now();
        let answer = question.ask(&self.client).await?;
        if !answer.status.is_success() {
            return Err(self.refused(answer));
        }
        let granted: Granted = answer.json()?;
        Ok(AccessToken::new(
            SecretText::new(granted.access_token),
            asked,
            lifetime(&granted.expire_time, SystemTime::now()),
        ))
    }

    /// What a refusal means. The service does not tell which link of the chain does not hold.
    fn refused(&self, answer: Answer) -> CredentialError {
        let refused = match answer.json::<Refused>() {
            Ok(refused) => refused.error,
            Err(unreadable) => return unreadable,
        };
        let disabled = refused.details.iter().any(|detail| {
            detail
                .reason
                .as_deref()
                .is_some_and(|reason| reason == "SERVICE_DISABLED")
        });
        let refusal = match (answer.status, refused.status.as_str()) {
            (StatusCode::UNAUTHORIZED, _) => TokenRefusal::TokenNotAccepted,
            (StatusCode::FORBIDDEN, _) if disabled => TokenRefusal::ApiDisabled,
            (_, "PERMISSION_DENIED") => TokenRefusal::RoleDenied {
                role: self.target.clone(),
            },
            (_, "NOT_FOUND") => TokenRefusal::NoSuchRole {
                role: self.target.clone(),
            },
            (_, "INVALID_ARGUMENT") => TokenRefusal::Scope,
            _ => TokenRefusal::Other,
        };
        if refusal == TokenRefusal::TokenNotAccepted {
            self.cache.forget();
        }
        answer.refused(refusal)
    }
}

#[async_trait]
impl TokenSource for Impersonation {
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        match self.ask(scope).await {
            // The first identity's token can have ended before its time: a new one is tried once.
            Err(CredentialError::Role(cause)) if is_over(&cause) => self.ask(scope).await,
            asked => asked,
        }
    }
}

/// Whether the service did not take the first identity's token.
fn is_over(cause: &CredentialError) -> bool {
    matches!(
        cause,
        CredentialError::Refused {
            refusal: TokenRefusal::TokenNotAccepted,
            ..
        }
    )
}

/// How long until a time that the service told, and at most as long as was asked for.
fn lifetime(end: &str, now: SystemTime) -> Duration {
    let left = end.parse::<jiff::Timestamp>().ok().and_then(|end| {
        let now = jiff::Timestamp::try_from(now).ok()?;
        u64::try_from(end.as_second() - now.as_second()).ok()
    });
    // A clock that is wrong makes the token no shorter than the time it takes to use it once.
    Duration::from_secs(left.unwrap_or(60)).min(LIFETIME)
}

fn name(account: &str) -> String {
    format!("projects/-/serviceAccounts/{account}")
}

#[derive(Serialize)]
struct Asking<'a> {
    scope: [&'a str; 1],
    lifetime: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delegates: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Granted {
    access_token: String,
    expire_time: String,
}

#[derive(Deserialize)]
struct Refused {
    error: RefusedStatus,
}

/// Google's `Status`, as far as it is looked at.
#[derive(Deserialize)]
struct RefusedStatus {
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    reason: Option<String>,
}

impl fmt::Debug for Impersonation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Impersonation")
            .field("source", &self.source)
            .field("delegates", &self.delegates)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
