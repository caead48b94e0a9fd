//! Bodies that are sent: a server that does not read, and a source that is slow.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use http::Request;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use portolan_contract::FailureClass;
use portolan_egress::http::{BodyError, RequestBody};
use portolan_egress::{Egress, EgressError};
use tokio::io::AsyncWriteExt;

use crate::server::{HELLO, Server, read_head, until_closed};
use crate::support::{SECRET, SHORT, assert_failure, client, host, options};

/// A body without end; tells how many frames were taken, and when it is dropped.
struct Endless {
    taken: Arc<AtomicUsize>,
    dropped: Arc<AtomicBool>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.taken.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16384])))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::SeqCst);
    }
}

fn endless() -> (RequestBody, Arc<AtomicUsize>, Arc<AtomicBool>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let dropped = Arc::new(AtomicBool::new(false));
    let body = Endless {
        taken: Arc::clone(&taken),
        dropped: Arc::clone(&dropped),
    };
    (body.boxed_unsync(), taken, dropped)
}

fn put(port: u16, body: RequestBody) -> Request<RequestBody> {
    Request::put(format!("http://server.test:{port}/{SECRET}"))
        .body(body)
        .expect("a request")
}

/// Waits until a flag is set, for a few limits.
async fn set(flag: &AtomicBool) -> bool {
    let began = Instant::now();
    while began.elapsed() < SHORT * 5 {
        if flag.load(Ordering::SeqCst) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_server_that_never_reads_is_silent_and_lets_go_of_the_body() {
    let server = Server::start(|stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
        Ok(())
    })
    .await;
    let egress = Egress::new(options());
    let (body, taken, dropped) = endless();
    let began = Instant::now();
    let error = client(&egress, server.port())
        .send(put(server.port(), body))
        .await
        .expect_err("silence");
    assert!(began.elapsed() < SHORT * 5, "{:?}", began.elapsed());
    assert_failure(
        &error,
        &EgressError::Silent {
            host: host(),
            after: SHORT,
        },
        FailureClass::Timeout,
        "server.test did not answer within 500 ms",
        "see whether the server is slow or overloaded, and try again",
    );
    assert!(set(&dropped).await);
    // What the buffers of the system took, and no more: it is not read into memory.
    let bytes = taken.load(Ordering::SeqCst) * 16384;
    assert!(bytes < 16 << 20, "{bytes} bytes were taken");
}

#[tokio::test]
async fn a_server_that_answers_at_once_and_never_reads_lets_go_of_the_body_as_well() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(HELLO).await?;
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(())
    })
    .await;
    let egress = Egress::new(options());
    let (body, _, dropped) = endless();
    let answer = client(&egress, server.port())
        .send(put(server.port(), body))
        .await
        .expect("an answer");
    let body = answer.into_body().collect().await.expect("its body");
    assert_eq!(body.to_bytes(), "hello");
    assert!(set(&dropped).await, "nothing of it goes on for ever");
}

#[tokio::test]
async fn a_source_that_pauses_is_not_the_server_s_silence() {
    let server = Server::start(|mut stream| async move {
        let head = read_head(&mut stream).await?.unwrap_or_default();
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        let mut all = Vec::new();
        while !all.ends_with(b"0\r\n\r\n") {
            let mut some = [0; 1024];
            let read = tokio::io::AsyncReadExt::read(&mut stream, &mut some).await?;
            all.extend_from_slice(&some[..read]);
        }
        stream.write_all(HELLO).await?;
        until_closed(&mut stream).await
    })
    .await;
    let egress = Egress::new(options());
    let frames = stream::unfold(0, |sent| async move {
        if sent == 3 {
            return None;
        }
        tokio::time::sleep(SHORT * 2).await;
        let frame: Result<_, BodyError> = Ok(Frame::data(Bytes::from_static(b"part")));
        Some((frame, sent + 1))
    });
    let answer = client(&egress, server.port())
        .send(put(server.port(), StreamBody::new(frames).boxed_unsync()))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_source_that_fails_is_told_without_its_words() {
    let server = Server::start(|mut stream| async move { until_closed(&mut stream).await }).await;
    let egress = Egress::new(options());
    let frames = stream::iter([
        Ok(Frame::data(Bytes::from_static(b"part"))),
        Err(BodyError::from(SECRET)),
    ]);
    let error = client(&egress, server.port())
        .send(put(server.port(), StreamBody::new(frames).boxed_unsync()))
        .await
        .expect_err("no body");
    assert_failure(
        &error,
        &EgressError::Body { host: host() },
        FailureClass::Other("body".to_owned()),
        "the content to send to server.test could not be read",
        "check the source of the content, and try again",
    );
    assert!(!error.is_unsent());
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_upload_is_an_answer() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await?;
        until_closed(&mut stream).await
    })
    .await;
    let egress = Egress::new(options());
    let (body, _, dropped) = endless();
    let answer = client(&egress, server.port())
        .send(put(server.port(), body))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 403);
    drop(answer);
    assert!(set(&dropped).await, "the rest is not sent");
}
