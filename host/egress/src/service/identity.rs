//! How each kind of authentication is done, and where each may go whatever a manifest says.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use portolan_contract::{Authentication, Endpoint, RequestRule, StoredPlan};
use portolan_secret::{SecretBytes, SecretText};

use super::ServiceError;
use crate::Piece;
use crate::credentials::aws::{AwsKeys, CachedKeys, HostEnvironment, keys_of_plan, sign};
use crate::credentials::{
    AzureService, CredentialError, EntraTokens, GoogleTokens, Lent, OauthTokens,
};
use crate::http::{EndpointClient, normal};

/// The tokens and keys of one connection, each got when it is first needed.
pub(super) struct Identities {
    client: EndpointClient,
    plan: Arc<StoredPlan>,
    lent: Lent,
    /// The option whose value is the URL of the token service.
    token_url: Option<String>,
    /// By kind, and by service or scope.
    held: Mutex<HashMap<(&'static str, String), Held>>,
}

#[derive(Clone)]
enum Held {
    Keys(CachedKeys),
    Google(GoogleTokens),
    Entra(EntraTokens),
    Oauth(OauthTokens),
}

impl Identities {
    pub(super) fn new(
        client: EndpointClient,
        plan: Arc<StoredPlan>,
        lent: Lent,
        token_url: Option<String>,
    ) -> Self {
        Self {
            client,
            plan,
            lent,
            token_url,
            held: Mutex::default(),
        }
    }

