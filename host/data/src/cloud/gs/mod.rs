//! Google Cloud Storage.
//!
//! `object_store` is given an empty token in place of the connection's: the real one, and the
//! project to bill, are put into each request when it is sent, after a look at where it goes. With
//! credentials of ours its builder reads no file, no environment and no metadata service.
//!
//! * `dialect`: what answers of the XML API mean.

mod dialect;

use std::sync::Arc;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Uri};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use object_store::{ObjectStore, StaticCredentialProvider};
use portolan_contract::{ObjectStorePlan, StoredPlan};
use portolan_egress::Egress;
use portolan_egress::credentials::{GoogleTokens, STORAGE_SCOPE};
use portolan_egress::http::EndpointClient;

use dialect::GsDialect;

use super::authorize::Authorize;
use super::uploads::{AskBucket, XmlUploads};
use super::{CloudError, CloudStore, Connector, Lent, check_switches, no_retries, segment, url_of};
use crate::UnfinishedUploads;

/// The backend's name.
const NAME: &str = "gs";

/// The header that names the project to bill.
const BILLED: HeaderName = HeaderName::from_static("x-goog-user-project");

/// Builds the store of a plan.
///
/// # Errors
///
/// A setting or the credentials of the plan cannot be used, or the operator does not allow what the
/// plan asks for.
pub(crate) fn build(
    egress: &Egress,
    plan: &StoredPlan,
    target: &ObjectStorePlan,
    lent: &Lent,
) -> Result<CloudStore, CloudError> {
    let (connector, base) = connector(egress, plan, lent)?;
    let nobody = GcpCredential {
        bearer: String::new(),
    };
    let store = GoogleCloudStorageBuilder::new()
        .with_http_connector(connector)
        .with_retry(no_retries())
        .with_base_url(&base)
        .with_bucket_name(&target.container)
        .with_credentials(Arc::new(StaticCredentialProvider::new(nobody)))
        .build()
        .map_err(|_| CloudError::Setting {
            setting: "settings",
        })?;
    Ok(CloudStore::new(
        NAME,
        Arc::new(store) as Arc<dyn ObjectStore>,
    ))
}

/// Builds what tells of the unfinished uploads of a plan's bucket.
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
    let (connector, base) = connector(egress, plan, lent)?;
    let bucket = Bucket {
        connector,
        url: format!("{base}/{}", segment(&target.container)),
    };
    Ok(Arc::new(XmlUploads::new(NAME, bucket)))
}

/// The way to the service, who the connection is included, and the service's URL.
fn connector(
    egress: &Egress,
    plan: &StoredPlan,
    lent: &Lent,
) -> Result<(Connector, String), CloudError> {
    check_switches(NAME, egress, plan)?;
    let bad = |setting| CloudError::Setting { setting };
    let endpoint = plan.plan.endpoints().next().ok_or(bad("endpoint"))?;
    let client = EndpointClient::new(egress, plan).map_err(CloudError::Egress)?;
    let identity = Identity {
        tokens: tokens(&client, plan, lent)?,
        // A token that was given is the only one.
        renewable: plan.secret("bearer-token").is_none() || plan.plan.assumed_roles().count() > 0,
        billed: match plan.plan.setting("billing-project") {
            None => None,
            Some(project) => {
                Some(HeaderValue::from_str(project).map_err(|_| bad("billing project"))?)
            }
        },
    };
    let connector = Connector::new(client, Arc::new(GsDialect), plan);
    Ok((connector.authorized(Arc::new(identity)), url_of(endpoint)))
}

/// The bucket, as far as unfinished uploads go.
#[derive(Debug)]
struct Bucket {
    connector: Connector,
    url: String,
}

#[async_trait]
impl AskBucket for Bucket {
    async fn ask(
        &self,
        method: Method,
        key: &str,
        query: &str,
    ) -> Result<HttpResponse, CloudError> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method;
        let url = match key {
            "" => format!("{}?{query}", self.url),
            // The service takes the whole name as one segment, as it is asked everywhere else.
            key => format!("{}/{}?{query}", self.url, key.replace('/', "%2F")),
        };
        *request.uri_mut() = url.parse().map_err(|_| CloudError::BadName)?;
        self.connector.send(request).await
    }
}

/// The tokens that the plan's credentials are exchanged for, or that the host lends.
fn tokens(
    client: &EndpointClient,
    plan: &StoredPlan,
    lent: &Lent,
) -> Result<GoogleTokens, CloudError> {
    if plan.plan.setting("credentials") != Some("implicit") {
        return Ok(GoogleTokens::of_plan(client, plan, STORAGE_SCOPE)?);
    }
    let environment = lent.environment().ok_or(CloudError::NothingLent)?.clone();
    let tokens = GoogleTokens::lent(client, plan, STORAGE_SCOPE, environment, lent.metadata());
    Ok(tokens?)
}

/// Who the connection is, and who pays.
#[derive(Debug)]
struct Identity {
    tokens: GoogleTokens,
    renewable: bool,
    billed: Option<HeaderValue>,
}

#[async_trait]
impl Authorize for Identity {
    async fn headers(&self, uri: &Uri) -> Result<Vec<(HeaderName, HeaderValue)>, CloudError> {
        let mut headers = vec![(AUTHORIZATION, self.tokens.authorization(uri).await?)];
        if let Some(billed) = &self.billed {
            headers.push((BILLED, billed.clone()));
        }
        Ok(headers)
    }

    fn renew(&self) -> bool {
        self.tokens.forget();
        self.renewable
    }
}
