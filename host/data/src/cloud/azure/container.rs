//! Requests to one container that `object_store` does not know, or that are made otherwise here.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method};
use object_store::azure::{AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody, HttpResponse};

use crate::cloud::{CloudError, Connector, segment};

/// One container. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) connector: Connector,
    pub(super) credential: Arc<AzureCredential>,
    pub(super) account: String,
    /// Its URL.
    pub(super) url: String,
}

impl Container {
    /// The URL of a blob; without a name that of the container.
    pub(super) fn url_of(&self, name: &str) -> String {
        let mut url = self.url.clone();
        if !name.is_empty() {
            for part in name.split('/') {
                url.push('/');
                url.push_str(&segment(part));
            }
        }
        url
    }

    /// Sends a request without a body about a blob, or without a name about the container.
    pub(super) async fn send(
        &self,
        method: Method,
        name: &str,
        query: &str,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Result<HttpResponse, CloudError> {
        let mut url = self.url_of(name);
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().map_err(|_| CloudError::BadName)?;
        request.headers_mut().extend(headers);
        AzureAuthorizer::new(&self.credential, &self.account)
            .try_authorize(&mut request)
            .map_err(|_| CloudError::Setting { setting: "key" })?;
        self.connector.send(request).await
    }
}
