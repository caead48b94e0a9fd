//! A scripted endpoint for webhooks.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{Method, Request};
use serde_json::Value;

use crate::Authority;
use crate::http_server::{HttpServer, answer};

/// What a script has the endpoint do with a request for `POST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripted {
    /// Answer this status. What is not a success takes nothing.
    Status(u16),
    /// Take what was posted, and answer 500 all the same.
    TakeAndFail,
    /// Say nothing for so long, then answer 200.
    Late(Duration),
}

/// An HTTPS server whose answers are scripted, and which keeps what it took. Whoever does not ask for
/// its path with its query and its password is refused. That any product answers like this is not
/// proved.
#[derive(Debug)]
pub struct WebhookStandIn {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Path and query that it answers for.
    target: String,
    authorization: Option<String>,
    script: VecDeque<Scripted>,
    looked: usize,
    asked: usize,
    taken: Vec<Value>,
}

impl WebhookStandIn {
    /// An endpoint at a path with its query, for these names.
    #[must_use]
    pub fn start(authority: &Authority, names: &[&str], target: &str) -> Self {
        let state = Arc::new(Mutex::new(State {
            target: target.to_owned(),
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let server = HttpServer::encrypted(authority, names, move |request| {
            let next = shared.lock().expect("a lock").respond(&request);
            async move {
                let (status, pause) = next;
                tokio::time::sleep(pause).await;
                answer(status, &[], "a text of the endpoint")
            }
            .boxed()
        });
        Self { server, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Refuses whoever does not send this header `authorization`.
    pub fn require(&self, authorization: &str) {
        self.state().authorization = Some(authorization.to_owned());
    }

    /// What it does with the next requests, one after another; after them it takes everything.
    pub fn script(&self, script: impl IntoIterator<Item = Scripted>) {
        self.state().script = script.into_iter().collect();
    }

    /// How often it was asked with `HEAD`.
    #[must_use]
    pub fn looked(&self) -> usize {
        self.state().looked
    }

    /// How often it was posted to, whatever it answered.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    /// The bodies that it took, in their order.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        self.state().taken.clone()
    }

    /// The messages of the bodies that it took, in their order.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        let bodies = self.taken().into_iter();
        let payload = |body: Value| body["payload"].as_array().cloned().unwrap_or_default();
        bodies.flat_map(payload).collect()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("a lock")
    }
}

impl State {
    fn respond(&mut self, request: &Request<Bytes>) -> (u16, Duration) {
        let now = |status| (status, Duration::ZERO);
        let authorization = request.headers().get(http::header::AUTHORIZATION);
        let authorization = authorization.and_then(|value| value.to_str().ok());
        if request.method() == Method::HEAD {
            self.looked += 1;
            return now(405);
        }
        self.asked += 1;
        if self.authorization.as_deref() != authorization {
            return now(401);
        }
        if *request.uri() != *self.target {
            return now(404);
        }
        let is_json = request
            .headers()
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|value| value == "application/json");
        let body = serde_json::from_slice::<Value>(request.body());
        let Some(body) = body
            .ok()
            .filter(|_| is_json && request.method() == Method::POST)
        else {
            return now(400);
        };
        match self.script.pop_front() {
            None => {
                self.taken.push(body);
                now(200)
            }
            Some(Scripted::Status(status)) => {
                if (200..300).contains(&status) {
                    self.taken.push(body);
                }
                now(status)
            }
            Some(Scripted::TakeAndFail) => {
                self.taken.push(body);
                now(500)
            }
            Some(Scripted::Late(pause)) => {
                self.taken.push(body);
                (200, pause)
            }
        }
    }
}
