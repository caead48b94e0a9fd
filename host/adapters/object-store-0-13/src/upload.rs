//! A multipart upload.

use async_trait::async_trait;
use futures::FutureExt;
use object_store_0_13::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};

use crate::convert::{newer, older};

/// An upload of 0.14 that speaks 0.13.
#[derive(Debug)]
pub(crate) struct Adapted(pub(crate) Box<dyn object_store::MultipartUpload>);

#[async_trait]
impl MultipartUpload for Adapted {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.0.put_part(newer::payload(data));
        part.map(|put| put.map_err(older::error)).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let completed = self.0.complete().await;
        completed.map(older::put_result).map_err(older::error)
    }

    async fn abort(&mut self) -> Result<()> {
        self.0.abort().await.map_err(older::error)
    }
}
