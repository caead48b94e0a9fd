//! A stand-in for any service of AWS, as far as its signatures go.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use serde_json::json;

use super::sigv4::{Signatures, Signer};
use crate::Authority;
use crate::http_server::{Answer, HttpServer, answer};

/// Recomputes each signature by AWS's documents, over method, path, query, signed headers and the
/// SHA-256 of the body that came, and answers as a service with a JSON protocol does. What is asked
/// for it does not look at: that a real service takes the request is not proved.
#[derive(Debug)]
pub struct SigV4StandIn {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    service: String,
    signatures: Signatures,
    body: Vec<u8>,
    accepted: Vec<(String, Bytes)>,
    spoils: bool,
}

impl SigV4StandIn {
    /// A service of this name, called by these names, that knows one key.
    #[must_use]
    pub fn start(
        authority: &Authority,
        names: &[&str],
        service: &str,
        (key, secret): (&str, &str),
    ) -> Self {
        let mut signatures = Signatures::default();
        let signer = Signer {
            secret: secret.to_owned(),
            token: None,
            principal: key.to_owned(),
            has_ended: false,
        };
        signatures.add(key, signer);
        let state = Arc::new(Mutex::new(State {
            service: service.to_owned(),
            signatures,
            body: b"{}".to_vec(),
            accepted: Vec::new(),
            spoils: false,
        }));
        let shared = Arc::clone(&state);
        let server = HttpServer::encrypted(authority, names, move |request| {
            let answered = shared.lock().expect("a lock").answer(&request);
            async move { answered }.boxed()
        });
        Self { server, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Takes temporary credentials only, with this token.
    pub fn set_token(&self, token: &str) {
        let mut state = self.state.lock().expect("a lock");
        for signer in state.signatures.signers() {
            signer.token = Some(token.to_owned());
        }
    }

    /// Answers what is signed rightly with this body from now on.
    pub fn answer_with(&self, body: &str) {
        self.state.lock().expect("a lock").body = body.as_bytes().to_vec();
    }

    /// Reads every body with one byte changed from now on, as if it had been changed on the way.
    pub fn spoil_bodies(&self) {
        self.state.lock().expect("a lock").spoils = true;
    }

    /// What was signed rightly: the line of each request, and its body.
    #[must_use]
    pub fn accepted(&self) -> Vec<(String, Bytes)> {
        self.state.lock().expect("a lock").accepted.clone()
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Answer {
        let mut body = request.body().to_vec();
        if self.spoils
            && let Some(last) = body.last_mut()
        {
            *last ^= 1;
        }
        let headers = [("content-type", "application/x-amz-json-1.1")];
        match self.signatures.signer(&self.service, request, &body) {
            Err(fault) => {
                let body = json!({"__type": fault.json_code(), "message": fault.message()});
                answer(400, &headers, body.to_string())
            }
            Ok(_) => {
                let line = format!("{} {}", request.method(), request.uri());
                self.accepted.push((line, request.body().clone()));
                answer(200, &headers, self.body.clone())
            }
        }
    }
}
