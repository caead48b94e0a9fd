//! Signs requests that `object_store` does not know.

use std::sync::Arc;

use object_store::CredentialProvider;
use object_store::aws::AwsAuthorizer;
use object_store::client::HttpRequest;

use super::credentials::{Keys, is_over};
use super::settings::Settings;
use crate::cloud::CloudError;

/// The keys of a connection, and the region that they sign for.
#[derive(Debug)]
pub(super) struct Signer {
    keys: Arc<Keys>,
    region: String,
}

impl Signer {
    pub(super) fn new(keys: &Arc<Keys>, settings: &Settings) -> Self {
        Self {
            keys: Arc::clone(keys),
            region: settings.region().to_owned(),
        }
    }

    /// Whether a request that failed so is worth to be signed anew: its keys are over, and there can be
    /// others.
    pub(super) fn renews(&self, error: &CloudError) -> bool {
        is_over(error) && self.keys.renew()
    }

    /// Signs a request whose body has this SHA-256.
    pub(super) async fn sign(
        &self,
        request: &mut HttpRequest,
        digest: &[u8],
    ) -> Result<(), CloudError> {
        let credential = self.keys.get_credential().await.map_err(|error| {
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
