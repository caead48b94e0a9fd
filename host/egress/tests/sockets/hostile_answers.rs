//! Servers that answer with what no server should.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use portolan_contract::FailureClass;
use portolan_egress::{Egress, EgressError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::server::{HELLO, Server, drip, read_head, until_closed};
use crate::support::{
    SHORT, assert_discreet, assert_failure, client, failure_of, fetch, host, options, request,
};

/// What comes of an answer that is these bytes, after which the server closes.
async fn failure_after(answer: impl Into<Vec<u8>>) -> EgressError {
    let answer = Arc::new(answer.into());
    let server = Server::start(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            read_head(&mut stream).await?;
            // The client may have seen enough before the end.
            let _ = stream.write_all(&answer).await;
            stream.shutdown().await
        }
    })
    .await;
    failure_of(server.port()).await
}

/// What comes of a server that reads a request and then does this.
async fn failure_with<F>(serve: fn(TcpStream) -> F) -> EgressError
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    failure_of(Server::start(serve).await.port()).await
}

#[track_caller]
fn assert_silent(error: &EgressError) {
    assert_failure(
        error,
        &EgressError::Silent {
            host: host(),
            after: SHORT,
        },
        FailureClass::Timeout,
        "server.test did not answer within 500 ms",
        "see whether the server is slow or overloaded, and try again",
    );
    assert!(!error.is_unsent());
}

#[track_caller]
fn assert_closed(error: &EgressError, unanswered: bool) {
    assert_failure(
        error,
        &EgressError::Closed {
            host: host(),
            unanswered,
        },
        FailureClass::Protocol,
        "server.test closed the connection before its answer was complete",
        "try again; if it stays so, look at the server's log",
    );
    assert!(!error.is_unsent());
}

#[track_caller]
fn assert_no_http(error: &EgressError) {
    assert_failure(
        error,
        &EgressError::Protocol { host: host() },
        FailureClass::Protocol,
        "server.test does not answer in HTTP as this host reads it",
        "check the scheme and port: another service, or TLS where none was expected, may answer \
         there",
    );
    assert!(!error.is_unsent());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_silent_and_is_left() {
    let left = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&left);
    let server = Server::start(move |mut stream| {
        let left = Arc::clone(&seen);
        async move {
            until_closed(&mut stream).await?;
            left.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    })
    .await;
    assert_silent(&failure_of(server.port()).await);
    tokio::time::sleep(SHORT).await;
    assert_eq!(left.load(Ordering::SeqCst), 1, "the connection is closed");
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_ends_with_the_time_for_a_whole_one() {
    let began = Instant::now();
    let error = failure_with(|mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await?;
        drip(&mut stream, b"x", SHORT / 10).await
    })
    .await;
    assert_silent(&error);
    assert!(began.elapsed() < SHORT * 4, "{:?}", began.elapsed());
}

#[tokio::test]
async fn interim_answers_without_end_are_no_answer() {
    let error = failure_with(|mut stream| async move {
        read_head(&mut stream).await?;
        drip(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n", SHORT / 50).await
    })
    .await;
    assert_silent(&error);
    // Nor as fast as they can be sent.
    let error = failure_with(|mut stream| async move {
        read_head(&mut stream).await?;
        let flood = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(1000);
        loop {
            stream.write_all(&flood).await?;
        }
    })
    .await;
    assert_silent(&error);
}

#[tokio::test]
async fn a_head_has_so_many_bytes_and_headers_and_no_more() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(200 << 10));
    assert_no_http(&failure_after(long).await);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(129));
    assert_no_http(&failure_after(many).await);
    let status = format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(200 << 10));
    assert_no_http(&failure_after(status).await);
    // Just below it is an answer.
    let fits = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{}X: {}\r\n\r\nhello",
        "X: y\r\n".repeat(100),
        "x".repeat(60 << 10)
    );
    let server = Server::answering(fits).await;
    let egress = Egress::new(options());
    let uri = format!("http://server.test:{}", server.port());
    fetch(&client(&egress, server.port()), &uri)
        .await
        .expect("an answer");
}

