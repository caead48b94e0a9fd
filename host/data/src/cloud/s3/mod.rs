//! S3, and what speaks like it.
//!
//! Credentials are always given to `object_store` as a provider of ours: its builder then reads no
//! environment, no profile and no metadata service, and `AmazonS3Builder::new` reads nothing
//! either (only `from_env` does).
//!
//! * `dialect`: what answers of S3 mean.

mod dialect;

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AwsCredential, AwsCredentialProvider, S3ConditionalPut};
use object_store::{ClientOptions, ObjectStore, StaticCredentialProvider};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portolan_contract::{ObjectStorePlan, StoredPlan};
use portolan_egress::Egress;
use portolan_egress::http::EndpointClient;

use dialect::S3Dialect;

use super::{CloudError, CloudStore, Connector, no_retries, secret_text, url_of};

/// The backend's name.
const NAME: &str = "s3";

/// What S3 leaves as it is in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Builds the store of a plan.
///
/// # Errors
///
/// A setting or a certificate of the plan cannot be used.
pub(crate) fn build(
    egress: &Egress,
    plan: &StoredPlan,
    target: &ObjectStorePlan,
) -> Result<CloudStore, CloudError> {
    let setting = |name| plan.plan.setting(name);
    let bad = |setting| CloudError::Setting { setting };
    let endpoint = plan.plan.endpoints().next().ok_or(bad("endpoint"))?;
    let region = setting("region").unwrap_or("us-east-1").to_owned();
    if !is_label(&region) {
        return Err(bad("region"));
    }
    let client = EndpointClient::new(egress, plan).map_err(CloudError::Egress)?;
    let dialect = S3Dialect {
        region: region.clone(),
    };
    let connector = Connector::new(client, Arc::new(dialect), plan);
    let bucket = utf8_percent_encode(&target.container, SEGMENT).to_string();
    let mut url = url_of(endpoint);
    if setting("path-style") == Some("true") {
        url = format!("{url}/{bucket}");
    }
    let key_id = setting("access-key-id").ok_or(bad("access-key-id"))?;
    let secret = secret_text(plan, "secret-access-key")?.ok_or(bad("secret-access-key"))?;
    let credentials: AwsCredentialProvider =
        Arc::new(StaticCredentialProvider::new(AwsCredential {
            key_id: key_id.to_owned(),
            secret_key: secret,
            token: secret_text(plan, "session-token")?,
        }));
    let store = AmazonS3Builder::new()
        .with_http_connector(connector)
        .with_retry(no_retries())
        .with_client_options(ClientOptions::new().with_allow_http(endpoint.tls_profile.is_none()))
        .with_endpoint(url)
        // The URL is whole as it is.
        .with_virtual_hosted_style_request(true)
        .with_bucket_name(bucket)
        .with_region(region)
        .with_credentials(credentials)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .build()
        .map_err(|_| bad("settings"))?;
    Ok(CloudStore::new(
        NAME,
        Arc::new(store) as Arc<dyn ObjectStore>,
    ))
}

/// Whether a text is one DNS label, so that it can be a part of a host's name.
fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}
