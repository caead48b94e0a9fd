//! Where a bucket is.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use object_store::ObjectStore;
use object_store::client::{HttpRequest, HttpRequestBody};

use super::credentials::Keys;
use super::dialect::{Discovery, REGION_HEADER, S3Dialect};
use super::settings::Settings;
use super::store::Bucket;
use crate::cloud::{CloudError, Connector, Open};

/// A bucket of which nobody said in which region it is.
#[derive(Debug)]
pub(super) struct Undiscovered {
    pub(super) settings: Settings,
    pub(super) connector: Connector,
    pub(super) keys: Arc<Keys>,
}

#[async_trait]
impl Open for Undiscovered {
    async fn open(&self) -> Result<Arc<dyn ObjectStore>, CloudError> {
        let (settings, connector, dialect) = self.discover().await?;
        let bucket = Bucket::new(&settings, &connector, dialect, &self.keys)?;
        Ok(Arc::new(bucket))
    }
}

impl Undiscovered {
    /// The same bucket in its region.
    pub(super) async fn discover(&self) -> Result<(Settings, Connector, S3Dialect), CloudError> {
        let region = self.region().await?;
        let settings = self.settings.in_region(&region)?;
        let client = self
            .connector
            .client()
            .with_endpoint(&settings.endpoint.host, settings.endpoint.port)
            .map_err(CloudError::Egress)?;
        let dialect = S3Dialect {
            region,
            bucket_in_custom_host: false,
        };
        let connector = self
            .connector
            .clone()
            .with_client(client)
            .with_dialect(Arc::new(dialect.clone()));
        Ok((settings, connector, dialect))
    }

    /// Asks the bucket without a signature, which S3 answers to everybody.
    async fn region(&self) -> Result<String, CloudError> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = Method::HEAD;
        let unusable = CloudError::Setting {
            setting: "endpoint",
        };
        *request.uri_mut() = self.settings.url().parse().map_err(|_| unusable)?;
        let connector = self.connector.clone().with_dialect(Arc::new(Discovery));
        let answer = connector.send(request).await?;
        let region = answer.headers().get(REGION_HEADER);
        let region = region.and_then(|region| region.to_str().ok());
        match region {
            Some(region) if super::is_label(region) => Ok(region.to_owned()),
            _ => Err(CloudError::NoRegion),
        }
    }
}
