//! Where a bucket is served.

use url::Url;

use crate::bindings::portolan::types::types::Failure;
use crate::options::{Options, refused};

/// The server of a bucket.
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encrypted: bool,
    /// Whether the bucket stands in the path of a request; otherwise it is a label of the host.
    pub(crate) by_path: bool,
    /// Absent where the bucket has to be asked.
    pub(crate) region: Option<String>,
    pub(crate) is_aws: bool,
}

impl Server {
    /// The server that the options mean. A bucket that is no DNS label cannot stand in a host.
    pub(crate) fn of(bucket: &str, by_path: bool, options: &Options<'_>) -> Result<Self, Failure> {
        let by_path = by_path || !is_label(bucket);
        let region = options.text("AWS_REGION");
        if region.is_some_and(|region| !is_label(region)) {
            return Err(refused("AWS_REGION is the name of no region").of_option("AWS_REGION"));
        }
        let below = |host: &str| {
            if by_path {
                host.to_owned()
            } else {
                format!("{bucket}.{host}")
            }
        };
        let Some(endpoint) = options.text("AWS_ENDPOINT") else {
            let host = region.map_or_else(
                || "s3.amazonaws.com".to_owned(),
                |region| format!("s3.{region}.amazonaws.com"),
            );
            return Ok(Self {
                host: below(&host),
                port: 443,
                encrypted: true,
                by_path,
                region: region.map(str::to_owned),
                is_aws: true,
            });
        };
        let url = endpoint_url(endpoint)
            .ok_or_else(|| refused("AWS_ENDPOINT is no URL").of_option("AWS_ENDPOINT"))?;
        let encrypted = url.scheme() == "https";
        Ok(Self {
            host: below(url.host_str().unwrap_or_default()),
            port: url.port_or_known_default().unwrap_or(443),
            encrypted,
            by_path,
            // Other servers have no regions; the signature needs one all the same.
            region: Some(region.unwrap_or("us-east-1").to_owned()),
            is_aws: false,
        })
    }

    /// The host of the service that hands out the credentials of roles.
    pub(crate) fn token_service(&self) -> String {
        match (&self.region, self.is_aws) {
            (Some(region), true) => format!("sts.{region}.amazonaws.com"),
            _ => "sts.amazonaws.com".to_owned(),
        }
    }

    /// The manifest's request that asks for the region.
    pub(crate) fn region_request(&self) -> &'static str {
        if self.by_path {
            "bucket-region-by-path"
        } else {
            "bucket-region"
        }
    }
}

/// `https` is meant where no scheme stands.
fn endpoint_url(text: &str) -> Option<Url> {
    let url = if text.contains("://") {
        Url::parse(text)
    } else {
        Url::parse(&format!("https://{text}"))
    }
    .ok()?;
    let known = matches!(url.scheme(), "http" | "https");
    (known && url.has_host()).then_some(url)
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}
