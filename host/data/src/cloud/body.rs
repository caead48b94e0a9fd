//! Bodies of answers: read whole within bounds, or handed on with errors of our own.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use object_store::client::{HttpError, HttpErrorKind};
use portolan_egress::http::ResponseBody;
use tokio::time::timeout;

use super::CloudError;

/// How long a body that is read whole may take to arrive.
const MOST_TIME: Duration = Duration::from_secs(60);

/// How long the body of a refusal may take: without it the status has to tell.
const MOST_TIME_OF_REFUSAL: Duration = Duration::from_secs(5);

/// The error of a cloud store as `object_store` carries it.
pub(super) fn carried(error: CloudError) -> HttpError {
    // Retries of `object_store` are off, so the kind says nothing to it.
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// Reads a body of at most `most` bytes.
pub(super) async fn whole(
    body: ResponseBody,
    host: &str,
    most: usize,
) -> Result<Bytes, CloudError> {
    let announced = body.size_hint().lower();
    if announced > most as u64 {
        return Err(too_large(host, most));
    }
    match timeout(MOST_TIME, collect(body, host, most)).await {
        Ok(read) => read,
        Err(_) => Err(CloudError::Endless {
            host: host.to_owned(),
            after: MOST_TIME,
        }),
    }
}

async fn collect(mut body: ResponseBody, host: &str, most: usize) -> Result<Bytes, CloudError> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(CloudError::Egress)?.into_data() else {
            continue;
        };
        if read.len() + data.len() > most {
            return Err(too_large(host, most));
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

fn too_large(host: &str, most: usize) -> CloudError {
    CloudError::TooLarge {
        host: host.to_owned(),
        most,
    }
}

/// The beginning of a body, at most `most` bytes: as much as arrives in a short time.
pub(super) async fn beginning(mut body: ResponseBody, most: usize) -> Bytes {
    let mut read = BytesMut::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let left = most - read.len();
            if data.len() >= left {
                read.extend_from_slice(&data[..left]);
                return;
            }
            read.extend_from_slice(&data);
        }
    };
    // What came until then is all that there is.
    let _ = timeout(MOST_TIME_OF_REFUSAL, reading).await;
    read.freeze()
}

/// A body that is handed on as it comes.
#[derive(Debug)]
pub(super) struct Streamed(pub(super) ResponseBody);

impl Body for Streamed {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let polled = Pin::new(&mut self.0).poll_frame(context);
        polled.map(|frame| {
            frame.map(|frame| frame.map_err(|error| carried(CloudError::Egress(error))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
