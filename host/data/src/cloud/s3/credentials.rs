//! Whose keys requests are signed with.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use portolan_contract::StoredPlan;
use portolan_egress::credentials::aws::{
    AwsKeys, AwsSource, CachedKeys, LentKeys, TokenService, role_chain,
};
use portolan_egress::http::EndpointClient;
use portolan_secret::SecretText;

use super::settings::Settings;
use crate::cloud::{CloudError, Lent, secret_text};

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
        let first: Arc<dyn AwsSource> = match plan.plan.setting("credentials") {
            Some("implicit") => {
                let environment = lent.environment()?.clone();
                let service = own_token_service(client, settings)?;
                let keys = LentKeys::new(environment, service);
                Arc::new(match lent.aws_machine() {
                    Some(machine) => keys.or_machine(machine),
                    None => keys,
                })
            }
            _ => Arc::new(given(plan)?),
        };
        let roles: Vec<_> = plan.plan.assumed_roles().cloned().collect();
        let keys = match roles.is_empty() {
            true => CachedKeys::new(first),
            false => role_chain(
                first,
                &roles,
                &planned_token_service(plan, client, settings)?,
            ),
        };
        Ok(Self {
            keys,
            answer: std::sync::Mutex::default(),
        })
    }
}

/// The key that the URI gave.
fn given(plan: &StoredPlan) -> Result<AwsKeys, CloudError> {
    let bad = |setting| CloudError::Setting { setting };
    let id = plan.plan.setting("access-key-id");
    let secret = secret_text(plan, "secret-access-key")?;
    Ok(AwsKeys {
        id: id.ok_or(bad("access key"))?.to_owned(),
        secret: SecretText::new(secret.ok_or(bad("secret access key"))?),
        token: secret_text(plan, "session-token")?.map(SecretText::new),
        life: None,
    })
}

/// The token service that the plan names: its second endpoint.
fn planned_token_service(
    plan: &StoredPlan,
    client: &EndpointClient,
    settings: &Settings,
) -> Result<TokenService, CloudError> {
    let endpoint = plan.plan.endpoints().nth(1);
    let endpoint = endpoint.ok_or(CloudError::Setting {
        setting: "token service",
    })?;
    if endpoint.tls_profile.is_none() {
        return Err(CloudError::Setting {
            setting: "token service",
        });
    }
    Ok(TokenService::new(
        client.clone(),
        &endpoint.host,
        endpoint.port,
        settings.region(),
    ))
}

/// The token service for the host's own identity, which no plan names.
fn own_token_service(
    client: &EndpointClient,
    settings: &Settings,
) -> Result<TokenService, CloudError> {
    let host = match &settings.region {
        Some(region) if region.starts_with("cn-") => format!("sts.{region}.amazonaws.com.cn"),
        Some(region) => format!("sts.{region}.amazonaws.com"),
        None => "sts.amazonaws.com".to_owned(),
    };
    let client = client
        .with_trusted_endpoint(&host, 443)
        .map_err(CloudError::Egress)?;
    Ok(TokenService::new(client, &host, 443, settings.region()))
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
