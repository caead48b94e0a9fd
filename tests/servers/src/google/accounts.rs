//! Accounts, their tokens, and who may act as whom.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use http::header::DATE;
use http::{Method, Request};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{ServiceAccount, bearer};
use crate::clock::Clock;
use crate::http_server::{Answer, answer};

/// What impersonation needs.
pub(super) const CLOUD_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What Google says of an assertion of another time.
const UNTIMELY: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a \
                        reasonable timeframe. Check your iat and exp values in the JWT claim.";

/// A user who has logged in once.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) client: String,
    pub(super) secret: String,
    pub(super) refresh_token: String,
}

#[derive(Debug)]
pub(super) struct Accounts {
    account: ServiceAccount,
    pub(super) user: User,
    /// Who may use the bucket.
    pub(super) owner: String,
    pub(super) lifetime: u64,
    pub(super) given: usize,
    /// By which assertions and tokens are judged.
    pub(super) clock: Clock,
    tokens: HashMap<String, (String, String, Timestamp)>,
    links: HashSet<(String, String)>,
}

impl Accounts {
    pub(super) fn new(account: ServiceAccount) -> Self {
        Self {
            owner: account.email.clone(),
            account,
            user: User {
                client: "client.apps.example".to_owned(),
                secret: "GOCSPX-s3cr3t-of-client".to_owned(),
                refresh_token: "1//r3fr3sh-t0k3n".to_owned(),
            },
            lifetime: 3599,
            given: 0,
            clock: Clock::default(),
            tokens: HashMap::new(),
            links: HashSet::new(),
        }
    }

    pub(super) fn allow(&mut self, caller: &str, target: &str) {
        self.links.insert((caller.to_owned(), target.to_owned()));
    }

    pub(super) fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    pub(super) fn tokens(&self) -> Vec<String> {
        self.tokens.keys().cloned().collect()
    }

    /// Whose a token is, and its scope.
    pub(super) fn holder(&self, token: &str) -> Option<(String, String)> {
        let (account, scope, end) = self.tokens.get(token)?;
        (*end > self.clock.now()).then(|| (account.clone(), scope.clone()))
    }

    pub(super) fn give(&mut self, account: &str, scope: &str) -> String {
        self.given += 1;
        let token = format!("ya29.t0k3n-{}-{account}", self.given);
        // Longer than it is told, so that no test depends on how busy the machine is.
        let end = self.clock.now() + Duration::from_secs(self.lifetime + 60);
        self.tokens
            .insert(token.clone(), (account.to_owned(), scope.to_owned(), end));
        token
    }

    /// `POST /token`, answered with the date that it is by the clock.
    pub(super) fn exchange(&mut self, request: &Request<Bytes>) -> Answer {
        let mut answer = self.exchanged(request);
        let date = self.clock.date().parse().expect("a header");
        answer.headers_mut().insert(DATE, date);
        answer
    }

