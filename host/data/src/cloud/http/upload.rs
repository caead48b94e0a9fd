//! A `PUT` whose body comes in parts.
//!
//! HTTP knows no parts of an object. So they become one body, sent while they come: what is held is
//! the parts that nobody has waited for yet. A server puts an object in its place when its body has
//! ended; one that breaks off, because the upload was given up or dropped, is none.

use std::fmt;

use async_trait::async_trait;
use futures::future::{BoxFuture, Shared};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use http::Method;
use http::header::ETAG;
use http_body::Frame;
use http_body_util::StreamBody;
use object_store::path::Path;
use object_store::{Extensions, MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use portolan_egress::http::{BodyError, RequestBody};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::{HttpStore, NAME, request};
use crate::cloud::CloudError;

/// What the body is made of, in order.
enum Piece {
    /// A part, and whom to tell that it was taken.
    Part(PutPayload, oneshot::Sender<()>),
    /// There are no more, and whom to tell that this is known.
    End(oneshot::Sender<()>),
}

/// The tag of the object, where the server tells one.
type Put = std::result::Result<Option<String>, CloudError>;

/// An upload on its way.
pub(super) struct Upload {
    location: Path,
    pieces: mpsc::UnboundedSender<Piece>,
    put: Shared<BoxFuture<'static, Put>>,
    task: AbortHandle,
}

impl HttpStore {
    /// Begins an upload. Its body cannot be sent again, so the folders on the way are made first.
    pub(super) async fn upload(&self, location: &Path) -> std::result::Result<Upload, CloudError> {
        self.make_folders(location).await?;
        let (pieces, taken) = mpsc::unbounded_channel();
        let (head, ()) = request(Method::PUT, &self.url(location), ())?.into_parts();
        let connector = self.connector.clone();
        let task = self.runtime()?.spawn(async move {
            let answer = connector.send_once(&head, body(taken)).await?;
            if !answer.status().is_success() {
                return Err(CloudError::InTheWay);
            }
            let tag = answer.headers().get(ETAG);
            Ok(tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned))
        });
        Ok(Upload {
            location: location.clone(),
            pieces,
            task: task.abort_handle(),
            put: task
                .map(|ended| ended.unwrap_or(Err(CloudError::Unreadable)))
                .boxed()
                .shared(),
        })
    }

    /// Where connections are kept, uploads go on.
    fn runtime(&self) -> std::result::Result<Handle, CloudError> {
        let options = self.connector.client().egress().options();
        match &options.runtime {
            Some(runtime) => Ok(runtime.clone()),
            None => Handle::try_current().map_err(|_| CloudError::Unsupported),
        }
    }
}

/// The body that the pieces make. Without an end it is an error, so that nothing is taken for the
/// whole that is not.
fn body(pieces: mpsc::UnboundedReceiver<Piece>) -> RequestBody {
    // A part counts as taken when what follows it is asked for.
    let begin = (pieces, None::<oneshot::Sender<()>>);
    let parts = stream::unfold(begin, |(mut pieces, taken)| async move {
        if let Some(taken) = taken {
            // Nobody may wait for it any more.
            let _ = taken.send(());
        }
        let (part, taken): (BoxStream<'static, _>, _) = match pieces.recv().await {
            Some(Piece::End(taken)) => {
                let _ = taken.send(());
                return None;
            }
            Some(Piece::Part(part, taken)) => {
                let frames = part.into_iter().map(|bytes| Ok(Frame::data(bytes)));
                (stream::iter(frames).boxed(), Some(taken))
            }
            None => {
                let given_up = Err(BodyError::from("the upload was given up"));
                (stream::iter([given_up]).boxed(), None)
            }
        };
        Some((part, (pieces, taken)))
    });
    RequestBody::new(StreamBody::new(parts.flatten()))
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (taken, told) = oneshot::channel();
        // Where the request has ended already, nobody is told.
        let _ = self.pieces.send(Piece::Part(data, taken));
        let (put, location) = (self.put.clone(), self.location.clone());
        async move {
            if told.await.is_ok() {
                return Ok(());
            }
            // An answer before the end: a failure, or a success that cannot be one.
            let error = put.await.err().unwrap_or(CloudError::Unreadable);
            Err(error.into_store(NAME, location.as_ref()))
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (taken, told) = oneshot::channel();
        let _ = self.pieces.send(Piece::End(taken));
        let put = match (self.put.clone().await, told.await) {
            // A success before the end cannot be one.
            (Ok(_), Err(_)) => Err(CloudError::Unreadable),
            (put, _) => put,
        };
        let e_tag = put.map_err(|error| error.into_store(NAME, self.location.as_ref()))?;
        Ok(PutResult {
            e_tag,
            version: None,
            extensions: Extensions::new(),
        })
    }

    async fn abort(&mut self) -> Result<()> {
        self.task.abort();
        // No piece comes any more, so that the body breaks off.
        self.pieces = mpsc::unbounded_channel().0;
        // What the server was about to answer is of no interest.
        let _ = self.put.clone().await;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").finish_non_exhaustive()
    }
}
