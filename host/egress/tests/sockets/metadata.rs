//! The second guard, against a metadata service of the tests.

#![expect(
    clippy::disallowed_methods,
    reason = "these are the tests that have a metadata service of their own"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use portolan_contract::FailureClass;
use portolan_egress::{
    Egress, EgressError, EgressOptions, MetadataAnswer, MetadataClient, MetadataService,
};
use tokio::io::AsyncWriteExt;

use crate::server::{Server, closed, drip, full, read_head, until_closed};
use crate::support::{SECRET, SHORT, assert_failure};

fn get(path: &str) -> Request<Bytes> {
    Request::get(path)
        .header("x-aws-ec2-metadata-token", SECRET)
        .body(Bytes::new())
        .expect("a request")
}

async fn ask(server: &Server, path: &str) -> Result<MetadataAnswer, EgressError> {
    let client = MetadataClient::on_loopback(server.port(), SHORT);
    client.send(MetadataService::AwsInstance, get(path)).await
}

const HOST: &str = "169.254.169.254";

#[tokio::test]
async fn each_service_is_asked_by_the_name_that_it_wants_and_on_a_connection_of_its_own() {
    let server = Server::start(|mut stream| async move {
        while let Some(head) = read_head(&mut stream).await? {
            let length = head.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{head}");
            stream.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    })
    .await;
    let client = MetadataClient::on_loopback(server.port(), SHORT);
    let mut hosts = Vec::new();
    for service in MetadataService::ALL {
        let mut request = get("/latest/meta-data?recursive=true");
        request
            .headers_mut()
            .insert("host", http::HeaderValue::from_static("elsewhere.test"));
        let answer = client.send(*service, request).await.expect("an answer");
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!format!("{answer:?}").contains(SECRET));
        let head = String::from_utf8_lossy(answer.body.expose()).to_ascii_lowercase();
        assert!(
            head.starts_with("get /latest/meta-data?recursive=true http/1.1\r\n"),
            "{head}"
        );
        let host = head.lines().find_map(|line| line.strip_prefix("host: "));
        hosts.push(host.expect("a host").to_owned());
    }
    assert_eq!(
        hosts,
        [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "metadata.google.internal",
            "169.254.169.254"
        ]
    );
    assert_eq!(server.connections(), MetadataService::ALL.len());
}

#[tokio::test]
async fn a_request_that_names_a_host_is_refused_before_anything_is_dialled() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for uri in ["http://evil.test/", "http://127.0.0.1/", "evil.test:80"] {
        let error = ask(&server, uri).await.expect_err("no path");
        assert_failure(
            &error,
            &EgressError::NotPlanned {
                host: HOST.to_owned(),
                port: 80,
            },
            FailureClass::Denied,
            "169.254.169.254:80 is no endpoint of the connection",
            "give the connection's URI the host that is meant",
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let elsewhere = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let port = elsewhere.port();
    let server = Server::answering(format!(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n"
    ))
    .await;
    let answer = ask(&server, "/").await.expect("an answer");
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn an_answer_is_small_and_comes_soon() {
    let large = Server::start(|mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        loop {
            stream.write_all(&[b'x'; 4096]).await?;
        }
    })
    .await;
    assert_failure(
        &ask(&large, "/").await.expect_err("too large"),
        &EgressError::TooLarge {
            host: HOST.to_owned(),
            most: 65536,
        },
        FailureClass::Protocol,
        "169.254.169.254 answers with more than 65536 bytes",
        "check that the host is the service that is meant",
    );
    let silent = Server::start(|mut stream| async move { until_closed(&mut stream).await }).await;
    let slow = Server::start(|mut stream| async move {
        read_head(&mut stream).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        drip(&mut stream, &[b'x'; 2048], SHORT / 10).await
    })
    .await;
    for server in [silent, slow] {
        let began = Instant::now();
        assert_failure(
            &ask(&server, "/").await.expect_err("too slow"),
            &EgressError::Silent {
                host: HOST.to_owned(),
                after: SHORT,
            },
            FailureClass::Timeout,
            "169.254.169.254 did not answer within 500 ms",
            "see whether the server is slow or overloaded, and try again",
        );
        assert!(began.elapsed() < SHORT * 5);
    }
}

#[tokio::test]
async fn outside_of_a_cloud_nobody_answers_and_that_is_told_soon() {
    let client = MetadataClient::on_loopback(closed().await, SHORT);
    let error = client
        .send(MetadataService::Google, get("/"))
        .await
        .expect_err("nobody");
    assert_eq!(
        error.to_string(),
        "169.254.169.254:80 refused the connection"
    );
    let (listener, _waiting) = full().await;
    let port = listener.local_addr().expect("an address").port();
    let client = MetadataClient::on_loopback(port, SHORT);
    let began = Instant::now();
    assert_failure(
        &client
            .send(MetadataService::Google, get("/"))
            .await
            .expect_err("nobody"),
        &EgressError::Connect {
            host: HOST.to_owned(),
            port: 80,
            kind: std::io::ErrorKind::TimedOut,
            after: Some(Duration::from_secs(1)),
        },
        FailureClass::Timeout,
        "169.254.169.254:80 did not take the connection within 1 s",
        "check the host and port, and the routes and firewalls on the way",
    );
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn where_implicit_credentials_are_disabled_there_is_no_client() {
    let egress = Egress::new(EgressOptions::default());
    assert!(egress.metadata().is_some());
    let egress = Egress::new(EgressOptions {
        disable_implicit_credentials: true,
        ..EgressOptions::default()
    });
    assert!(egress.metadata().is_none());
}
