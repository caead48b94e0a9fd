//! The requests for unfinished uploads, signed.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};
use sha2::{Digest, Sha256};

use super::credentials::Keys;
use super::region::Undiscovered;
use super::settings::Settings;
use super::signer::Signer;
use crate::cloud::uploads::AskBucket;
use crate::cloud::{CloudError, Connector};

/// A bucket, or one that has yet to say where it is.
#[derive(Debug)]
pub(super) enum Place {
    Known(Requests),
    Undiscovered(Undiscovered),
}

#[async_trait]
impl AskBucket for Place {
    async fn ask(
        &self,
        method: Method,
        key: &str,
        query: &str,
    ) -> Result<HttpResponse, CloudError> {
        match self {
            Self::Known(requests) => requests.send(method, key, query).await,
            Self::Undiscovered(bucket) => {
                let (settings, connector, _) = bucket.discover().await?;
                let requests = Requests::new(&settings, &connector, &bucket.keys);
                requests.send(method, key, query).await
            }
        }
    }
}

/// Requests to one bucket.
#[derive(Debug)]
pub(super) struct Requests {
    connector: Connector,
    signer: Signer,
    url: String,
}

impl Requests {
    pub(super) fn new(settings: &Settings, connector: &Connector, keys: &Arc<Keys>) -> Self {
        Self {
            connector: connector.clone(),
            signer: Signer::new(keys, settings),
            url: settings.url(),
        }
    }

    async fn send(
        &self,
        method: Method,
        key: &str,
        query: &str,
    ) -> Result<HttpResponse, CloudError> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method;
        let url = format!("{}/{key}?{query}", self.url);
        *request.uri_mut() = url.parse().map_err(|_| CloudError::BadName)?;
        self.signer.sign(&mut request, &Sha256::digest([])).await?;
        self.connector.send(request).await
    }
}