    fn exchanged(&mut self, request: &Request<Bytes>) -> Answer {
        if request.method() != Method::POST || request.uri() != "/token" {
            return answer(404, &[], "");
        }
        let form: HashMap<_, _> = url::form_urlencoded::parse(request.body())
            .into_owned()
            .collect();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let (account, scope) = match field("grant_type") {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                let Some(claims) = self.account.key.verify(field("assertion")) else {
                    return oauth_error(400, "invalid_grant", "Invalid JWT Signature.");
                };
                if !self.accepts(&claims) {
                    return oauth_error(400, "invalid_grant", "Invalid JWT.");
                }
                if !self.is_now(&claims) {
                    return oauth_error(400, "invalid_grant", UNTIMELY);
                }
                let scope = claims["scope"].as_str().unwrap_or_default();
                (self.account.email.clone(), scope.to_owned())
            }
            "refresh_token" => {
                let user = &self.user;
                if (field("client_id"), field("client_secret")) != (&user.client, &user.secret) {
                    return oauth_error(401, "invalid_client", "Unauthorized");
                }
                if field("refresh_token") != user.refresh_token {
                    return oauth_error(400, "invalid_grant", "Token has been expired or revoked.");
                }
                // What such a user agrees to when they log in.
                (self.owner.clone(), CLOUD_SCOPE.to_owned())
            }
            _ => return oauth_error(400, "unsupported_grant_type", "Invalid grant_type"),
        };
        let token = self.give(&account, &scope);
        granted(&token, self.lifetime)
    }

    /// The claims beside the signature and the times.
    fn accepts(&self, claims: &Value) -> bool {
        claims["iss"] == self.account.email.as_str()
            && claims["aud"] == "https://oauth2.googleapis.com/token"
            && claims["scope"]
                .as_str()
                .is_some_and(|scope| !scope.is_empty())
    }

    /// Whether a claim is one of this hour.
    fn is_now(&self, claims: &Value) -> bool {
        let now = self.clock.now().as_second();
        let (issued, end) = (claims["iat"].as_i64(), claims["exp"].as_i64());
        issued
            .zip(end)
            .is_some_and(|(issued, end)| issued <= now + 30 && end > now && end - issued <= 3600)
    }

    /// `GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=SCOPE`.
    pub(super) fn attached(&mut self, account: &str, request: &Request<Bytes>) -> Answer {
        let header = |name| Some(request.headers().get(name)?.as_bytes());
        let named = header("host") == Some(b"metadata.google.internal");
        let asked = request.uri().to_string();
        let path = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=";
        let (true, Some(scope)) = (named, asked.strip_prefix(path)) else {
            return answer(404, &[], "");
        };
        // Without it a request could be one that somebody made the machine send.
        if header("metadata-flavor") != Some(b"Google") {
            return answer(403, &[], "");
        }
        let scope = percent_decode_str(scope).decode_utf8_lossy().into_owned();
        let token = self.give(account, &scope);
        granted(&token, self.lifetime)
    }

    /// `POST /v1/projects/-/serviceAccounts/ACCOUNT:generateAccessToken`.
    pub(super) fn impersonate(&mut self, request: &Request<Bytes>) -> Answer {
        let holder = bearer(request).and_then(|token| self.holder(token));
        let Some((caller, scope)) = holder else {
            return status_error(401, "UNAUTHENTICATED");
        };
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
        let target = path
            .strip_prefix("/v1/projects/-/serviceAccounts/")
            .and_then(|rest| rest.strip_suffix(":generateAccessToken"));
        let asked: Option<Value> = serde_json::from_slice(request.body()).ok();
        let (Some(target), Some(asked)) = (target, asked) else {
            return status_error(404, "NOT_FOUND");
        };
        if scope != CLOUD_SCOPE {
            return status_error(403, "PERMISSION_DENIED");
        }
        if target.starts_with("nobody@") {
            return status_error(404, "NOT_FOUND");
        }
        let mut chain = vec![caller];
        for delegate in asked["delegates"].as_array().into_iter().flatten() {
            let name = delegate.as_str().unwrap_or_default();
            let Some(name) = name.strip_prefix("projects/-/serviceAccounts/") else {
                return status_error(400, "INVALID_ARGUMENT");
            };
            chain.push(name.to_owned());
        }
        chain.push(target.to_owned());
        let holds = chain
            .windows(2)
            .all(|link| self.links.contains(&(link[0].clone(), link[1].clone())));
        if !holds {
            return status_error(403, "PERMISSION_DENIED");
        }
        let scope = asked["scope"][0].as_str().unwrap_or_default();
        let token = self.give(target, scope);
        let end = self.clock.now() + Duration::from_secs(self.lifetime);
        let end = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let body = json!({"accessToken": token, "expireTime": end});
        answer(
            200,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }
}

fn granted(token: &str, lifetime: u64) -> Answer {
    let body = json!({
        "access_token": token, "expires_in": lifetime, "token_type": "Bearer",
    });
    answer(
        200,
        &[("content-type", "application/json")],
        body.to_string(),
    )
}

fn oauth_error(status: u16, error: &str, text: &str) -> Answer {
    let body = json!({"error": error, "error_description": text}).to_string();
    answer(status, &[("content-type", "application/json")], body)
}

fn status_error(code: u16, status: &str) -> Answer {
    let body = json!({"error": {"code": code, "status": status, "message": "a text"}});
    answer(
        code,
        &[("content-type", "application/json")],
        body.to_string(),
    )
}
