//! The data plane: `ls`, `cat`, `put`, `get`, `rm`, `cp` on `external://name/path`.
//!
//! Each command opens the connection named in the URL, whole, and works on the path below it. The
//! store that the library gives is confined to the connection, whatever the path says.

pub(crate) mod cat;
pub(crate) mod cp;
pub(crate) mod get;
pub(crate) mod ls;
pub(crate) mod put;
pub(crate) mod rm;

mod progress;

use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use futures::Stream;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use portolan::{Operation, Session};
use portolan_contract::ExternalUrl;

use crate::report::Failure;
use progress::Progress;

/// How much of an object is held before it is sent: one part of a multipart upload.
const PART: usize = 8 * 1024 * 1024;

/// An object store, and the place in it that a URL names.
#[derive(Debug)]
struct Place {
    store: Arc<dyn ObjectStore>,
    path: Path,
    /// `external://name`, for messages and results.
    base: String,
}

impl Place {
    /// Opens the connection that `url` names.
    async fn open(session: &Session, url: &str) -> Result<Self> {
        let parsed: ExternalUrl =
            url.parse()
                .map_err(|error: portolan_contract::ExternalUrlError| Failure {
                    message: error.to_string(),
                    sqlstate: error.sqlstate(),
                    detail: None,
                    hint: Some(error.hint().to_owned()),
                })?;
        let base = format!("external://{}", parsed.name);
        let store = session
            .open(&base, Operation::Transfer)
            .await?
            .into_storage()?
            .object_store();
        let path = object_path(&parsed.path.segments().join("/"))?;
        Ok(Self { store, path, base })
    }

    /// The same, where the URL must name an object.
    async fn object(session: &Session, url: &str) -> Result<Self> {
        let place = Self::open(session, url).await?;
        if place.path.as_ref().is_empty() {
            return Err(Failure::new(
                "22023",
                format!("{} names a connection, not an object", place.base),
            )
            .hint(format!("write the object's path: {}/PATH", place.base))
            .into());
        }
        Ok(place)
    }

    /// The path of `name` below this place.
    fn below(&self, name: &str) -> Result<Path> {
        match self.path.as_ref() {
            "" => object_path(name),
            above => object_path(&format!("{above}/{name}")),
        }
    }

    /// The URL of a path in this connection.
    fn url(&self, path: &Path) -> String {
        format!("{}/{path}", self.base)
    }
}

/// The path that this text is, character by character: nothing is escaped again.
fn object_path(text: &str) -> Result<Path> {
    Path::parse(text).map_err(|_| {
        Failure::new("22023", "the path is not one that an object can have")
            .hint("a path has no empty segment, no `.` and no `..`")
            .into()
    })
}

/// Errors of a store become the library's, which are mapped and scrubbed.
fn mapped(error: object_store::Error) -> anyhow::Error {
    portolan::Error::from(error).into()
}

/// Writes a stream to `place`: at once if it is small, else in parts, which are withdrawn if the
/// stream fails or the command is interrupted. Readers see the whole object or none of it.
async fn upload(
    place: &Place,
    mut content: impl Stream<Item = Result<Bytes>> + Unpin,
    progress: &Progress,
) -> Result<u64> {
    let mut held: Vec<Bytes> = Vec::new();
    let mut size = 0;
    let mut total = 0;
    let mut parts = None;
    while let Some(bytes) = content.try_next().await? {
        progress.advance(bytes.len());
        total += bytes.len() as u64;
        size += bytes.len();
        held.push(bytes);
        if size >= PART {
            let upload = match &mut parts {
                Some(upload) => upload,
                none => none.insert(Parts::begin(place).await?),
            };
            upload.part(std::mem::take(&mut held)).await?;
            size = 0;
        }
    }
    match parts {
        None => {
            place
                .store
                .put(&place.path, held.into_iter().collect::<PutPayload>())
                .await
                .map_err(mapped)?;
        }
        Some(mut upload) => {
            if !held.is_empty() {
                upload.part(held).await?;
            }
            upload.complete().await?;
        }
    }
    Ok(total)
}

/// A multipart upload that is aborted unless it is completed.
struct Parts {
    upload: Box<dyn object_store::MultipartUpload>,
}

impl Parts {
    async fn begin(place: &Place) -> Result<Self> {
        Ok(Self {
            upload: place
                .store
                .put_multipart(&place.path)
                .await
                .map_err(mapped)?,
        })
    }

    async fn part(&mut self, held: Vec<Bytes>) -> Result<()> {
        let outcome = self.upload.put_part(held.into_iter().collect()).await;
        self.or_abort(outcome.map(drop)).await
    }

    async fn complete(&mut self) -> Result<()> {
        let outcome = self.upload.complete().await;
        self.or_abort(outcome.map(drop)).await
    }

    async fn or_abort(&mut self, outcome: object_store::Result<()>) -> Result<()> {
        if let Err(error) = outcome {
            // The first error is the one to tell; what an abort left is found by `doctor`.
            let _ = self.upload.abort().await;
            return Err(mapped(error));
        }
        Ok(())
    }
}