#[tokio::test]
async fn headers_without_end_cost_the_server_more_than_the_host() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let server = Server::start(move |mut stream| {
        let sent = Arc::clone(&counted);
        async move {
            read_head(&mut stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            let headers = b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(1000);
            loop {
                stream.write_all(&headers).await?;
                sent.fetch_add(headers.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    assert_no_http(&failure_of(server.port()).await);
    tokio::time::sleep(SHORT).await;
    let before = sent.load(Ordering::SeqCst);
    tokio::time::sleep(SHORT).await;
    assert_eq!(
        sent.load(Ordering::SeqCst),
        before,
        "the connection is closed"
    );
}

#[tokio::test]
async fn what_is_no_http_is_told() {
    for answer in [
        "SSH-2.0-OpenSSH_9.9\r\n\r\n",
        "hunter2\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 hunter2 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: hunter2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let error = failure_after(answer).await;
        assert!(
            matches!(error, EgressError::Protocol { .. }),
            "{answer:?}: {error:?}"
        );
        assert_no_http(&error);
    }
}

#[tokio::test]
async fn chunks_that_are_none_are_no_http() {
    for chunks in [
        "hunter2\r\n",
        "-1\r\n",
        "ffffffffffffffffff\r\n",
        "5\r\nhelloX",
        "5 \u{1}\r\nhello\r\n",
        &format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(20 << 10)),
        &format!("0\r\n{}\r\n", "X: y\r\n".repeat(2000)),
        &format!("0\r\nX: {}\r\n\r\n", "y".repeat(100 << 10)),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        let error = failure_after(answer).await;
        assert!(
            matches!(error, EgressError::Protocol { .. }),
            "{}: {error:?}",
            &chunks[..chunks.len().min(30)]
        );
        assert_no_http(&error);
    }
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_not_whole() {
    assert_closed(&failure_after("").await, true);
    assert_closed(&failure_after("HTTP/1.1 200 OK\r\nX: y").await, true);
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ] {
        assert_closed(&failure_after(answer).await, false);
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_is_closed() {
    let error = failure_with(|mut stream| async move {
        read_head(&mut stream).await?;
        stream.set_zero_linger()
    })
    .await;
    assert_closed(&error, true);
    let error = failure_with(|mut stream| async move {
        read_head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
            .await?;
        tokio::time::sleep(SHORT / 3).await;
        stream.set_zero_linger()
    })
    .await;
    assert_closed(&error, false);
}

#[tokio::test]
async fn a_server_that_closes_its_half_without_a_word_has_closed() {
    let error = failure_with(|mut stream| async move {
        read_head(&mut stream).await?;
        stream.shutdown().await?;
        until_closed(&mut stream).await
    })
    .await;
    assert_closed(&error, true);
}

#[tokio::test]
async fn a_body_that_trickles_is_silence() {
    for pause in [SHORT / 20, SHORT * 2] {
        let server = Server::start(move |mut stream| async move {
            read_head(&mut stream).await?;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                .await?;
            drip(&mut stream, b"x", pause).await
        })
        .await;
        assert_silent(&failure_of(server.port()).await);
    }
}

#[tokio::test]
async fn a_body_that_goes_on_may_take_as_long_as_it_takes() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20480\r\n\r\n")
            .await?;
        for _ in 0..20 {
            stream.write_all(&[b'x'; 1024]).await?;
            tokio::time::sleep(SHORT / 5).await;
        }
        until_closed(&mut stream).await
    })
    .await;
    let egress = Egress::new(options());
    let began = Instant::now();
    let uri = format!("http://server.test:{}", server.port());
    let (_, body) = fetch(&client(&egress, server.port()), &uri)
        .await
        .expect("an answer");
    assert_eq!(body.len(), 20480);
    assert!(began.elapsed() > SHORT * 3);
}

#[tokio::test]
async fn a_reader_who_pauses_is_not_the_server_s_silence() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
            .await?;
        stream.write_all(&vec![b'x'; 4_000_000]).await?;
        until_closed(&mut stream).await
    })
    .await;
    let egress = Egress::new(options());
    let uri = format!("http://server.test:{}", server.port());
    let answer = client(&egress, server.port())
        .send(request(&uri))
        .await
        .expect("a head");
    let mut body = answer.into_body();
    let mut length = 0;
    let mut frames = 0;
    // The first comes after a pause, and some of the others.
    tokio::time::sleep(SHORT * 2).await;
    while let Some(frame) = body.frame().await {
        length += frame.expect("a frame").into_data().expect("data").len();
        frames += 1;
        if frames % 50 == 1 && frames < 150 {
            tokio::time::sleep(SHORT * 2).await;
        }
    }
    assert_eq!(length, 4_000_000);
}

