//! Signs requests that `object_store` does not know.

use std::sync::Arc;

use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::HttpRequest;

use super::settings::Settings;
use crate::cloud::CloudError;

/// The keys of a connection, and the region that they sign for.
#[derive(Debug)]
pub(super) struct Signer {
    credentials: AwsCredentialProvider,
    region: String,
}

impl Signer {
    pub(super) fn new(credentials: &AwsCredentialProvider, settings: &Settings) -> Self {
        Self {
            credentials: Arc::clone(credentials),
            region: settings.region().to_owned(),
        }
    }

    /// Signs a request whose body has this SHA-256.
    pub(super) async fn sign(
        &self,
        request: &mut HttpRequest,
        digest: &[u8],
    ) -> Result<(), CloudError> {
        let credential = self.credentials.get_credential().await.map_err(|error| {
            let found = CloudError::find(&error).cloned();
            found.unwrap_or(CloudError::NothingLent)
        })?;
        AwsAuthorizer::new(&credential, "s3", &self.region)
            .try_authorize(request, Some(digest))
            .map_err(|_| CloudError::Setting {
                setting: "endpoint",
            })
    }
}
