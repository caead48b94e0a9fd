//! One question to a token service, and its answer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use portolan_secret::{SecretBytes, SecretText};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use super::CredentialError;
use crate::EgressError;
use crate::http::{EndpointClient, ResponseBody, seconds_ahead};

/// The most bytes of an answer.
const MOST_BYTES: usize = 64 << 10;

/// The longest that one question may take, answer included.
const MOST_TIME: Duration = Duration::from_secs(30);

/// What is waited before the question is asked again, where the service was busy or out of order.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// A question: a `POST` over TLS.
pub(super) struct Question<'a> {
    pub(super) host: &'a str,
    /// With its leading `/`, every segment percent-encoded.
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: SecretText,
    pub(super) authorization: Option<HeaderValue>,
}

/// What came back.
pub(super) struct Answer {
    host: String,
    pub(super) status: StatusCode,
    body: SecretBytes,
    /// How many seconds this host's clock is ahead, where it is far enough to matter.
    pub(super) skew: Option<i64>,
}

impl Question<'_> {
    /// A form, as OAuth asks for it.
    pub(super) fn form<'a>(host: &'a str, path: String, pairs: &[(&str, &str)]) -> Question<'a> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        Question {
            host,
            path,
            content_type: "application/x-www-form-urlencoded",
            body: SecretText::new(form.finish()),
            authorization: None,
        }
    }

    /// Asks, and asks again where the service could not answer for the moment.
    pub(super) async fn ask(&self, client: &EndpointClient) -> Result<Answer, CredentialError> {
        for pause in PAUSES {
            match self.ask_once(client).await {
                Err(CredentialError::Egress(EgressError::Closed {
                    unanswered: true, ..
                })) => {}
                Ok(answer) if answer.is_passing() => {}
                answered => return answered,
            }
            sleep(pause).await;
        }
        let answer = self.ask_once(client).await?;
        match answer.is_passing() {
            true => Err(CredentialError::Unavailable {
                host: answer.host,
                status: answer.status.as_u16(),
            }),
            false => Ok(answer),
        }
    }

    async fn ask_once(&self, client: &EndpointClient) -> Result<Answer, CredentialError> {
        let exchange = async {
            let body = Bytes::from_owner(self.body.clone());
            let mut request = Request::builder()
                .method(Method::POST)
                .uri(format!("https://{}{}", self.host, self.path))
                .header(CONTENT_TYPE, self.content_type)
                .header(CONTENT_LENGTH, body.len())
                .header(ACCEPT, "application/json");
            if let Some(authorization) = &self.authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            let body = Full::new(body).map_err(|never| match never {});
            let request = request
                .body(body.boxed_unsync())
                .map_err(|_| self.unreadable())?;
            let (head, body) = client.send(request).await?.into_parts();
            Ok(Answer {
                host: self.host.to_owned(),
                status: head.status,
                skew: seconds_ahead(&head.headers, SystemTime::now()),
                body: self.read(body).await?,
            })
        };
        match timeout(MOST_TIME, exchange).await {
            Ok(answered) => answered,
            Err(_) => Err(EgressError::Silent {
                host: self.host.to_owned(),
                after: MOST_TIME,
            }
            .into()),
        }
    }

    async fn read(&self, mut body: ResponseBody) -> Result<SecretBytes, CredentialError> {
        // Room for all of it, so that a token that grows leaves no copies behind.
        let mut read = Vec::with_capacity(MOST_BYTES);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if read.len() + data.len() > MOST_BYTES {
                return Err(self.unreadable());
            }
            read.extend_from_slice(&data);
        }
        Ok(SecretBytes::new(read))
    }

    fn unreadable(&self) -> CredentialError {
        CredentialError::Unreadable {
            host: self.host.to_owned(),
        }
    }
}

impl Answer {
    /// Whether the service says that it could answer another time.
    fn is_passing(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// The answer in JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CredentialError> {
        serde_json::from_slice(self.body.expose()).map_err(|_| CredentialError::Unreadable {
            host: self.host.clone(),
        })
    }

    /// The error that the service refuses with.
    pub(super) fn refused(self, refusal: super::TokenRefusal) -> CredentialError {
        CredentialError::Refused {
            host: self.host,
            refusal,
        }
    }
}