    /// Refuses what may not go to an endpoint, whatever the manifest says.
    pub(super) fn check(
        &self,
        rule: &RequestRule,
        endpoint: &Endpoint,
        body: &[Piece<'_>],
    ) -> Result<(), ServiceError> {
        // Of a URI that promises TLS nothing secret goes out without it, whatever a plan says.
        let in_clear = endpoint.tls_profile.is_none() && self.plan.context.promises_tls();
        let elsewhere = |what| {
            let host = endpoint.host.clone();
            match in_clear {
                true => ServiceError::InClear { what, host },
                false => ServiceError::Elsewhere { what, host },
            }
        };
        let has_secret = body.iter().any(|piece| matches!(piece, Piece::Secret(_)));
        if in_clear && (has_secret || !rule.authentication.is_empty()) {
            return Err(elsewhere(match has_secret {
                true => "an opaque part",
                false => "what authenticates the connection",
            }));
        }
        let own = !in_clear && self.is_own_authority(endpoint);
        if rule.path.is_secret() && !own {
            return Err(elsewhere("the secret path of the connection"));
        }
        for (way, what) in [
            (Authentication::Basic, "the password of the connection"),
            (Authentication::SecretHeader, "a secret of the connection"),
            (Authentication::SecretQuery, "a secret of the connection"),
        ] {
            if rule.authenticates(way) && !own {
                return Err(elsewhere(what));
            }
        }
        let profile = endpoint.tls_profile.as_deref();
        let profile = profile.and_then(|name| self.plan.plan.tls_profile(name));
        let certified = profile.is_some_and(|profile| profile.client_certificate.is_some());
        // The handshake shows the certificate whatever the rule says, so that it is the rule that
        // has to know of it.
        if certified && !(own && rule.authenticates(Authentication::ClientCertificate)) {
            return Err(elsewhere("the client certificate of the connection"));
        }
        Ok(())
    }

    fn is_own_authority(&self, endpoint: &Endpoint) -> bool {
        let host = normal(&endpoint.host);
        let mut given = self.plan.context.authority().iter();
        given.any(|given| {
            normal(&given.host) == host
                && match given.port {
                    Some(port) => port == endpoint.port,
                    None => matches!(endpoint.port, 80 | 443),
                }
        })
    }

    /// Puts in what authenticates a request. A signature comes last: it covers the rest.
    ///
    /// Gives the secrets among it that the plan does not have.
    pub(super) async fn authenticate(
        &self,
        rule: &RequestRule,
        request: &mut Request<Bytes>,
    ) -> Result<Vec<SecretBytes>, ServiceError> {
        let mut fetched = Vec::new();
        for way in &rule.authentication {
            let value = match way {
                Authentication::Basic => self.basic()?,
                Authentication::SecretHeader => {
                    self.secret_header(rule, request)?;
                    None
                }
                Authentication::SigV4
                | Authentication::SecretQuery
                | Authentication::ClientCertificate => None,
                // Of what is added later every kind has a token until it says otherwise.
                _ => {
                    let value = self.token(*way, rule, request).await?;
                    let token = value.as_bytes().strip_prefix(b"Bearer ");
                    fetched.extend(token.and_then(|token| self.unplanned(token)));
                    Some(value)
                }
            };
            if let Some(value) = value {
                request.headers_mut().insert(AUTHORIZATION, value);
            }
        }
        if rule.authenticates(Authentication::SigV4) {
            let keys = self.sign(rule, request).await?;
            // The secret half is not sent.
            let token = keys.token.as_ref();
            fetched.extend(token.and_then(|token| self.unplanned(token.expose().as_bytes())));
        }
        Ok(fetched)
    }

    /// A secret, unless it is one of the plan's.
    fn unplanned(&self, secret: &[u8]) -> Option<SecretBytes> {
        let mut planned = self.plan.secrets.iter();
        let is_planned = planned.any(|(_, value)| value.expose() == secret);
        (!is_planned).then(|| SecretBytes::from(secret))
    }

    /// Lets go of a token that the service did not take, so that the next request gets another one.
    pub(super) fn answered(&self, rule: &RequestRule, status: StatusCode) {
        if status != StatusCode::UNAUTHORIZED {
            return;
        }
        for way in &rule.authentication {
            match self.held().get(&key(*way, rule)) {
                Some(Held::Google(tokens)) => tokens.forget(),
                Some(Held::Entra(tokens)) => tokens.forget(),
                Some(Held::Oauth(tokens)) => tokens.forget(),
                Some(Held::Keys(_)) | None => {}
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<(&'static str, String), Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is held for a way to authenticate; made where there is nothing yet.
    fn hold(
        &self,
        way: Authentication,
        rule: &RequestRule,
        make: impl FnOnce() -> Result<Held, ServiceError>,
    ) -> Result<Held, ServiceError> {
        let mut held = self.held();
        if let Some(held) = held.get(&key(way, rule)) {
            return Ok(held.clone());
        }
        let made = make()?;
        held.insert(key(way, rule), made.clone());
        Ok(made)
    }

    async fn token(
        &self,
        way: Authentication,
        rule: &RequestRule,
        request: &Request<Bytes>,
    ) -> Result<HeaderValue, ServiceError> {
        let (client, plan) = (&self.client, &*self.plan);
        let scope = rule.scope.as_deref();
        let held = self.hold(way, rule, || match way {
            Authentication::Google => {
                let scope = scope.unwrap_or_default();
                Ok(Held::Google(match self.lent_environment() {
                    Some(environment) => {
                        let machine = self.lent.metadata();
                        GoogleTokens::lent(client, plan, scope, environment, machine)?
                    }
                    None => GoogleTokens::of_plan(client, plan, scope)?,
                }))
            }
            Authentication::Entra => {
                let service = rule.service.as_deref().and_then(AzureService::named);
                let service = service.ok_or(ServiceError::Missing("service of Azure"))?;
                Ok(Held::Entra(match self.lent_environment() {
                    Some(environment) => {
                        let machine = self.lent.metadata();
                        EntraTokens::lent(client, plan, service, environment, machine)?
                    }
                    None => EntraTokens::of_plan(client, plan, service)?,
                }))
            }
            Authentication::OauthClientCredentials => {
                let option = self.token_url.as_deref();
                let option = option.ok_or(CredentialError::Missing("token service"))?;
                let tokens = OauthTokens::of_plan(client, plan, option, scope)?;
                Ok(Held::Oauth(tokens))
            }
            _ => Err(ServiceError::Missing("credentials that this host knows")),
        })?;
        let uri = request.uri();
        Ok(match held {
            Held::Google(tokens) => tokens.authorization(uri).await?,
            Held::Entra(tokens) => tokens.authorization(uri).await?,
            Held::Oauth(tokens) => tokens.authorization(uri).await?,
            Held::Keys(_) => return Err(ServiceError::Missing("token")),
        })
    }

    /// The variables of the host, where the plan asks for what is lent and something is.
    fn lent_environment(&self) -> Option<HostEnvironment> {
        match self.plan.plan.setting("credentials") {
            Some("implicit") => self.lent.environment().cloned(),
            _ => None,
        }
    }

    async fn sign(
        &self,
        rule: &RequestRule,
        request: &mut Request<Bytes>,
    ) -> Result<Arc<AwsKeys>, ServiceError> {
        let region = self.plan.plan.setting("region");
        let region = region.ok_or(ServiceError::Missing("region"))?;
        let service = rule.service.as_deref();
        let service = service.ok_or(ServiceError::Missing("service of AWS"))?;
        let held = self.hold(Authentication::SigV4, rule, || {
            let keys = keys_of_plan(&self.plan, &self.client, &self.lent, Some(region))?;
            Ok(Held::Keys(keys))
        })?;
        let Held::Keys(keys) = held else {
            return Err(ServiceError::Missing("key"));
        };
        let keys = keys.get().await?;
        sign(request, &keys, service, region, SystemTime::now())?;
        Ok(keys)
    }

    /// User and password, where the plan has them.
    fn basic(&self) -> Result<Option<HeaderValue>, ServiceError> {
        let Some(pair) = self.plan.secret("basic") else {
            return Ok(None);
        };
        let encoded = SecretText::new(BASE64_STANDARD.encode(pair.expose()));
        let text = SecretText::new(format!("Basic {}", encoded.expose()));
        secret_value(&text.into()).map(Some)
    }

    fn secret_header(
        &self,
        rule: &RequestRule,
        request: &mut Request<Bytes>,
    ) -> Result<(), ServiceError> {
        let name = rule.header.as_deref().map(HeaderName::try_from);
        let Some(Ok(name)) = name else {
            return Err(ServiceError::Missing("header"));
        };
        if let Some(value) = self.plan.secret("header") {
            request.headers_mut().insert(name, secret_value(value)?);
        }
        Ok(())
    }
}

fn secret_value(value: &SecretBytes) -> Result<HeaderValue, ServiceError> {
    let value = HeaderValue::from_bytes(value.expose());
    let mut value = value.map_err(|_| ServiceError::Unwritable("a secret of the connection"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What is held is one for a kind, and for a service or scope.
fn key(way: Authentication, rule: &RequestRule) -> (&'static str, String) {
    let of = |field: &Option<String>| field.clone().unwrap_or_default();
    match way {
        // One key serves all services.
        Authentication::SigV4 => ("sigv4", String::new()),
        Authentication::Google => ("google", of(&rule.scope)),
        Authentication::Entra => ("entra", of(&rule.service)),
        _ => ("oauth", of(&rule.scope)),
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identities")
    }
}
