//! The keys of a plan.

use std::sync::Arc;

use portolan_contract::StoredPlan;
use portolan_secret::SecretText;

use super::{
    AwsCredentialError, AwsKeys, AwsSource, CachedKeys, LentKeys, TokenService, role_chain,
};
use crate::credentials::Lent;
use crate::http::EndpointClient;

/// The region of a token service that serves them all.
const ANYWHERE: &str = "us-east-1";

/// The keys that a plan gives or the host lends, and those of the plan's roles.
///
/// It reads the settings `credentials` (`implicit`: what the host lends) and `access-key-id`, the
/// named secrets `secret-access-key` and `session-token`, and the assumed roles in their order, whose
/// token service is the plan's second endpoint. `region` is the one of the connection, where it is
/// known.
///
/// # Errors
///
/// Something of it is missing, or the host lends nothing.
pub fn keys_of_plan(
    plan: &StoredPlan,
    client: &EndpointClient,
    lent: &Lent,
    region: Option<&str>,
) -> Result<CachedKeys, AwsCredentialError> {
    let first: Arc<dyn AwsSource> = match plan.plan.setting("credentials") {
        Some("implicit") => Arc::new(lent_keys(lent, own_token_service(client, region)?)?),
        _ => Arc::new(given(plan)?),
    };
    let roles: Vec<_> = plan.plan.assumed_roles().cloned().collect();
    if roles.is_empty() {
        return Ok(CachedKeys::new(first));
    }
    let service = planned_token_service(plan, client, region)?;
    Ok(role_chain(first, &roles, &service))
}

/// The keys that the host lends a plan, and those of the plan's roles in their order, whose token
/// service is that of the region. `session` is what the service calls the sessions.
///
/// # Errors
///
/// The host lends nothing.
pub fn lent_keys_of_plan(
    plan: &StoredPlan,
    client: &EndpointClient,
    lent: &Lent,
    region: &str,
    session: Option<&str>,
) -> Result<CachedKeys, AwsCredentialError> {
    let mut service = own_token_service(client, Some(region))?;
    if let Some(session) = session {
        service = service.with_session(session);
    }
    let first: Arc<dyn AwsSource> = Arc::new(lent_keys(lent, service.clone())?);
    let roles: Vec<_> = plan.plan.assumed_roles().cloned().collect();
    Ok(role_chain(first, &roles, &service))
}

fn lent_keys(lent: &Lent, service: TokenService) -> Result<LentKeys, AwsCredentialError> {
    let environment = lent.environment();
    let environment = environment.ok_or(AwsCredentialError::NothingLent)?.clone();
    let keys = LentKeys::new(environment, service);
    Ok(match lent.aws_machine() {
        Some(machine) => keys.or_machine(machine),
        None => keys,
    })
}

/// The key that the URI gave.
fn given(plan: &StoredPlan) -> Result<AwsKeys, AwsCredentialError> {
    let secret = |name: &str, what| match plan.secret(name) {
        None => Ok(None),
        Some(secret) => match secret.clone().into_text() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(AwsCredentialError::Missing(what)),
        },
    };
    let id = plan.plan.setting("access-key-id");
    let key: Option<SecretText> = secret("secret-access-key", "secret access key")?;
    Ok(AwsKeys {
        id: id
            .ok_or(AwsCredentialError::Missing("access key"))?
            .to_owned(),
        secret: key.ok_or(AwsCredentialError::Missing("secret access key"))?,
        token: secret("session-token", "session token")?,
        life: None,
    })
}

/// The token service that the plan names.
fn planned_token_service(
    plan: &StoredPlan,
    client: &EndpointClient,
    region: Option<&str>,
) -> Result<TokenService, AwsCredentialError> {
    let endpoint = plan.plan.endpoints().nth(1);
    let endpoint = endpoint.filter(|endpoint| endpoint.tls_profile.is_some());
    let endpoint = endpoint.ok_or(AwsCredentialError::NoTokenService)?;
    Ok(TokenService::new(
        client.clone(),
        &endpoint.host,
        endpoint.port,
        region.unwrap_or(ANYWHERE),
    ))
}

/// The token service for the host's own identity, which no plan names.
fn own_token_service(
    client: &EndpointClient,
    region: Option<&str>,
) -> Result<TokenService, AwsCredentialError> {
    let host = match region {
        Some(region) if region.starts_with("cn-") => format!("sts.{region}.amazonaws.com.cn"),
        Some(region) => format!("sts.{region}.amazonaws.com"),
        None => "sts.amazonaws.com".to_owned(),
    };
    let client = client.with_trusted_endpoint(&host, 443)?;
    Ok(TokenService::new(
        client,
        &host,
        443,
        region.unwrap_or(ANYWHERE),
    ))
}
