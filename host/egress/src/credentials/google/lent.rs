//! What the host lends its connections.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portolan_secret::{SecretBytes, SecretText};
use serde::Deserialize;
use tokio::time::Instant;

use super::exchange::{HOST, KeySource};
use crate::credentials::environment::read;
use crate::credentials::{AccessToken, CredentialError, HostEnvironment, TokenSource};
use crate::http::EndpointClient;
use crate::{EgressError, MetadataClient, MetadataService};

/// The variable that names the file with the host's key.
const KEY_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// The tokens that the host lends, in the order of Google's own tools: those of the key in the file
/// that `GOOGLE_APPLICATION_CREDENTIALS` names, and where no variable names one, those of the
/// machine. What a person's `gcloud` has left in their home is not lent, and no command is run.
pub struct LentGoogleTokens {
    client: EndpointClient,
    environment: HostEnvironment,
    machine: Option<Arc<dyn TokenSource>>,
}

impl LentGoogleTokens {
    /// What these variables lend. Their key is shown to the token service, which no plan names.
    ///
    /// # Errors
    ///
    /// As [`EndpointClient::new`].
    pub fn new(client: &EndpointClient, environment: HostEnvironment) -> Result<Self, EgressError> {
        Ok(Self {
            client: client.with_trusted_endpoint(HOST, 443)?,
            environment,
            machine: None,
        })
    }

    /// The same, and where the variables lend nothing, the tokens of the machine.
    #[must_use]
    pub fn or_machine(mut self, machine: Arc<dyn TokenSource>) -> Self {
        self.machine = Some(machine);
        self
    }
}

#[async_trait]
impl TokenSource for LentGoogleTokens {
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        if let Some(file) = self.environment.get(KEY_FILE) {
            // Every time, because the key may have been replaced.
            let json = read(&file)
                .await
                .ok_or(CredentialError::LentFile(KEY_FILE))?;
            let key = KeySource::new(&self.client, &SecretBytes::new(json.expose()));
            let key = key.map_err(|error| match error {
                CredentialError::GoogleKey(fault) => CredentialError::LentKey(fault),
                other => other,
            })?;
            return key.fetch(scope).await;
        }
        match &self.machine {
            Some(machine) => machine.fetch(scope).await,
            None => Err(CredentialError::NothingLent("Google")),
        }
    }
}

impl fmt::Debug for LentGoogleTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentGoogleTokens")
            .field("machine", &self.machine)
            .finish_non_exhaustive()
    }
}

/// The tokens that Google gives to the machine itself, of the service account that is attached to
/// it. They are asked for through the guard of metadata services.
#[derive(Debug)]
pub struct GoogleMachine {
    client: MetadataClient,
}

/// The answer with a token.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl GoogleMachine {
    /// Asks this client.
    #[must_use]
    pub fn new(client: MetadataClient) -> Self {
        Self { client }
    }
}

#[async_trait]
impl TokenSource for GoogleMachine {
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        let none = || CredentialError::NoMachine("Google");
        let scope = utf8_percent_encode(scope, NON_ALPHANUMERIC);
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        let request = Request::builder()
            .uri(format!("{path}?scopes={scope}"))
            .header("metadata-flavor", "Google")
            .body(Bytes::new())
            .map_err(|_| none())?;
        let asked = Instant::now();
        let answer = self.client.send(MetadataService::Google, request).await?;
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
}