#[tokio::test]
async fn a_body_without_end_is_read_as_far_as_somebody_wants() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let server = Server::start(move |mut stream| {
        let sent = Arc::clone(&counted);
        async move {
            read_head(&mut stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 4096]).await?;
                sent.fetch_add(4096, Ordering::SeqCst);
            }
        }
    })
    .await;
    let egress = Egress::new(options());
    let uri = format!("http://server.test:{}", server.port());
    let client = client(&egress, server.port());
    let answer = client.send(request(&uri)).await.expect("a head");
    // Nobody reads: what lies in the buffers of the system and ours is all that comes.
    tokio::time::sleep(SHORT).await;
    let before = sent.load(Ordering::SeqCst);
    tokio::time::sleep(SHORT).await;
    assert_eq!(sent.load(Ordering::SeqCst), before);
    let error = answer
        .into_body()
        .collect_within(1 << 20)
        .await
        .expect_err("too large");
    assert_failure(
        &error,
        &EgressError::TooLarge {
            host: host(),
            most: 1 << 20,
        },
        FailureClass::Protocol,
        "server.test answers with more than 1048576 bytes",
        "check that the host is the service that is meant",
    );
}

#[tokio::test]
async fn what_follows_an_answer_is_never_taken_for_the_next_one() {
    let server = Server::start(|mut stream| async move {
        while read_head(&mut stream).await?.is_some() {
            let mut answer = HELLO.to_vec();
            answer.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
            stream.write_all(&answer).await?;
        }
        Ok(())
    })
    .await;
    let egress = Egress::new(options());
    let client = client(&egress, server.port());
    let uri = format!("http://server.test:{}", server.port());
    for _ in 0..5 {
        let (_, body) = fetch(&client, &uri).await.expect("an answer");
        assert_eq!(&body[..], b"hello");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn an_answer_that_is_framed_in_two_ways_is_read_as_chunks_and_its_connection_not_used_again()
{
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
                  5\r\nhello\r\n0\r\n\r\n";
    let server = Server::answering(answer).await;
    let egress = Egress::new(options());
    let client = client(&egress, server.port());
    let uri = format!("http://server.test:{}", server.port());
    for _ in 0..2 {
        match fetch(&client, &uri).await {
            Ok((_, body)) => assert_eq!(&body[..], b"hello"),
            Err(error) => assert_no_http(&error),
        }
    }
}

#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_an_answer_like_any_other() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await?;
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\n\r\nevil")
            .await?;
        until_closed(&mut stream).await
    })
    .await;
    let egress = Egress::new(options());
    let uri = format!("http://server.test:{}", server.port());
    match fetch(&client(&egress, server.port()), &uri).await {
        Ok((status, body)) => assert_eq!((status.as_u16(), &body[..]), (101, &b""[..])),
        Err(error) => assert_discreet(&error),
    }
}
