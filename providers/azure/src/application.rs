//! An application of an Entra tenant, by its client credentials.

use portolan_sdk::{Failure, Plan, Secret};

use crate::{Environment, SERVER};

/// What names an application, and its secret.
#[derive(Debug, Clone, Copy)]
pub struct Application<'uri> {
    /// The tenant that it belongs to.
    pub tenant: &'uri str,
    /// Its id.
    pub client_id: &'uri str,
    /// Its secret.
    pub client_secret: &'uri Secret,
}

impl Application<'_> {
    /// The plan with it, and where it logs in.
    ///
    /// # Errors
    ///
    /// The tenant cannot be one.
    pub fn planned(&self, plan: Plan, environment: &Environment) -> Result<Plan, Failure> {
        check_tenant(self.tenant)?;
        Ok(plan
            .endpoint(environment.login, 443, Some(SERVER))
            .set("tenant", self.tenant)
            .set("client-id", self.client_id)
            .secret_as_given("client-secret", self.client_secret))
    }
}

/// A tenant becomes a segment of a path: an id, or one of the tenant's domains.
fn check_tenant(tenant: &str) -> Result<(), Failure> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    if tenant.bytes().all(in_name) && tenant.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(Failure::invalid_uri("AZURE_TENANT_ID is not a tenant")
        .with_hint("Write the tenant's id, or one of its domains.")
        .with_option("AZURE_TENANT_ID"))
}
