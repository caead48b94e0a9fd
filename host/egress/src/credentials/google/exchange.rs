//! From a key to a token.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portolan_secret::{SecretBytes, SecretText};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::key::{GoogleKey, ServiceKey, UserKey};
use crate::credentials::ask::{Answer, Question};
use crate::credentials::{AccessToken, CredentialError, TokenRefusal, TokenSource};
use crate::http::EndpointClient;

/// The token service, and its path.
pub(super) const HOST: &str = "oauth2.googleapis.com";
const PATH: &str = "/token";

/// Who an assertion is for.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

/// How long an assertion is valid: the longest that is taken.
const VALID: u64 = 3600;

/// A key, which is exchanged at the token service.
pub(super) struct KeySource {
    client: EndpointClient,
    key: GoogleKey,
}

impl KeySource {
    pub(super) fn new(
        client: &EndpointClient,
        json: &SecretBytes,
    ) -> Result<Self, CredentialError> {
        Ok(Self {
            client: client.clone(),
            key: GoogleKey::parse(json)?,
        })
    }
}

#[async_trait]
impl TokenSource for KeySource {
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        let question = match &self.key {
            GoogleKey::Service(key) => {
                let assertion = assertion(key, scope, SystemTime::now())?;
                let pairs = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", assertion.expose()),
                ];
                Question::form(HOST, PATH.to_owned(), &pairs)
            }
            GoogleKey::User(key) => refreshing(key),
        };
        let asked = Instant::now();
        let answer = question.ask(&self.client).await?;
        if !answer.status.is_success() {
            return Err(refused(answer, &self.key));
        }
        let granted: Granted = answer.json()?;
        Ok(AccessToken::new(
            SecretText::new(granted.access_token),
            asked,
            Duration::from_secs(granted.expires_in),
        ))
    }
}

/// It names no scope: the token then has what the user has agreed to, and a scope that is another
/// word for a part of it is not always taken.
fn refreshing(key: &UserKey) -> Question<'static> {
    let pairs = [
        ("grant_type", "refresh_token"),
        ("client_id", &key.client_id),
        ("client_secret", key.client_secret.expose()),
        ("refresh_token", key.refresh_token.expose()),
    ];
    Question::form(HOST, PATH.to_owned(), &pairs)
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'static str,
    iat: u64,
    exp: u64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// A service account's claim to a token, signed with its key (RFC 7523).
fn assertion(
    key: &ServiceKey,
    scope: &str,
    now: SystemTime,
) -> Result<SecretText, CredentialError> {
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let header = Header {
        alg: "RS256",
        typ: "JWT",
        kid: key.key_id.as_deref(),
    };
    let claims = Claims {
        iss: &key.email,
        scope,
        aud: AUDIENCE,
        iat: now,
        exp: now + VALID,
    };
    let mut text = format!("{}.{}", encoded(&header)?, encoded(&claims)?);
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(SecretText::new(text))
}

fn encoded(part: &impl Serialize) -> Result<String, CredentialError> {
    // Texts and numbers: there is nothing in them that JSON could not write.
    let json = serde_json::to_vec(part).map_err(|_| CredentialError::Missing("claims"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(json))
}

/// What a refusal means: OAuth's codes (RFC 6749, section 5.2).
fn refused(answer: Answer, key: &GoogleKey) -> CredentialError {
    let code = match answer.json::<Refused>() {
        Ok(refused) => refused.error,
        Err(unreadable) => return unreadable,
    };
    let refusal = match (code.as_str(), key) {
        // The service says one code for a wrong signature, a wrong time and an unknown account.
        ("invalid_grant", GoogleKey::Service(_)) => match answer.skew {
            Some(ahead) => TokenRefusal::ClockSkew { ahead },
            None => TokenRefusal::KeyNotAccepted,
        },
        ("invalid_grant", GoogleKey::User(_)) => TokenRefusal::RefreshTokenEnded,
        ("invalid_client", GoogleKey::User(_)) => TokenRefusal::WrongSecret,
        ("invalid_client", GoogleKey::Service(_)) => TokenRefusal::KeyNotAccepted,
        ("deleted_client" | "disabled_client", _) => TokenRefusal::ClientDisabled,
        ("unauthorized_client" | "invalid_scope" | "access_denied", _) => TokenRefusal::Scope,
        _ => TokenRefusal::Other,
    };
    answer.refused(refusal)
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.key {
            GoogleKey::Service(_) => "ServiceAccount(redacted)",
            GoogleKey::User(_) => "AuthorizedUser(redacted)",
        })
    }
}
