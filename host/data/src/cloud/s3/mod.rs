//! S3, and what speaks like it.
//!
//! Credentials are always given to `object_store` as a provider of ours: its builder then reads no
//! environment, no profile and no metadata service, and `AmazonS3Builder::new` reads nothing
//! either (only `from_env` does).
//!
//! * `settings`: what a plan says of its bucket. `credentials`: whose keys sign.
//! * `dialect`: what answers of S3 mean.
//! * `region`: asking the bucket where it is. `store`: the bucket itself. `delete`: many objects at
//!   once.

mod credentials;
mod delete;
mod dialect;
mod region;
mod settings;
mod store;

use std::sync::Arc;

use object_store::aws::AwsCredentialProvider;
use portolan_contract::{ObjectStorePlan, Plan, StoredPlan};
use portolan_egress::Egress;
use portolan_egress::http::EndpointClient;

use credentials::Keys;
use dialect::S3Dialect;
use region::Undiscovered;
use settings::Settings;
use store::Bucket;

use super::{CloudError, CloudStore, Connector, Lent, check_switches};

/// The backend's name.
const NAME: &str = "s3";

/// Builds the store of a plan.
///
/// # Errors
///
/// A setting or a certificate of the plan cannot be used, or the operator does not allow what the
/// plan asks for.
pub(crate) fn build(
    egress: &Egress,
    plan: &StoredPlan,
    target: &ObjectStorePlan,
    lent: &Lent,
) -> Result<CloudStore, CloudError> {
    check_switches(NAME, egress, plan)?;
    let settings = Settings::of(plan, target)?;
    let client = EndpointClient::new(egress, plan).map_err(CloudError::Egress)?;
    let keys = Keys::of(plan, &settings, &client, lent)?;
    let credentials: AwsCredentialProvider = Arc::new(keys);
    let dialect = S3Dialect {
        region: settings.region().to_owned(),
        bucket_in_custom_host: has_bucket_in_custom_host(&plan.plan),
    };
    let connector = Connector::new(client, Arc::new(dialect.clone()), plan);
    if settings.discovery {
        let bucket = Undiscovered {
            settings,
            connector,
            credentials,
        };
        return Ok(CloudStore::opening(NAME, Arc::new(bucket)).deleting_many());
    }
    let bucket = Bucket::new(&settings, &connector, dialect, &credentials)?;
    Ok(CloudStore::new(NAME, Arc::new(bucket)).deleting_many())
}

/// Whether a plan has its bucket before the host of a server that is not AWS's.
pub(super) fn has_bucket_in_custom_host(plan: &Plan) -> bool {
    plan.setting("custom-endpoint") == Some("true") && plan.setting("path-style") != Some("true")
}

/// What to do about such a host, before what anybody else advises.
pub(super) fn path_style_first(otherwise: &str) -> String {
    format!(
        "if the server has its buckets in the path, as MinIO does, write AWS_USE_PATH_STYLE=true; \
         else {otherwise}"
    )
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
