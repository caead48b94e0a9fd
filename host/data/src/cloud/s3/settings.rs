//! What a plan says of its bucket.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portolan_contract::{Endpoint, ObjectStorePlan, StoredPlan};

use crate::cloud::{CloudError, url_of};

/// What S3 leaves as it is in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The region of a bucket of which nobody said where it is.
const USUAL_REGION: &str = "us-east-1";

/// The settings of a plan, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    /// The bucket's name, escaped as a segment of a path.
    pub(super) bucket: String,
    pub(super) path_style: bool,
    /// The region that the plan names.
    pub(super) region: Option<String>,
    /// Whether the bucket has to be asked for its region.
    pub(super) discovery: bool,
    pub(super) storage_class: Option<String>,
    encryption: Option<String>,
    kms_key: Option<String>,
    /// Whether the server takes no checksums but those that every server takes.
    pub(super) skip_checksum: bool,
}

impl Settings {
    pub(super) fn of(plan: &StoredPlan, target: &ObjectStorePlan) -> Result<Self, CloudError> {
        let setting = |name| plan.plan.setting(name).map(str::to_owned);
        let bad = |setting| CloudError::Setting { setting };
        let endpoint = plan.plan.endpoints().next().ok_or(bad("endpoint"))?;
        let settings = Self {
            endpoint: endpoint.clone(),
            bucket: utf8_percent_encode(&target.container, SEGMENT).to_string(),
            path_style: setting("path-style").as_deref() == Some("true"),
            region: setting("region"),
            discovery: setting("region-discovery").as_deref() == Some("true"),
            storage_class: setting("storage-class"),
            encryption: setting("server-side-encryption"),
            kms_key: setting("kms-key"),
            skip_checksum: setting("checksum").as_deref() == Some("skip"),
        };
        if target.container.is_empty() {
            return Err(bad("bucket"));
        }
        // Both become parts of a host's name or of a header.
        if settings
            .region
            .as_deref()
            .is_some_and(|region| !super::is_label(region))
        {
            return Err(bad("region"));
        }
        for (text, name) in [
            (&settings.storage_class, "storage class"),
            (&settings.kms_key, "encryption key"),
        ] {
            if let Some(text) = text
                && http::HeaderValue::from_str(text).is_err()
            {
                return Err(bad(name));
            }
        }
        Ok(settings)
    }

    /// The region that requests are signed for, if the plan names one or needs none.
    pub(super) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or(USUAL_REGION)
    }

    /// The bucket's URL.
    pub(super) fn url(&self) -> String {
        let url = url_of(&self.endpoint);
        match self.path_style {
            true => format!("{url}/{}", self.bucket),
            false => url,
        }
    }

    /// The same in the region where the bucket was found to be: the regional server of AWS has the
    /// region after `s3`.
    pub(super) fn in_region(&self, region: &str) -> Result<Self, CloudError> {
        let bad = CloudError::Setting {
            setting: "endpoint",
        };
        let (bucket, rest) = match self.endpoint.host.strip_prefix("s3.") {
            Some(rest) => ("", rest),
            None => match self.endpoint.host.rsplit_once(".s3.") {
                Some((bucket, rest)) => (bucket, rest),
                None => return Err(bad),
            },
        };
        let dot = match bucket.is_empty() {
            true => "",
            false => ".",
        };
        let mut settings = self.clone();
        settings.endpoint.host = format!("{bucket}{dot}s3.{region}.{rest}");
        settings.region = Some(region.to_owned());
        settings.discovery = false;
        Ok(settings)
    }

    /// A builder with everything but connector and credentials.
    pub(super) fn builder(&self) -> AmazonS3Builder {
        let mut builder = AmazonS3Builder::new()
            .with_endpoint(self.url())
            // The URL is whole as it is, the bucket included.
            .with_virtual_hosted_style_request(true)
            .with_bucket_name(&self.bucket)
            .with_region(self.region())
            // What it deletes is one object; many are deleted by a request of ours.
            .with_disable_bulk_delete(true);
        if !self.skip_checksum {
            // The hash is made for the signature anyway.
            builder = builder.with_checksum_algorithm(Checksum::SHA256);
        }
        let encryption = [
            ("aws_server_side_encryption", &self.encryption),
            ("aws_sse_kms_key_id", &self.kms_key),
        ];
        for (key, value) in encryption {
            if let (Some(value), Ok(key)) = (value, key.parse::<AmazonS3ConfigKey>()) {
                builder = builder.with_config(key, value);
            }
        }
        builder
    }
}

#[cfg(test)]
mod tests {
    use portolan_contract::{PLAN_FORMAT, Plan, PlanEntry, RuleContext};

    use super::*;

    fn settings(
        bucket: &str,
        host: &str,
        entries: &[(&str, &str)],
    ) -> Result<Settings, CloudError> {
        let target = ObjectStorePlan {
            backend: "s3".to_owned(),
            container: bucket.to_owned(),
            prefix: String::new(),
        };
        let mut plan = vec![PlanEntry::Endpoint(Endpoint {
            host: host.to_owned(),
            port: 443,
            tls_profile: Some("server".to_owned()),
        })];
        for (name, value) in entries {
            plan.push(PlanEntry::Setting((*name).to_owned(), (*value).to_owned()));
        }
        let plan = StoredPlan {
            format: PLAN_FORMAT,
            provider: "s3".to_owned(),
            provider_version: "0.1.0".parse().expect("a version"),
            plan: Plan { entries: plan },
            context: RuleContext::default(),
            secrets: Vec::new(),
            places: Vec::new(),
        };
        Settings::of(&plan, &target)
    }

    #[test]
    fn the_bucket_is_in_the_host_or_an_escaped_segment_of_the_path() {
        let url = |bucket, host, style| {
            settings(bucket, host, &[("path-style", style)])
                .expect("settings")
                .url()
        };
        assert_eq!(
            url("b", "b.s3.eu-north-1.amazonaws.com", "false"),
            "https://b.s3.eu-north-1.amazonaws.com"
        );
        assert_eq!(
            url("a/../b?c", "minio.example", "true"),
            "https://minio.example/a%2F..%2Fb%3Fc"
        );
        assert_eq!(url("b", "::1", "true"), "https://[::1]/b");
    }

    #[test]
    fn a_region_that_was_found_stands_behind_s3_in_the_host() {
        for (host, expected) in [
            ("b.s3.amazonaws.com", Some("b.s3.eu-west-1.amazonaws.com")),
            ("s3.amazonaws.com", Some("s3.eu-west-1.amazonaws.com")),
            (
                "a.s3.b.s3.amazonaws.com",
                Some("a.s3.b.s3.eu-west-1.amazonaws.com"),
            ),
            ("minio.example", None),
        ] {
            let found = settings("b", host, &[("region-discovery", "true")])
                .expect("settings")
                .in_region("eu-west-1");
            let host = found.ok().map(|settings| settings.endpoint.host);
            assert_eq!(host.as_deref(), expected, "{host:?}");
        }
    }

    #[test]
    fn what_would_be_more_than_a_part_of_a_host_or_header_is_refused() {
        for (name, value, setting) in [
            ("region", "eu.evil.example/", "region"),
            ("region", "", "region"),
            ("storage-class", "A\r\nB: c", "storage class"),
            ("kms-key", "k\n", "encryption key"),
        ] {
            let refused = settings("b", "h", &[(name, value)]);
            assert_eq!(refused, Err(CloudError::Setting { setting }), "{name}");
        }
        assert!(settings("", "h", &[]).is_err());
    }
}
