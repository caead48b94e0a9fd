//! Azure Blob Storage.
//!
//! With a shared key `object_store` signs the requests; with client credentials it is given an empty
//! token, and the real one is put into each request when it is sent, after a look at where it goes.
//! `MicrosoftAzureBuilder::new` with credentials of ours reads no environment, asks no metadata
//! service and runs no command.
//!
//! * `dialect`: what answers of the service mean.
//! * `container`: requests that are made here, and not by `object_store`. `store`: the store, which
//!   deletes objects one by one. `copy`: copies that are waited for. `uncommitted`: what unfinished
//!   uploads left.

mod container;
mod copy;
mod dialect;
mod store;
mod uncommitted;

use std::sync::Arc;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Uri};
use object_store::azure::{AzureAccessKey, AzureCredential, MicrosoftAzureBuilder};
use object_store::{ClientOptions, CredentialProvider};
use portolan_contract::{Endpoint, Failure, FailureClass, ObjectStorePlan, StoredPlan};
use portolan_egress::Egress;
use portolan_egress::credentials::{AzureService, EntraTokens};
use portolan_egress::http::EndpointClient;

use container::Container;
use dialect::AzureDialect;
use store::AzureStore;

use super::authorize::Authorize;
use super::{
    CloudError, CloudStore, Connector, Lent, check_switches, no_retries, secret_text, url_of,
};
use crate::UnfinishedUploads;

/// The backend's name.
const NAME: &str = "azure";

/// Builds the store of a plan.
///
/// # Errors
///
/// A setting or the credentials of the plan cannot be used, the host lends none, or the operator does
/// not allow what the plan asks for.
pub(crate) fn build(
    egress: &Egress,
    plan: &StoredPlan,
    target: &ObjectStorePlan,
    lent: &Lent,
) -> Result<CloudStore, CloudError> {
    let (container, endpoint) = container(egress, plan, target, lent)?;
    let store = MicrosoftAzureBuilder::new()
        .with_http_connector(container.connector.clone())
        .with_retry(no_retries())
        .with_client_options(ClientOptions::new().with_allow_http(endpoint.tls_profile.is_none()))
        .with_endpoint(url_of(endpoint))
        .with_account(&container.account)
        .with_container_name(&target.container)
        .with_credentials(Arc::new(Given(Arc::clone(&container.credential))))
        .build()
        .map_err(|_| CloudError::Setting {
            setting: "settings",
        })?;
    Ok(CloudStore::new(
        NAME,
        Arc::new(AzureStore { store, container }),
    ))
}

/// Builds what tells of the unfinished uploads of a plan's container.
///
/// # Errors
///
/// As [`build`].
pub(crate) fn build_uploads(
    egress: &Egress,
    plan: &StoredPlan,
    target: &ObjectStorePlan,
    lent: &Lent,
) -> Result<Arc<dyn UnfinishedUploads>, CloudError> {
    let (container, _) = container(egress, plan, target, lent)?;
    Ok(Arc::new(container))
}

/// The way to the container, who the connection is included, and the service's endpoint.
fn container<'plan>(
    egress: &Egress,
    plan: &'plan StoredPlan,
    target: &ObjectStorePlan,
    lent: &Lent,
) -> Result<(Container, &'plan Endpoint), CloudError> {
    check_switches(NAME, egress, plan)?;
    let bad = |setting| CloudError::Setting { setting };
    let endpoint = plan.plan.endpoints().next().ok_or(bad("endpoint"))?;
    let account = plan.plan.setting("account").ok_or(bad("account"))?;
    let client = EndpointClient::new(egress, plan).map_err(CloudError::Egress)?;
    let shared_key = secret_text(plan, "account-key")?;
    let dialect = AzureDialect {
        shared_key: shared_key.is_some(),
    };
    let mut connector = Connector::new(client.clone(), Arc::new(dialect), plan);
    let credential = match shared_key {
        Some(key) => AzureCredential::AccessKey(
            AzureAccessKey::try_new(&key).map_err(|_| bad_account_key())?,
        ),
        None => {
            let tokens = tokens(&client, plan, lent)?;
            connector = connector.authorized(Arc::new(Identity(tokens)));
            AzureCredential::BearerToken(String::new())
        }
    };
    let container = Container {
        connector,
        credential: Arc::new(credential),
        account: account.to_owned(),
        url: format!("{}/{}", url_of(endpoint), super::segment(&target.container)),
    };
    Ok((container, endpoint))
}

/// The tokens of the plan's application, or those that the host lends.
fn tokens(
    client: &EndpointClient,
    plan: &StoredPlan,
    lent: &Lent,
) -> Result<EntraTokens, CloudError> {
    let service = AzureService::Storage;
    if plan.plan.setting("credentials") != Some("implicit") {
        return Ok(EntraTokens::of_plan(client, plan, service)?);
    }
    let environment = lent.environment().ok_or(CloudError::NothingLent)?.clone();
    let tokens = EntraTokens::lent(client, plan, service, environment, lent.metadata());
    Ok(tokens?)
}

fn bad_account_key() -> CloudError {
    let failure = Failure::new(
        FailureClass::InvalidUri,
        "azure shared key credential: the account key is not base64",
    );
    CloudError::Credentials(Box::new(failure.with_hint(
        "copy AZURE_ACCOUNT_KEY as the portal shows it; in a URI a + is written %2B",
    )))
}

/// Lends the one credential of a connection to `object_store`.
#[derive(Debug)]
struct Given(Arc<AzureCredential>);

#[async_trait]
impl CredentialProvider for Given {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        Ok(Arc::clone(&self.0))
    }
}

/// Who the connection is, where it has no key.
#[derive(Debug)]
struct Identity(EntraTokens);

#[async_trait]
impl Authorize for Identity {
    async fn headers(&self, uri: &Uri) -> Result<Vec<(HeaderName, HeaderValue)>, CloudError> {
        Ok(vec![(AUTHORIZATION, self.0.authorization(uri).await?)])
    }

    fn renew(&self) -> bool {
        self.0.forget();
        true
    }
}
