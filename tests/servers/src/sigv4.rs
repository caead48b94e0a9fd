//! A stand-in for a service of AWS, as far as its signatures go.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use percent_encoding::percent_decode_str;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Authority;
use crate::http_server::{Answer, HttpServer, answer};

/// The region that it is in.
pub const SIGV4_REGION: &str = "eu-central-1";

/// The most that the clocks may be apart.
const SKEW: Duration = Duration::from_secs(5 * 60);

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
    key: String,
    secret: String,
    /// The token that has to be signed along, where there is one.
    token: Option<String>,
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
        let state = Arc::new(Mutex::new(State {
            service: service.to_owned(),
            key: key.to_owned(),
            secret: secret.to_owned(),
            token: None,
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
        self.state.lock().expect("a lock").token = Some(token.to_owned());
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
        match self.judge(request, &body) {
            Err(error) => {
                let body = json!({"__type": error, "message": "refused by the stand-in"});
                let headers = [("content-type", "application/x-amz-json-1.1")];
                answer(400, &headers, body.to_string())
            }
            Ok(()) => {
                let line = format!("{} {}", request.method(), request.uri());
                self.accepted.push((line, request.body().clone()));
                let headers = [("content-type", "application/x-amz-json-1.1")];
                answer(200, &headers, self.body.clone())
            }
        }
    }

    fn judge(&self, request: &Request<Bytes>, body: &[u8]) -> Result<(), &'static str> {
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.and_then(|value| value.to_str().ok())
        };
        let authorization = header(AUTHORIZATION.as_str()).ok_or("MissingAuthenticationToken")?;
        let fields = authorization
            .strip_prefix("AWS4-HMAC-SHA256 ")
            .ok_or("IncompleteSignatureException")?;
        let field = |name: &str| {
            let mut fields = fields.split(", ");
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let (Some(credential), Some(signed), Some(signature)) = (
            field("Credential"),
            field("SignedHeaders"),
            field("Signature"),
        ) else {
            return Err("IncompleteSignatureException");
        };
        let time = header("x-amz-date").ok_or("IncompleteSignatureException")?;
        let date = time.get(..8).ok_or("IncompleteSignatureException")?;
        let scope = format!("{date}/{SIGV4_REGION}/{}/aws4_request", self.service);
        if credential != format!("{}/{scope}", self.key) {
            return Err("UnrecognizedClientException");
        }
        if sigv4_is_skewed(time) {
            return Err("RequestTimeTooSkewed");
        }
        let names: Vec<_> = signed.split(';').collect();
        // Whatever is not signed, whoever stands on the way could change.
        let unsigned = request.headers().keys().find(|name| {
            let name = name.as_str();
            !names.contains(&name)
                && !matches!(name, "authorization" | "content-length" | "accept-encoding")
        });
        if unsigned.is_some() {
            return Err("InvalidSignatureException");
        }
        if header("x-amz-security-token") != self.token.as_deref() {
            return Err("UnrecognizedClientException");
        }
        let hash = hex::encode(Sha256::digest(body));
        if header("x-amz-content-sha256") != Some(&hash) {
            return Err("InvalidSignatureException");
        }
        let mut headers = String::new();
        for name in &names {
            let value = header(name).ok_or("InvalidSignatureException")?;
            let words: Vec<_> = value.split_whitespace().collect();
            headers.push_str(&format!("{name}:{}\n", words.join(" ")));
        }
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{signed}\n{hash}",
            request.method(),
            path(request.uri().path()),
            query(request.uri().query().unwrap_or_default()),
        );
        let ours = sigv4_signature(&self.secret, SIGV4_REGION, &self.service, time, &canonical);
        match ours == signature && header(HOST.as_str()).is_some() {
            true => Ok(()),
            false => Err("InvalidSignatureException"),
        }
    }
}

/// The signature in hex over a request in its canonical form, with the key of the day in `time`.
#[must_use]
pub fn sigv4_signature(
    secret: &str,
    region: &str,
    service: &str,
    time: &str,
    canonical: &str,
) -> String {
    let date = time.get(..8).unwrap_or(time);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/aws4_request\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [date, region, service, "aws4_request"] {
        key = mac(&key, part);
    }
    hex::encode(mac(&key, &to_sign))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Each segment as it came, escaped once more.
fn path(path: &str) -> String {
    let segments: Vec<_> = path.split('/').map(sigv4_escaped).collect();
    segments.join("/")
}

fn query(query: &str) -> String {
    let mut pairs = BTreeMap::<_, Vec<_>>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let value = sigv4_escaped(&decoded(value));
        pairs
            .entry(sigv4_escaped(&decoded(name)))
            .or_default()
            .push(value);
    }
    let mut written = Vec::new();
    for (name, mut values) in pairs {
        values.sort();
        written.extend(values.into_iter().map(|value| format!("{name}={value}")));
    }
    written.join("&")
}

/// A text as AWS escapes it in a canonical request.
#[must_use]
pub fn sigv4_escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Whether a time, as `x-amz-date` writes it, is further from now than AWS allows.
#[must_use]
pub fn sigv4_is_skewed(time: &str) -> bool {
    let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time);
    let utc = jiff::tz::TimeZone::UTC;
    let parsed = parsed.ok().and_then(|time| time.to_zoned(utc).ok());
    let Some(theirs) = parsed else {
        return true;
    };
    let ours = SystemTime::now();
    let ours = jiff::Timestamp::try_from(ours).expect("a time");
    let apart = (ours.as_second() - theirs.timestamp().as_second()).unsigned_abs();
    apart > SKEW.as_secs()
}
