//! A stand-in for the keys of Azure Key Vault.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::FutureExt;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::entra::GivenTokens;
use crate::http_server::{Answer, HttpServer, answer};
use crate::{Authority, EntraStandIn, RsaKey};

/// A vault with one version of one key, which encrypts and decrypts with RSA-OAEP-256, really. It
/// takes the tokens that a stand-in for Entra has given for the vaults of its cloud, and refuses with
/// the documented codes. That the real service answers like this is not proved.
#[derive(Debug)]
pub struct KeyVaultStandIn {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    tokens: GivenTokens,
    key: RsaKey,
    allowed: Vec<&'static str>,
    enabled: bool,
    /// The version that answers tell of.
    told: &'static str,
}

impl KeyVaultStandIn {
    /// The name of its key.
    pub const KEY: &str = "backups";

    /// The id of the key's only version.
    pub const VERSION: &str = "5d0e8a7c3b9f41f2a6c4e8d1b7f0a923";

    /// Vaults of these names.
    #[must_use]
    pub fn start(authority: &Authority, names: &[&str], entra: &EntraStandIn) -> Self {
        let state = Arc::new(Mutex::new(State {
            tokens: entra.given_tokens(),
            key: RsaKey::generate(),
            allowed: vec!["encrypt", "decrypt"],
            enabled: true,
            told: Self::VERSION,
        }));
        let shared = Arc::clone(&state);
        let server = HttpServer::encrypted(authority, names, move |request| {
            let answered = shared.lock().expect("a lock").respond(&request);
            async move { answered }.boxed()
        });
        Self { server, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Allows what is listed, and nothing else: `encrypt`, `decrypt`.
    pub fn allow(&self, uses: &[&'static str]) {
        self.state.lock().expect("a lock").allowed = uses.to_vec();
    }

    /// Disables the key's only version.
    pub fn disable_key(&self) {
        self.state.lock().expect("a lock").enabled = false;
    }

    /// Tells of another version of the key in its answers from now on.
    pub fn tell_of_version(&self, version: &'static str) {
        self.state.lock().expect("a lock").told = version;
    }
}

impl State {
    fn respond(&self, request: &Request<Bytes>) -> Answer {
        let header = |name| {
            let value = request.headers().get(name);
            value.and_then(|value| value.to_str().ok())
        };
        let host = header(HOST).unwrap_or_default();
        let cloud = host.split_once('.').map_or("", |(_, cloud)| cloud);
        let audience = format!("https://{cloud}");
        let token = header(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| self.tokens.are_of(token, &audience)) {
            return refused(401, "Unauthorized", None);
        }
        let query = request.uri().query().unwrap_or_default();
        if !query.starts_with("api-version=7.") {
            return refused(400, "BadParameter", None);
        }
        let segments: Vec<_> = request.uri().path().split('/').collect();
        let (&["", "keys", name, version, verb], &Method::POST) =
            (segments.as_slice(), request.method())
        else {
            return refused(404, "NotFound", None);
        };
        if (name, version) != (KeyVaultStandIn::KEY, KeyVaultStandIn::VERSION) {
            return refused(404, "KeyNotFound", None);
        }
        if !self.allowed.contains(&verb) {
            return refused(403, "Forbidden", Some("ForbiddenByRbac"));
        }
        if !self.enabled {
            return refused(403, "Forbidden", Some("KeyDisabled"));
        }
        let Some(value) = self.value(verb, request.body()) else {
            return refused(400, "BadParameter", None);
        };
        let body = json!({
            "kid": format!("https://{host}/keys/{name}/{}", self.told),
            "value": BASE64_URL_SAFE_NO_PAD.encode(value),
        });
        answered(200, &body)
    }

    fn value(&self, verb: &str, body: &[u8]) -> Option<Vec<u8>> {
        let asked: Value = serde_json::from_slice(body).ok()?;
        let value = BASE64_URL_SAFE_NO_PAD.decode(asked["value"].as_str()?);
        let value = value.ok().filter(|_| asked["alg"] == "RSA-OAEP-256")?;
        match verb {
            "encrypt" => self.key.encrypt(&value),
            _ => self.key.decrypt(&value),
        }
    }
}

fn refused(status: u16, code: &str, inner: Option<&str>) -> Answer {
    let mut body = json!({"error": {"code": code, "message": "a text of the service"}});
    if let Some(inner) = inner {
        body["error"]["innererror"] = json!({"code": inner});
    }
    answered(status, &body)
}

fn answered(status: u16, body: &Value) -> Answer {
    let headers = [("content-type", "application/json; charset=utf-8")];
    answer(status, &headers, body.to_string())
}
