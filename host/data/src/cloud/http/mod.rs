//! A server of files over HTTP.
//!
//! Of `object_store`'s own store of this kind only the idea is kept: it lists with `Depth: infinity`,
//! which servers refuse, panics on no header that it does not know, and does not tell a server
//! without WebDAV from one that is broken. Here everything is one request of HTTP over the
//! connection's client: `PUT`, `GET`, `HEAD` and `DELETE`, which every such server has; `PROPFIND`,
//! `COPY` and `MKCOL` where it speaks WebDAV, and a failure `0A000` where it does not.
//!
//! * `dialect`: what answers mean.
//! * `read`: `GET` and `HEAD`, ranges and conditions.
//! * `list`: a folder as WebDAV tells it.
//! * `write`: `PUT`, `DELETE`, `COPY`, and the folders on the way.
//! * `upload`: a `PUT` whose body comes in parts.

mod dialect;
mod list;
mod read;
mod upload;
mod write;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Uri};
use object_store::client::{HttpRequestBody, HttpResponse};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use portolan_contract::{ObjectStorePlan, StoredPlan};
use portolan_egress::Egress;
use portolan_egress::http::EndpointClient;
use portolan_secret::SecretText;

use dialect::HttpDialect;
use write::Folders;

use super::authorize::Authorize;
use super::{CloudError, CloudStore, Connector, segment, url_of};

/// The backend's name.
const NAME: &str = "http";

/// How many objects of a stream are deleted at the same time.
const DELETES_AT_ONCE: usize = 10;

/// Builds the store of a plan.
///
/// # Errors
///
/// A setting or a certificate of the plan cannot be used.
pub(crate) fn build(
    egress: &Egress,
    plan: &StoredPlan,
    _: &ObjectStorePlan,
) -> std::result::Result<CloudStore, CloudError> {
    let bad = |setting| CloudError::Setting { setting };
    let endpoint = plan.plan.endpoints().next().ok_or(bad("endpoint"))?;
    let client = EndpointClient::new(egress, plan).map_err(CloudError::Egress)?;
    if plan.plan.setting("timeout").is_some() && client.patience().is_none() {
        return Err(bad("timeout"));
    }
    let base = url_of(endpoint);
    let user = plan.secret("basic");
    let dialect = HttpDialect {
        has_user: user.is_some(),
    };
    let mut connector = Connector::new(client, Arc::new(dialect), plan);
    if let Some(user) = user {
        let own: Uri = base.parse().map_err(|_| bad("endpoint"))?;
        let text = SecretText::new(format!("Basic {}", BASE64_STANDARD.encode(user.expose())));
        let mut value = HeaderValue::from_str(text.expose()).map_err(|_| bad("user"))?;
        value.set_sensitive(true);
        connector = connector.authorized(Arc::new(User { own, value }));
    }
    let store = HttpStore {
        connector,
        base,
        folders: Arc::default(),
    };
    Ok(CloudStore::new(NAME, Arc::new(store)))
}

/// The user of the URI.
#[derive(Debug)]
struct User {
    /// The URI's own scheme and authority.
    own: Uri,
    value: HeaderValue,
}

#[async_trait]
impl Authorize for User {
    async fn headers(
        &self,
        uri: &Uri,
    ) -> std::result::Result<Vec<(HeaderName, HeaderValue)>, CloudError> {
        // Whatever else a plan may have: a user is known to the URI's own server alone.
        match (uri.scheme(), uri.authority()) == (self.own.scheme(), self.own.authority()) {
            true => Ok(vec![(AUTHORIZATION, self.value.clone())]),
            false => Ok(Vec::new()),
        }
    }
}

/// The files of one server. Cheap to clone.
#[derive(Debug, Clone)]
struct HttpStore {
    connector: Connector,
    /// The URL of the server, without a path.
    base: String,
    folders: Arc<Folders>,
}

impl HttpStore {
    fn url(&self, location: &Path) -> String {
        let mut url = self.base.clone();
        for part in location.parts() {
            url.push('/');
            url.push_str(&segment(part.as_ref()));
        }
        url
    }

    /// The URL of a folder, which ends with a `/`.
    fn folder_url(&self, location: &Path) -> String {
        self.url(location) + "/"
    }

    async fn send(
        &self,
        method: Method,
        url: String,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        body: HttpRequestBody,
    ) -> std::result::Result<HttpResponse, CloudError> {
        let mut request = request(method, &url, body)?;
        request.headers_mut().extend(headers);
        self.connector.send(request).await
    }

    fn cannot(&self, operation: &str) -> Error {
        Error::NotImplemented {
            operation: operation.to_owned(),
            implementer: NAME.to_owned(),
        }
    }
}

fn request<B>(
    method: Method,
    url: &str,
    body: B,
) -> std::result::Result<http::Request<B>, CloudError> {
    let mut request = http::Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = url.parse().map_err(|_| CloudError::BadName)?;
    Ok(request)
}

impl fmt::Display for HttpStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait]
impl ObjectStore for HttpStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if options.mode != PutMode::Overwrite {
            // Servers that ignore `If-None-Match` on `PUT` would overwrite and say nothing.
            return Err(self.cannot("write an object only under a condition"));
        }
        if !options.attributes.is_empty() {
            return Err(self.cannot("keep attributes with an object"));
        }
        let put = self.put(location, payload).await;
        put.map_err(|error| error.into_store(NAME, location.as_ref()))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if !options.attributes.is_empty() {
            return Err(self.cannot("keep attributes with an object"));
        }
        let upload = self.upload(location).await;
        let upload = upload.map_err(|error| error.into_store(NAME, location.as_ref()))?;
        Ok(Box::new(upload))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let got = self.get(location, options).await;
        got.map_err(|error| error.into_store(NAME, location.as_ref()))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        locations
            .map(move |location| {
                let this = this.clone();
                async move {
                    let location = location?;
                    let deleted = this.delete_one(&location).await;
                    deleted.map_err(|error| error.into_store(NAME, location.as_ref()))?;
                    Ok(location)
                }
            })
            .buffered(DELETES_AT_ONCE)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.walk(prefix.cloned().unwrap_or_default())
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.cloned().unwrap_or_default();
        let folder = self.folder(&prefix).await;
        let folder = folder.map_err(|error| error.into_store(NAME, prefix.as_ref()))?;
        Ok(ListResult {
            common_prefixes: folder.folders,
            objects: folder.objects,
            extensions: object_store::Extensions::new(),
        })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let overwrite = options.mode == CopyMode::Overwrite;
        let copied = self.copy_one(from, to, overwrite).await;
        copied.map_err(|error| error.into_store(NAME, from.as_ref()))
    }
}
