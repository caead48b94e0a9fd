//! S3, and what speaks like it.
//!
//! Credentials are always given to `object_store` as a provider of ours: its builder then reads no
//! environment, no profile and no metadata service, and `AmazonS3Builder::new` reads nothing
//! either (only `from_env` does).
//!
//! * `settings`: what a plan says of its bucket. `credentials`: whose keys sign.
//! * `dialect`: what answers of S3 mean.
//! * `region`: asking the bucket where it is. `store`: the bucket itself.
//! * `delete`: many objects at once. `uploads`: what unfinished uploads left. `signer`: signs these
//!   requests, which `object_store` does not know.

mod credentials;
mod delete;
mod dialect;
mod region;
mod settings;
mod signer;
mod store;
mod uploads;

use std::sync::Arc;

use portolan_contract::{ObjectStorePlan, Plan, StoredPlan};
use portolan_egress::Egress;
use portolan_egress::http::EndpointClient;

use credentials::Keys;
use dialect::S3Dialect;
use region::Undiscovered;
use settings::Settings;
use store::Bucket;
use uploads::{Place, Requests};

use super::uploads::XmlUploads;
use super::{CloudError, CloudStore, Connector, Lent, check_switches};
use crate::UnfinishedUploads;

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
    let found = Found::of(egress, plan, target, lent)?;
    if found.settings.discovery {
        let bucket = Arc::new(found.undiscovered());
        return Ok(CloudStore::opening(NAME, bucket).deleting_many());
    }
    let Found {
        settings,
        connector,
        dialect,
        keys,
    } = found;
    let bucket = Bucket::new(&settings, &connector, dialect, &keys)?;
    Ok(CloudStore::new(NAME, Arc::new(bucket)).deleting_many())
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
    let found = Found::of(egress, plan, target, lent)?;
    let place = match found.settings.discovery {
        true => Place::Undiscovered(found.undiscovered()),
        false => Place::Known(Requests::new(
            &found.settings,
            &found.connector,
            &found.keys,
        )),
    };
    Ok(Arc::new(XmlUploads::new(NAME, place)))
}

/// What a plan says of its bucket, and the way there.
struct Found {
    settings: Settings,
    connector: Connector,
    dialect: S3Dialect,
    keys: Arc<Keys>,
}

impl Found {
    fn of(
        egress: &Egress,
        plan: &StoredPlan,
        target: &ObjectStorePlan,
        lent: &Lent,
    ) -> Result<Self, CloudError> {
        check_switches(NAME, egress, plan)?;
        let settings = Settings::of(plan, target)?;
        let client = EndpointClient::new(egress, plan).map_err(CloudError::Egress)?;
        let keys = Keys::of(plan, &settings, &client, lent)?;
        let dialect = S3Dialect {
            region: settings.region().to_owned(),
            bucket_in_custom_host: has_bucket_in_custom_host(&plan.plan),
        };
        Ok(Self {
            connector: Connector::new(client, Arc::new(dialect.clone()), plan),
            settings,
            dialect,
            keys: Arc::new(keys),
        })
    }

    fn undiscovered(self) -> Undiscovered {
        Undiscovered {
            settings: self.settings,
            connector: self.connector,
            keys: self.keys,
        }
    }
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
