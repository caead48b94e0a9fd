//! Servers that lie: endless headers, bodies of another length than they say, and packed ones that
//! would fill the memory.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use portolan_contract::FailureClass;
use portolan_egress::EgressError;
use portolan_egress::service::ServiceError;
use portolan_servers::RawServer;

use crate::setting::{Asked, Setting, shown};

const RULE: &str = "host = \"{authority}\"\nmethod = \"GET\"\npath = \"/\"\n";

async fn asked(server: SocketAddr) -> Result<String, ServiceError> {
    let setting = Setting::in_clear(RULE, server);
    let client = setting.client_with(server, |options| {
        options.silence_timeout = Duration::from_secs(5);
    });
    let client = client.expect("a client");
    let answer = setting.send(&client, Asked::default()).await;
    answer.map(|answer| shown(&answer))
}

async fn refused(bytes: impl Into<Vec<u8>>) -> ServiceError {
    let server = RawServer::writing(bytes);
    asked(server.address()).await.expect_err("it lies")
}

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes()
}

fn host() -> String {
    "service.example.com".to_owned()
}

#[tokio::test]
async fn a_head_without_end_is_cut_off() {
    let server = RawServer::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: and more\r\n").is_ok() {}
    });
    let error = asked(server.address()).await.expect_err("it lies");
    assert_eq!(
        error,
        ServiceError::Egress(EgressError::Protocol { host: host() })
    );
}

#[tokio::test]
async fn more_headers_than_a_provider_may_be_given_are_refused() {
    let many: String = (0..40)
        .map(|n| format!("x-{n}: {}\r\n", "a".repeat(1000)))
        .collect();
    let error = refused(head(&format!("{many}content-length: 0\r\n"))).await;
    let expected = ServiceError::Headers {
        host: host(),
        most: 32 << 10,
    };
    assert_eq!(error, expected);
    assert_eq!(error.class(), FailureClass::Protocol);
    let many: String = (0..200).map(|n| format!("x-{n}: a\r\n")).collect();
    let error = refused(head(&many)).await;
    assert_eq!(
        error,
        ServiceError::Egress(EgressError::Protocol { host: host() })
    );
}

#[tokio::test]
async fn a_body_of_another_length_than_it_says_is_none() {
    let error = refused([head("content-length: 10\r\n"), b"short".to_vec()].concat()).await;
    assert!(matches!(
        error,
        ServiceError::Egress(EgressError::Closed {
            unanswered: false,
            ..
        })
    ));
    // What comes behind it is another answer, which nobody asked for.
    let server =
        RawServer::writing([head("content-length: 5\r\n"), b"right wrong".to_vec()].concat());
    assert_eq!(asked(server.address()).await, Ok("right".to_owned()));
    for lengths in [
        "content-length: -1\r\n",
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 99999999999999999999\r\n",
        "content-length: x\r\n",
    ] {
        let error = refused([head(lengths), b"right".to_vec()].concat()).await;
        assert_eq!(
            error,
            ServiceError::Egress(EgressError::Protocol { host: host() }),
            "{lengths}"
        );
    }
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused_as_soon_as_it_is() {
    let server = RawServer::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'a'; 64 << 10]).is_ok() {}
    });
    let error = asked(server.address()).await.expect_err("it never ends");
    let expected = EgressError::TooLarge {
        host: host(),
        most: 16 << 20,
    };
    assert_eq!(error, ServiceError::Egress(expected));
}

#[tokio::test]
async fn a_packed_body_is_unpacked_no_further_than_the_bound() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..1024 {
        bomb.write_all(&[0; 1 << 20]).expect("it packs well");
    }
    let bomb = bomb.finish().expect("packed");
    assert!(bomb.len() < 2 << 20, "1 GiB in {} bytes", bomb.len());
    let mut answer = head(&format!(
        "content-encoding: gzip\r\ncontent-length: {}\r\n",
        bomb.len()
    ));
    answer.extend(bomb);
    let expected = EgressError::TooLarge {
        host: host(),
        most: 16 << 20,
    };
    assert_eq!(refused(answer).await, ServiceError::Egress(expected));
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"hello").expect("it fits");
    let packed = encoder.finish().expect("packed");
    let mut flipped = packed.clone();
    let place = flipped.len() - 6;
    flipped[place] ^= 1;
    for (encoding, body) in [
        ("gzip", b"hello".to_vec()),
        ("gzip", packed[..packed.len() - 4].to_vec()),
        ("gzip", flipped),
        ("gzip", [&packed[..], b"behind it"].concat()),
        ("br", b"hello".to_vec()),
        ("gzip, gzip", packed.clone()),
    ] {
        let mut answer = head(&format!(
            "content-encoding: {encoding}\r\ncontent-length: {}\r\n",
            body.len()
        ));
        answer.extend(body);
        let error = refused(answer).await;
        assert_eq!(error, ServiceError::Packed { host: host() }, "{encoding}");
    }
    // What has no body may say how it would have been packed.
    let server = RawServer::writing(head("content-encoding: gzip\r\ncontent-length: 0\r\n"));
    assert_eq!(asked(server.address()).await, Ok(String::new()));
}

#[tokio::test]
async fn a_server_that_is_silent_in_its_body_is_left() {
    let server = RawServer::start(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
        std::thread::sleep(Duration::from_secs(30));
    });
    let error = asked(server.address()).await.expect_err("it is silent");
    assert_eq!(error.class(), FailureClass::Timeout, "{error}");
}
