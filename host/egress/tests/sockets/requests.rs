//! What goes over the wire, and to whom.

use http::{HeaderValue, Request};
use http_body_util::BodyExt;
use portolan_contract::FailureClass;
use portolan_egress::{Egress, EgressError};
use tokio::io::AsyncWriteExt;

use crate::server::{HELLO, Server, read_head};
use crate::support::{assert_failure, client, empty, fetch, options, policy, request};

/// A server that answers with the head of the request.
async fn mirror() -> Server {
    Server::start(|mut stream| async move {
        while let Some(head) = read_head(&mut stream).await? {
            let length = head.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{head}");
            stream.write_all(answer.as_bytes()).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_is_what_was_written_and_its_host_is_that_of_the_endpoint() {
    let server = mirror().await;
    let port = server.port();
    let egress = Egress::new(options());
    let request = Request::get(format!(
        "http://user:password@Server.Test:{port}/a%2Fb?c=d%20e"
    ))
    .header("host", HeaderValue::from_static("another.test"))
    .header("x-own", "1")
    .body(empty())
    .expect("a request");
    let answer = client(&egress, port)
        .send(request)
        .await
        .expect("an answer");
    let body = answer.into_body().collect().await.expect("a body");
    let head = String::from_utf8_lossy(&body.to_bytes()).to_ascii_lowercase();
    assert_eq!(
        head,
        format!("get /a%2fb?c=d%20e http/1.1\r\nx-own: 1\r\nhost: server.test:{port}\r\n\r\n")
    );
}

#[tokio::test]
async fn no_other_place_is_dialled_whatever_the_request_says() {
    let (planned, other) = (
        Server::answering(HELLO).await,
        Server::answering(HELLO).await,
    );
    let mut options = options();
    // The policy would allow it; the plan does not.
    options.policy = policy(&["server.test", "127.0.0.0/8", "evil.test"]);
    let egress = Egress::new(options);
    let client = client(&egress, planned.port());
    for (uri, host, port) in [
        (
            format!("http://server.test:{}", other.port()),
            "server.test",
            other.port(),
        ),
        (
            format!("http://127.0.0.1:{}", planned.port()),
            "127.0.0.1",
            planned.port(),
        ),
        (
            format!("http://server.test@127.0.0.1:{}", other.port()),
            "127.0.0.1",
            other.port(),
        ),
        ("http://evil.test".to_owned(), "evil.test", 80),
        ("http://server.test".to_owned(), "server.test", 80),
        (
            format!("http://[::1]:{}", planned.port()),
            "[::1]",
            planned.port(),
        ),
        (
            format!("http://server.test.evil.test:{}", planned.port()),
            "server.test.evil.test",
            planned.port(),
        ),
    ] {
        // The helper's text would show a loopback address that the request itself named.
        let error = client.send(request(&uri)).await.expect_err("not planned");
        assert_eq!(
            error,
            EgressError::NotPlanned {
                host: host.to_owned(),
                port
            }
        );
        assert_eq!(
            error.to_string(),
            format!("{host}:{port} is no endpoint of the connection")
        );
    }
    let error = client
        .send(request("http://evil.test"))
        .await
        .expect_err("not planned");
    assert_failure(
        &error,
        &error.clone(),
        FailureClass::Denied,
        "evil.test:80 is no endpoint of the connection",
        "give the connection's URI the host that is meant",
    );
    assert_eq!((planned.connections(), other.connections()), (0, 0));
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let elsewhere = Server::answering(HELLO).await;
    let server = Server::answering(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://server.test:{}/\r\n\
         Content-Length: 0\r\n\r\n",
        elsewhere.port()
    ))
    .await;
    let egress = Egress::new(options());
    let uri = format!("http://server.test:{}", server.port());
    let (status, _) = fetch(&client(&egress, server.port()), &uri)
        .await
        .expect("an answer");
    assert_eq!(status.as_u16(), 307);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn an_endpoint_that_the_host_adds_is_one_of_the_client_s() {
    let (first, second) = (
        Server::answering(HELLO).await,
        Server::answering(HELLO).await,
    );
    let egress = Egress::new(options());
    let client = client(&egress, first.port());
    let wider = client
        .with_endpoint("Server.Test.", second.port())
        .expect("a client");
    let uri = format!("http://server.test:{}", second.port());
    assert!(client.send(request(&uri)).await.is_err());
    fetch(&wider, &uri).await.expect("an answer");
    let uri = format!("http://server.test:{}", first.port());
    fetch(&wider, &uri).await.expect("an answer");
    assert_eq!((first.connections(), second.connections()), (1, 1));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_is_opened_again() {
    let server = Server::start(|mut stream| async move {
        if read_head(&mut stream).await?.is_some() {
            stream.write_all(HELLO).await?;
        }
        Ok(())
    })
    .await;
    let egress = Egress::new(options());
    let client = client(&egress, server.port());
    let uri = format!("http://server.test:{}", server.port());
    for _ in 0..20 {
        fetch(&client, &uri).await.expect("an answer");
    }
    assert_eq!(server.connections(), 20);
}

#[tokio::test]
async fn a_client_keeps_what_it_needs_of_the_way_out() {
    let server = Server::answering(HELLO).await;
    let egress = Egress::new(options());
    let client = client(&egress, server.port());
    drop(egress);
    let uri = format!("http://server.test:{}", server.port());
    fetch(&client, &uri).await.expect("an answer");
}
