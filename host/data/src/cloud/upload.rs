//! One upload in parts.

use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use tokio::runtime::Handle;

use super::CloudError;
use super::error::own;

/// An upload whose errors are all ours, and that is given up where it is dropped before its end: a
/// service keeps the parts of one that is not, and has them paid for, without showing them in a list.
///
/// Giving up takes a request, for which nobody waits. Where the process or its runtime ends before
/// the answer, the parts stay, as after a kill.
#[derive(Debug)]
pub(super) struct CloudUpload {
    /// None once it is complete or given up.
    upload: Option<Box<dyn MultipartUpload>>,
    name: &'static str,
    location: Path,
    /// Where it was begun.
    runtime: Option<Handle>,
}

impl CloudUpload {
    pub(super) fn new(
        name: &'static str,
        location: &Path,
        upload: Box<dyn MultipartUpload>,
    ) -> Self {
        Self {
            upload: Some(upload),
            name,
            location: location.clone(),
            runtime: Handle::try_current().ok(),
        }
    }

    fn own(&self) -> impl Fn(Error) -> Error + use<> {
        let name = self.name;
        let path = self.location.to_string();
        move |error| own(error, name, &path)
    }

    /// The upload, while it goes on.
    fn going(&mut self) -> Result<&mut Box<dyn MultipartUpload>> {
        let ended = || CloudError::Changed.into_store(self.name, self.location.as_ref());
        self.upload.as_mut().ok_or_else(ended)
    }
}

#[async_trait]
impl MultipartUpload for CloudUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let own = self.own();
        match self.going() {
            Ok(upload) => upload.put_part(data).map(|put| put.map_err(own)).boxed(),
            Err(ended) => futures::future::err(ended).boxed(),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let own = self.own();
        let put = self.going()?.complete().await.map_err(own)?;
        self.upload = None;
        Ok(put)
    }

    async fn abort(&mut self) -> Result<()> {
        let own = self.own();
        self.going()?.abort().await.map_err(own)?;
        self.upload = None;
        Ok(())
    }
}

impl Drop for CloudUpload {
    fn drop(&mut self) {
        if let (Some(mut upload), Some(runtime)) = (self.upload.take(), &self.runtime) {
            // Nobody is there to be told what came of it.
            runtime.spawn(async move { upload.abort().await });
        }
    }
}
