//! `PUT`, `DELETE`, `COPY`, and the folders on the way.
//!
//! WebDAV has a client make the folders, and a server that does not may answer that it is broken.
//! So they are made before something is written below them; which were made is remembered.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use object_store::client::HttpRequestBody;
use object_store::path::Path;
use object_store::{Extensions, PutPayload, PutResult};

use super::HttpStore;
use super::dialect::{COPY, MKCOL};
use super::list::{DEPTH, Place};
use crate::cloud::CloudError;

/// Where a copy goes.
const DESTINATION: HeaderName = HeaderName::from_static("destination");

/// Whether a copy may replace what is there.
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");

/// How many folders are remembered.
const MOST_FOLDERS: usize = 10_000;

/// The folders that are known to be there.
#[derive(Debug, Default)]
pub(super) struct Folders(Mutex<HashSet<Path>>);

impl Folders {
    fn contains(&self, folder: &Path) -> bool {
        self.lock().contains(folder)
    }

    fn insert(&self, folder: Path) {
        let mut folders = self.lock();
        if folders.len() == MOST_FOLDERS {
            folders.clear();
        }
        folders.insert(folder);
    }

    fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Path>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpStore {
    pub(super) async fn put(
        &self,
        location: &Path,
        payload: PutPayload,
    ) -> Result<PutResult, CloudError> {
        let mut again = true;
        loop {
            self.make_folders(location).await?;
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
                StatusCode::CONFLICT | StatusCode::NOT_FOUND if again => self.folders.forget(),
                StatusCode::CONFLICT | StatusCode::NOT_FOUND => return Err(CloudError::InTheWay),
                _ => return Err(CloudError::Changed),
            }
            again = false;
        }
    }

    /// Deletes an object. WebDAV would delete a folder of that name with all that is in it, so it
    /// is asked first.
    pub(super) async fn delete_one(&self, location: &Path) -> Result<(), CloudError> {
        if matches!(self.place(location).await?, Place::Nothing | Place::Folder) {
            return Err(CloudError::Missing);
        }
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

    /// Copies an object. Over a folder, WebDAV would delete the folder; and of one, depth 0 leaves
    /// behind what is in it.
    pub(super) async fn copy_one(
        &self,
        from: &Path,
        to: &Path,
        overwrite: bool,
    ) -> Result<(), CloudError> {
        if matches!(self.place(from).await?, Place::Nothing | Place::Folder) {
            return Err(CloudError::Missing);
        }
        if matches!(self.place(to).await?, Place::Folder) {
            return Err(CloudError::InTheWay);
        }
        let target = HeaderValue::try_from(self.url(to)).map_err(|_| CloudError::BadName)?;
        let overwrite = HeaderValue::from_static(if overwrite { "T" } else { "F" });
        let mut again = true;
        loop {
            self.make_folders(to).await?;
            let headers = [
                (DESTINATION, target.clone()),
                (OVERWRITE, overwrite.clone()),
                (DEPTH, HeaderValue::from_static("0")),
            ];
            let empty = HttpRequestBody::empty();
            let answer = self
                .send(method(COPY)?, self.url(from), headers, empty)
                .await?;
            match answer.status() {
                status if status.is_success() => return Ok(()),
                StatusCode::PRECONDITION_FAILED => return Err(CloudError::Exists),
                StatusCode::CONFLICT if again => self.folders.forget(),
                StatusCode::CONFLICT => return Err(CloudError::InTheWay),
                StatusCode::NOT_FOUND => return Err(CloudError::Missing),
                _ => return Err(CloudError::Changed),
            }
            again = false;
        }
    }

    /// Makes the folders that lead to an object, from the outermost on, but for those that are known.
    pub(super) async fn make_folders(&self, location: &Path) -> Result<(), CloudError> {
        let parts: Vec<_> = location.parts().collect();
        for length in 1..parts.len() {
            let folder: Path = parts[..length].iter().cloned().collect();
            if self.folders.contains(&folder) {
                continue;
            }
            let empty = HttpRequestBody::empty();
            let made = self.send(method(MKCOL)?, self.folder_url(&folder), [], empty);
            match made.await {
                // Whatever it answers: a folder may be there already, or none be needed. The request
                // that needs it tells.
                Ok(_) | Err(CloudError::Refused(_)) => self.folders.insert(folder),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

pub(super) fn method(name: &'static str) -> Result<Method, CloudError> {
    Method::from_bytes(name.as_bytes()).map_err(|_| CloudError::Unsupported)
}
