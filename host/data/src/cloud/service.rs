//! Requests of `object_store` over the connection's own client.
//!
//! Its own retries are switched off ([`no_retries`](super::no_retries)): it decides by the kind of
//! an error and by statuses alone, gives up what it knows of the cause, and would follow its own
//! bounds beside ours. Here a request is repeated when that can help: where nothing of it arrived,
//! where the service says that it may do it later, and, for requests that do the same when they are
//! done twice, where nobody knows. A denial, a fault of TLS and a refusal are final.
//!
//! An answer that is no success is read here, from a bounded body, and becomes a
//! [`Refusal`](super::Refusal), unless `object_store` has to make something of its status (an object
//! that is missing, a condition that does not hold); then it is handed on without its body.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use portolan_contract::StoredPlan;
use portolan_egress::http::{EndpointClient, RequestBody, ResponseBody};
use portolan_secret::Scrubber;

use super::answer::MOST_BYTES;
use super::authorize::Authorize;
use super::body::{Streamed, beginning, carried, whole};
use super::retry::{self, Attempts};
use super::{Answer, Cause, CloudError, Dialect, Reading, Refusal, Retries};

/// Gives `object_store` the client of one connection. Cheap to clone.
///
/// What [`ClientOptions`] say of time-outs, proxies and certificates is not heeded: the client has
/// its own.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    client: EndpointClient,
    dialect: Arc<dyn Dialect>,
    secrets: Arc<Scrubber>,
    retries: Retries,
    identity: Option<Arc<dyn Authorize>>,
}

impl Connector {
    /// The connector of a plan, whose endpoints `client` reaches.
    pub(crate) fn new(
        client: EndpointClient,
        dialect: Arc<dyn Dialect>,
        plan: &StoredPlan,
    ) -> Self {
        let secrets = plan.secrets.iter().map(|(_, secret)| secret.expose());
        Self {
            client,
            dialect,
            secrets: Arc::new(Scrubber::new(secrets)),
            retries: Retries::default(),
            identity: None,
        }
    }

    /// The same, every request carrying what `identity` gives it.
    #[must_use]
    pub(crate) fn authorized(mut self, identity: Arc<dyn Authorize>) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The same over another client.
    #[must_use]
    pub(crate) fn with_client(mut self, client: EndpointClient) -> Self {
        self.client = client;
        self
    }

    /// The same for another dialect of the service.
    #[must_use]
    pub(crate) fn with_dialect(mut self, dialect: Arc<dyn Dialect>) -> Self {
        self.dialect = dialect;
        self
    }

    /// The client that it sends over.
    pub(crate) fn client(&self) -> &EndpointClient {
        &self.client
    }

