//! What the host lends its connections to Google.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portolan_secret::{SecretBytes, SecretText};
use serde::Deserialize;
use tokio::time::Instant;

use super::exchange::KeySource;
use crate::credentials::aws::HostEnvironment;
use crate::credentials::identity_file;
use crate::credentials::{AccessToken, CredentialError, TokenSource};
use crate::http::EndpointClient;
use crate::{MetadataClient, MetadataService};

/// Where the metadata server gives tokens of the account that is attached to the machine.
const ATTACHED: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// The tokens that the host lends, in the order of Google's own tools: those of the key in the file
/// that `GOOGLE_APPLICATION_CREDENTIALS` names; and where no variable names one, those of the service
/// account that is attached to the machine. What a person's `gcloud` has left in their home is not
/// lent, and no command is run.
pub(super) struct LentTokens {
    /// Reaches the token service.
    pub(super) client: EndpointClient,
    pub(super) environment: HostEnvironment,
    pub(super) machine: Option<MetadataClient>,
}

/// A token of the machine's account, as the metadata server writes it.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl LentTokens {
    async fn of_key(&self, file: SecretText, scope: &str) -> Result<AccessToken, CredentialError> {
        let json = identity_file::read(file).await;
        let json = json.ok_or(CredentialError::IdentityFile)?;
        let key = KeySource::new(&self.client, &SecretBytes::new(json.expose()));
        let key = key.map_err(|error| match error {
            CredentialError::GoogleKey(fault) => CredentialError::LentKey(fault),
            other => other,
        })?;
        key.fetch(scope).await
    }
}

async fn of_machine(machine: &MetadataClient, scope: &str) -> Result<AccessToken, CredentialError> {
    let none = || CredentialError::NoMachine("Google");
    let scope = utf8_percent_encode(scope, NON_ALPHANUMERIC);
    let request = Request::builder()
        .uri(format!("{ATTACHED}?scopes={scope}"))
        .header("metadata-flavor", "Google")
        .body(Bytes::new())
        .map_err(|_| none())?;
    let asked = Instant::now();
    let answer = machine.send(MetadataService::Google, request).await?;
    if answer.status != StatusCode::OK {
        return Err(none());
    }
    let granted: Granted = serde_json::from_slice(answer.body.expose()).map_err(|_| none())?;
    Ok(AccessToken::new(
        SecretText::new(granted.access_token),
        asked,
        Duration::from_secs(granted.expires_in),
    ))
}

#[async_trait]
impl TokenSource for LentTokens {
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        if let Some(file) = self.environment.get("GOOGLE_APPLICATION_CREDENTIALS") {
            return self.of_key(file, scope).await;
        }
        match &self.machine {
            Some(machine) => of_machine(machine, scope).await,
            None => Err(CredentialError::NothingLent("Google")),
        }
    }
}

impl fmt::Debug for LentTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentTokens").finish_non_exhaustive()
    }
}
