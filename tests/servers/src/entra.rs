//! A stand-in for the token endpoint of Microsoft Entra.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::FutureExt;
use http::Request;
use serde_json::json;

use crate::Authority;
use crate::http_server::{Answer, HttpServer, answer};

/// An application that the stand-in knows.
#[derive(Debug, Clone)]
pub struct EntraApplication {
    /// The tenant that it belongs to.
    pub tenant: String,
    /// Its client id.
    pub client: String,
    /// Its secret.
    pub secret: String,
}

/// Answers the client-credentials grant with the documented codes. Its tokens have the claims that
/// a service looks at, and no signature: that a service checks one is not proved.
#[derive(Debug)]
pub struct EntraStandIn {
    server: HttpServer,
    state: Arc<Mutex<State>>,
}

/// The tokens that a stand-in has given.
#[derive(Debug)]
pub(crate) struct GivenTokens(Arc<Mutex<State>>);

impl GivenTokens {
    /// Whether a token was given, and for this audience.
    pub(crate) fn are_of(&self, token: &str, audience: &str) -> bool {
        let state = self.0.lock().expect("a lock");
        state.tokens.get(token).is_some_and(|it| it == audience)
    }
}

#[derive(Debug)]
struct State {
    application: EntraApplication,
    /// What another authority says of the application, where the tenant trusts one.
    identity: Option<String>,
    lifetime: u64,
    has_ended: bool,
    given: usize,
    /// Each token, and the audience that it was given for.
    tokens: HashMap<String, String>,
    /// Whether tokens are not kept there.
    worthless: bool,
    /// Everything is answered with this, where it is set.
    instead: Option<Answer>,
}

impl EntraStandIn {
    /// Knows one application, and is called by these names.
    #[must_use]
    pub fn start(authority: &Authority, names: &[&str], application: EntraApplication) -> Self {
        let state = Arc::new(Mutex::new(State {
            application,
            identity: None,
            lifetime: 3599,
            has_ended: false,
            given: 0,
            tokens: HashMap::new(),
            worthless: false,
            instead: None,
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

    /// A token for this audience, as a metadata service hands one to its machine.
    #[must_use]
    pub fn token(&self, audience: &str) -> String {
        self.state.lock().expect("a lock").token(audience)
    }

    /// The tokens that it gives, for a service that takes them.
    pub(crate) fn given_tokens(&self) -> GivenTokens {
        GivenTokens(Arc::clone(&self.state))
    }

    /// Gives tokens that no service takes from now on, as those of another tenant are.
    pub fn give_worthless_tokens(&self) {
        self.state.lock().expect("a lock").worthless = true;
    }

    /// How many tokens it has given.
    #[must_use]
    pub fn given(&self) -> usize {
        self.state.lock().expect("a lock").given
    }

    /// The tokens that it has given, and that are taken.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        let state = self.state.lock().expect("a lock");
        state.tokens.keys().cloned().collect()
    }

    /// Ends the application's secret.
    pub fn end_secret(&self) {
        self.state.lock().expect("a lock").has_ended = true;
    }

    /// Takes this in the place of the secret: what another authority says of the application.
    pub fn trust(&self, identity: &str) {
        self.state.lock().expect("a lock").identity = Some(identity.to_owned());
    }

    /// Gives tokens that live so many seconds.
    pub fn set_lifetime(&self, seconds: u64) {
        self.state.lock().expect("a lock").lifetime = seconds;
    }

    /// Answers everything with this from now on.
    pub fn answer_with(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let instead = answer(status, headers, body.to_owned());
        self.state.lock().expect("a lock").instead = Some(instead);
    }
}

impl State {
    fn answer(&mut self, request: &Request<Bytes>) -> Answer {
        if let Some(instead) = &self.instead {
            return instead.clone();
        }
        let application = &self.application;
        let form: HashMap<_, _> = url::form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let tenant = request
            .uri()
            .path()
            .strip_suffix("/oauth2/v2.0/token")
            .and_then(|path| path.strip_prefix('/'));
        if request.method() != http::Method::POST || request.uri().query().is_some() {
            return answer(404, &[], "");
        }
        if tenant != Some(&application.tenant) {
            return refused(400, "invalid_request", 90_002, "Tenant not found.");
        }
        if field("grant_type") != "client_credentials" {
            return refused(400, "unsupported_grant_type", 70_003, "No such grant.");
        }
        if field("client_id") != application.client {
            return refused(
                400,
                "unauthorized_client",
                700_016,
                "Application not found.",
            );
        }
        let assertion = field("client_assertion_type")
            == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        if assertion {
            if self.identity.as_deref() != Some(field("client_assertion")) {
                return refused(401, "invalid_client", 700_024, "No such assertion.");
            }
        } else if field("client_secret") != application.secret {
            let text = format!("Invalid client secret provided: {}", field("client_secret"));
            return refused(401, "invalid_client", 7_000_215, &text);
        } else if self.has_ended {
            return refused(
                401,
                "invalid_client",
                7_000_222,
                "The provided client secret keys are expired.",
            );
        }
        let Some(audience) = field("scope").strip_suffix("/.default") else {
            return refused(400, "invalid_scope", 70_011, "The scope is not valid.");
        };
        let audience = audience.to_owned();
        let token = self.token(&audience);
        let body = json!({
            "token_type": "Bearer", "expires_in": self.lifetime, "access_token": token,
        });
        answer(
            200,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }
}

impl State {
    /// A token with the claims that a service looks at.
    fn token(&mut self, audience: &str) -> String {
        self.given += 1;
        let now = SystemTime::now();
        let now = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
        let application = &self.application;
        let claims = json!({
            "aud": audience, "iss": format!("https://sts.windows.net/{}/", application.tenant),
            "iat": now, "nbf": now, "exp": now + 3600, "appid": application.client,
            "tid": application.tenant, "jti": self.given,
        });
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let token = format!(
            "{}.{}.unsigned",
            BASE64_URL_SAFE_NO_PAD.encode(header.to_string()),
            BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        if !self.worthless {
            self.tokens.insert(token.clone(), audience.to_owned());
        }
        token
    }
}

fn refused(status: u16, error: &str, code: u64, text: &str) -> Answer {
    let body = json!({
        "error": error, "error_codes": [code],
        "error_description": format!("AADSTS{code}: {text}"),
    });
    answer(
        status,
        &[("content-type", "application/json")],
        body.to_string(),
    )
}