    /// Sends a request as [`HttpService::call`] does, its errors being ours. For requests that
    /// `object_store` does not know.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, CloudError> {
        let (parts, body) = request.into_parts();
        let mut attempts = Attempts::new(self.retries);
        let mut renewed = false;
        loop {
            let body = RequestBody::new(body.clone().map_err(Into::into));
            let failed = match self.attempt(&parts, body).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if !renewed && failed.is_unauthorized() && self.renews() {
                // A token can end before its time. One that is new is tried once.
                renewed = true;
                continue;
            }
            let wait = match failed.repeatable {
                true => attempts.next(failed.wait),
                false => None,
            };
            let Some(wait) = wait else {
                return Err(failed.error);
            };
            tracing::debug!(
                service = self.dialect.words().service,
                method = %parts.method,
                wait = ?wait,
                "a request is repeated"
            );
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends a request whose body comes while it is sent, and so cannot be sent again.
    pub(crate) async fn send_once(
        &self,
        head: &Parts,
        body: RequestBody,
    ) -> Result<HttpResponse, CloudError> {
        let sent = self.attempt(head, body).await;
        sent.map_err(|failed| failed.error)
    }

    async fn attempt(&self, asked: &Parts, body: RequestBody) -> Result<HttpResponse, Failed> {
        let host = asked.uri.host().unwrap_or_default();
        let mut request = Request::new(body);
        *request.method_mut() = asked.method.clone();
        *request.uri_mut() = asked.uri.clone();
        *request.headers_mut() = asked.headers.clone();
        let repeatable = self.dialect.may_repeat(asked);
        let unheard = |error: CloudError| Failed {
            repeatable: match &error {
                CloudError::Egress(error) => retry::may_help(error, repeatable),
                // What a dialect has its own word for is final.
                _ => false,
            },
            wait: None,
            error,
        };
        if let Some(identity) = &self.identity {
            for (name, value) in identity.headers(&asked.uri).await.map_err(unheard)? {
                request.headers_mut().insert(name, value);
            }
        }
        let answer = self.client.send(request).await;
        let (mut head, body) = answer
            .map_err(|error| unheard(self.dialect.unreached(error)))?
            .into_parts();
        // The library below notes things of its own here, some of them the server's words.
        head.extensions.clear();
        if !head.status.is_success() {
            return self.refused(asked, head, body).await;
        }
        match self.dialect.reading(asked) {
            Reading::Stream => {
                let body = HttpResponseBody::new(Streamed(body));
                Ok(Response::from_parts(head, body))
            }
            Reading::Whole(most) => {
                let body = whole(body, host, most).await.map_err(unheard)?;
                if self.dialect.may_fail_in_success(asked) {
                    let answer = answer_of(asked, &head, body.clone());
                    if self.dialect.cause(asked, &answer).is_some() {
                        return Err(self.refusal(asked, &answer));
                    }
                }
                Ok(Response::from_parts(head, body.into()))
            }
        }
    }

    async fn refused(
        &self,
        asked: &Parts,
        head: http::response::Parts,
        body: ResponseBody,
    ) -> Result<HttpResponse, Failed> {
        let answer = answer_of(asked, &head, beginning(body, MOST_BYTES).await);
        if self.dialect.passes(asked, head.status) && self.dialect.cause(asked, &answer).is_none() {
            if head.status == StatusCode::RANGE_NOT_SATISFIABLE {
                return Err(Failed {
                    error: CloudError::BadRange,
                    repeatable: false,
                    wait: None,
                });
            }
            return Ok(Response::from_parts(head, Bytes::new().into()));
        }
        Err(self.refusal(asked, &answer))
    }

    /// What an answer about many says of one of them.
    pub(crate) fn refused_one(
        &self,
        asked: &Parts,
        answer: &Answer,
        cause: Cause,
        code: Option<&'static str>,
    ) -> CloudError {
        CloudError::Refused(Refusal::new(
            &*self.dialect,
            asked,
            answer,
            (cause, code),
            &self.secrets,
        ))
    }

    fn refusal(&self, asked: &Parts, answer: &Answer) -> Failed {
        let refusal = Refusal::of(&*self.dialect, asked, answer, &self.secrets);
        let repeatable = match refusal.cause() {
            // The service has done nothing, so it does not matter what the request was.
            Cause::Throttled | Cause::Conflict => true,
            Cause::ServerError => self.dialect.may_repeat(asked),
            _ => retry::passing(answer.status) && self.dialect.may_repeat(asked),
        };
        Failed {
            repeatable,
            wait: answer.retry_after(),
            error: CloudError::Refused(refusal),
        }
    }

    fn renews(&self) -> bool {
        self.identity
            .as_ref()
            .is_some_and(|identity| identity.renew())
    }
}

/// An attempt that failed.
struct Failed {
    error: CloudError,
    /// Whether another attempt can help.
    repeatable: bool,
    /// How long the service asks to wait.
    wait: Option<Duration>,
}

impl Failed {
    fn is_unauthorized(&self) -> bool {
        match &self.error {
            CloudError::Refused(refusal) => refusal.status() == StatusCode::UNAUTHORIZED.as_u16(),
            _ => false,
        }
    }
}

fn answer_of(asked: &Parts, head: &http::response::Parts, body: Bytes) -> Answer {
    Answer {
        method: asked.method.clone(),
        status: head.status,
        headers: head.headers.clone(),
        body,
        at: SystemTime::now(),
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.send(request).await.map_err(carried)
    }
}
