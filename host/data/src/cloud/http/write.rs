//! `PUT`, `DELETE`, `COPY`, and the folders on the way.

use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use object_store::client::HttpRequestBody;
use object_store::path::Path;
use object_store::{Extensions, PutPayload, PutResult};

use super::HttpStore;
use super::dialect::{COPY, MKCOL};
use crate::cloud::CloudError;

/// Where a copy goes.
const DESTINATION: HeaderName = HeaderName::from_static("destination");

/// Whether a copy may replace what is there.
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");

impl HttpStore {
    pub(super) async fn put(
        &self,
        location: &Path,
        payload: PutPayload,
    ) -> Result<PutResult, CloudError> {
        let mut made_folders = false;
        loop {
            let length = HeaderValue::from(payload.content_length());
            let answer = self
                .send(
                    Method::PUT,
                    self.url(location),
                    [(CONTENT_LENGTH, length)],
                    payload.clone().into(),
                )
                .await?;
            match answer.status() {
                status if status.is_success() => {
                    let tag = answer.headers().get(ETAG);
                    let tag = tag.and_then(|tag| tag.to_str().ok());
                    return Ok(PutResult {
                        e_tag: tag.map(str::to_owned),
                        version: None,
                        extensions: Extensions::new(),
                    });
                }
                // WebDAV says so where a folder on the way is missing; some servers say 404.
                StatusCode::CONFLICT | StatusCode::NOT_FOUND if !made_folders => {
                    made_folders = true;
                    self.make_folders(location).await?;
                }
                StatusCode::NOT_FOUND => return Err(CloudError::Missing),
                _ => return Err(CloudError::Changed),
            }
        }
    }

    pub(super) async fn delete_one(&self, location: &Path) -> Result<(), CloudError> {
        let empty = HttpRequestBody::empty();
        let answer = self
            .send(Method::DELETE, self.url(location), [], empty)
            .await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Err(CloudError::Missing),
            _ => Err(CloudError::Changed),
        }
    }

    pub(super) async fn copy_one(
        &self,
        from: &Path,
        to: &Path,
        overwrite: bool,
    ) -> Result<(), CloudError> {
        let target = HeaderValue::try_from(self.url(to)).map_err(|_| CloudError::BadName)?;
        let overwrite = HeaderValue::from_static(if overwrite { "T" } else { "F" });
        let mut made_folders = false;
        loop {
            let headers = [
                (DESTINATION, target.clone()),
                (OVERWRITE, overwrite.clone()),
            ];
            let empty = HttpRequestBody::empty();
            let answer = self
                .send(method(COPY)?, self.url(from), headers, empty)
                .await?;
            match answer.status() {
                status if status.is_success() => return Ok(()),
                StatusCode::PRECONDITION_FAILED => return Err(CloudError::Exists),
                StatusCode::CONFLICT if !made_folders => {
                    made_folders = true;
                    self.make_folders(to).await?;
                }
                StatusCode::NOT_FOUND => return Err(CloudError::Missing),
                _ => return Err(CloudError::Changed),
            }
        }
    }

    /// Makes the folders that lead to an object, from the outermost on.
    async fn make_folders(&self, location: &Path) -> Result<(), CloudError> {
        let parts: Vec<_> = location.parts().collect();
        for length in 1..parts.len() {
            let folder: Path = parts[..length].iter().cloned().collect();
            let empty = HttpRequestBody::empty();
            // Whatever it answers: the request that needs the folder tells whether it is there.
            self.send(method(MKCOL)?, self.folder_url(&folder), [], empty)
                .await?;
        }
        Ok(())
    }
}

pub(super) fn method(name: &'static str) -> Result<Method, CloudError> {
    Method::from_bytes(name.as_bytes()).map_err(|_| CloudError::Unsupported)
}
