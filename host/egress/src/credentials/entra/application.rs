//! An application and its proof: the client-credentials grant of the documented token endpoint and
//! nothing more. There is no discovery, and no other authority than the cloud's own.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use portolan_secret::SecretText;
use serde::Deserialize;
use tokio::time::Instant;

use super::AzureCloud;
use crate::credentials::ask::{Answer, Question};
use crate::credentials::{AccessToken, CredentialError, TokenRefusal, TokenSource};
use crate::http::EndpointClient;

/// How an application shows that it is the one.
pub(super) enum Proof {
    /// A secret of its own.
    Secret(SecretText),
    /// What another authority, which the tenant trusts, says of it.
    Assertion(SecretText),
}

/// An application of a tenant.
pub(super) struct Application {
    pub(super) client: EndpointClient,
    pub(super) cloud: AzureCloud,
    pub(super) tenant: String,
    pub(super) id: String,
    pub(super) proof: Proof,
}

#[async_trait]
impl TokenSource for Application {
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        let tenant: String = url::form_urlencoded::byte_serialize(self.tenant.as_bytes()).collect();
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let mut pairs = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &self.id),
            ("scope", scope),
        ];
        match &self.proof {
            Proof::Secret(secret) => pairs.push(("client_secret", secret.expose())),
            Proof::Assertion(assertion) => pairs.extend([
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
                ("client_assertion", assertion.expose()),
            ]),
        }
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

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").finish_non_exhaustive()
    }
}
