//! Whose keys requests are signed with.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use portolan_contract::StoredPlan;
use portolan_egress::credentials::aws::{AwsCredentialError, AwsKeys, CachedKeys, keys_of_plan};
use portolan_egress::http::EndpointClient;

use super::settings::Settings;
use crate::cloud::{Cause, CloudError, Lent};

/// The keys of a plan, as `object_store` asks for them.
#[derive(Debug)]
pub(super) struct Keys {
    keys: CachedKeys,
    /// The last answer in the type that `object_store` wants, kept as long as the key is the same.
    answer: std::sync::Mutex<Option<(Arc<AwsKeys>, Arc<AwsCredential>)>>,
}

impl Keys {
    /// The keys that the plan gives or the host lends, and those of the plan's roles.
    pub(super) fn of(
        plan: &StoredPlan,
        settings: &Settings,
        client: &EndpointClient,
        lent: &Lent,
    ) -> Result<Self, CloudError> {
        let keys = keys_of_plan(plan, client, lent, settings.region.as_deref());
        let keys = keys.map_err(|error| match error {
            AwsCredentialError::NothingLent => CloudError::NothingLent,
            error => CloudError::Credentials(Box::new(error.failure())),
        })?;
        Ok(Self {
            keys,
            answer: std::sync::Mutex::default(),
        })
    }
}

impl Keys {
    /// Lets go of temporary keys that the service does not take any more. Says whether there can be
    /// others.
    pub(super) fn renew(&self) -> bool {
        self.keys.forget()
    }
}

/// Whether a service says that the session of the keys is over, or may mean it: an answer to `HEAD` has
/// no code.
pub(super) fn is_over(error: &CloudError) -> bool {
    match error {
        CloudError::Refused(refusal) => match refusal.cause() {
            Cause::ExpiredToken | Cause::InvalidToken => true,
            Cause::Unexpected => refusal.status() == 400 && refusal.code().is_none(),
            _ => false,
        },
        _ => false,
    }
}

#[async_trait]
impl CredentialProvider for Keys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let keys = self.keys.get().await.map_err(|error| {
            let error = CloudError::Credentials(Box::new(error.failure()));
            error.into_store(super::NAME, "")
        })?;
        let mut answer = self
            .answer
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((of, credential)) = &*answer
            && Arc::ptr_eq(of, &keys)
        {
            return Ok(Arc::clone(credential));
        }
        let credential = Arc::new(AwsCredential {
            key_id: keys.id.clone(),
            secret_key: keys.secret.expose().to_owned(),
            token: keys.token.as_ref().map(|token| token.expose().to_owned()),
        });
        *answer = Some((keys, Arc::clone(&credential)));
        Ok(credential)
    }
}
