//! What the host lends its connections to Azure.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use portolan_secret::SecretText;
use serde::{Deserialize, Deserializer};
use tokio::time::Instant;

use super::AzureCloud;
use super::application::{Application, Proof};
use crate::credentials::aws::HostEnvironment;
use crate::credentials::identity_file;
use crate::credentials::{AccessToken, CredentialError, TokenSource};
use crate::http::EndpointClient;
use crate::{MetadataClient, MetadataService};

/// The tokens that the host lends, in the order of Azure's own tools: of the application that
/// `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` name, for its `AZURE_CLIENT_SECRET` or the identity in
/// the file `AZURE_FEDERATED_TOKEN_FILE`; and of the identity that Azure gives the machine itself,
/// which `AZURE_CLIENT_ID` chooses where it has several. The token endpoint is the cloud's own,
/// whatever a variable says. No profile is read and no command is run.
pub(super) struct LentTokens {
    pub(super) client: EndpointClient,
    pub(super) cloud: AzureCloud,
    pub(super) environment: HostEnvironment,
    pub(super) machine: Option<MetadataClient>,
}

/// A token of a machine's identity, as the metadata service writes it.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(deserialize_with = "seconds")]
    expires_in: u64,
}

/// A number, which the service writes as a text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

impl LentTokens {
    async fn of_variables(&self) -> Result<Option<Application>, CredentialError> {
        let variable = |name| self.environment.get(name);
        let (Some(tenant), Some(id)) = (variable("AZURE_TENANT_ID"), variable("AZURE_CLIENT_ID"))
        else {
            return Ok(None);
        };
        let proof = if let Some(secret) = variable("AZURE_CLIENT_SECRET") {
            Proof::Secret(secret)
        } else if let Some(file) = variable("AZURE_FEDERATED_TOKEN_FILE") {
            let identity = identity_file::read(file).await;
            Proof::Assertion(identity.ok_or(CredentialError::IdentityFile)?)
        } else {
            return Ok(None);
        };
        Ok(Some(Application {
            client: self.client.clone(),
            cloud: self.cloud,
            tenant: tenant.expose().to_owned(),
            id: id.expose().to_owned(),
            proof,
        }))
    }

    async fn of_machine(
        &self,
        machine: &MetadataClient,
        scope: &str,
    ) -> Result<AccessToken, CredentialError> {
        let none = || CredentialError::NoMachine("Azure");
        let request = Request::builder()
            .uri(self.question(scope))
            .header("metadata", "true")
            .body(Bytes::new())
            .map_err(|_| none())?;
        let asked = Instant::now();
        let answer = machine.send(MetadataService::Azure, request).await?;
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

impl LentTokens {
    /// What the metadata service is asked; a scope is its resource and a word for "all of it".
    fn question(&self, scope: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("api-version", "2018-02-01");
        query.append_pair("resource", scope.strip_suffix(".default").unwrap_or(scope));
        if let Some(id) = self.environment.get("AZURE_CLIENT_ID") {
            query.append_pair("client_id", id.expose());
        }
        format!("/metadata/identity/oauth2/token?{}", query.finish())
    }
}

#[async_trait]
impl TokenSource for LentTokens {
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        if let Some(application) = self.of_variables().await? {
            return application.fetch(scope).await;
        }
        match &self.machine {
            Some(machine) => self.of_machine(machine, scope).await,
            None => Err(CredentialError::NothingLent("Azure")),
        }
    }
}

impl fmt::Debug for LentTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentTokens").finish_non_exhaustive()
    }
}
