//! STS: keys for those who may take on a role.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use portolan_contract::AssumedRole;
use portolan_secret::SecretText;
use quick_xml::Reader;
use quick_xml::events::Event;
use tokio::time::{sleep, timeout};

use super::{AwsCredentialError, AwsKeys, TokenRefusal, sign};
use crate::EgressError;
use crate::http::{EndpointClient, RequestBody, ResponseBody, seconds_ahead};

/// The most bytes of an answer.
const MOST_BYTES: usize = 64 << 10;

/// The longest that one question may take, answer included.
const MOST_TIME: Duration = Duration::from_secs(30);

/// What is waited before a question is asked again, where the service was busy or out of order.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// How sessions are called in the account's log, unless a connection says otherwise.
const SESSION: &str = "portolan";

/// The version of the service that is spoken.
const VERSION: &str = "2011-06-15";

/// The token service of a region.
#[derive(Debug, Clone)]
pub struct TokenService {
    client: EndpointClient,
    host: String,
    port: u16,
    region: String,
    /// How sessions are called in the account's log.
    session: String,
}

/// Why there is no key: refused, or something on the way.
#[derive(Debug)]
pub(super) enum Failed {
    Refused(TokenRefusal, Option<&'static str>),
    Other(AwsCredentialError),
}

impl Failed {
    /// The error; `refused` says who was.
    pub(super) fn into_error(
        self,
        refused: impl FnOnce(TokenRefusal, Option<&'static str>) -> AwsCredentialError,
    ) -> AwsCredentialError {
        match self {
            Self::Refused(refusal, code) => refused(refusal, code),
            Self::Other(error) => error,
        }
    }
}

impl From<AwsCredentialError> for Failed {
    fn from(error: AwsCredentialError) -> Self {
        Self::Other(error)
    }
}

impl TokenService {
    /// The service at an endpoint of `client`, always over TLS; requests are signed for `region`.
    #[must_use]
    pub fn new(client: EndpointClient, host: &str, port: u16, region: &str) -> Self {
        Self {
            client,
            host: host.to_owned(),
            port,
            region: region.to_owned(),
            session: SESSION.to_owned(),
        }
    }

    /// The same service, which calls the sessions so in the account's log.
    #[must_use]
    pub fn with_session(mut self, session: &str) -> Self {
        session.clone_into(&mut self.session);
        self
    }

    /// Takes on a role. The session has the service's usual length, one hour.
    pub(super) async fn assume_role(
        &self,
        keys: &AwsKeys,
        role: &AssumedRole,
    ) -> Result<AwsKeys, Failed> {
        let mut pairs = vec![
            ("Action", "AssumeRole"),
            ("Version", VERSION),
            ("RoleArn", &role.role),
            ("RoleSessionName", &self.session),
        ];
        if let Some(external_id) = &role.external_id {
            pairs.push(("ExternalId", external_id));
        }
        self.ask(&pairs, Some(keys), "AssumeRole").await
    }

    /// Takes on a role with an identity that somebody else vouches for.
    pub(super) async fn assume_role_with_web_identity(
        &self,
        role: &str,
        session: Option<&str>,
        identity: &SecretText,
    ) -> Result<AwsKeys, Failed> {
        let pairs = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", VERSION),
            ("RoleArn", role),
            ("RoleSessionName", session.unwrap_or(&self.session)),
            ("WebIdentityToken", identity.expose()),
        ];
        self.ask(&pairs, None, "AssumeRoleWithWebIdentity").await
    }

    async fn ask(
        &self,
        pairs: &[(&str, &str)],
        keys: Option<&AwsKeys>,
        action: &str,
    ) -> Result<AwsKeys, Failed> {
        let form = form(pairs);
        let mut pauses = PAUSES.into_iter();
        loop {
            let answered = self.ask_once(form.clone(), keys).await;
            let passing = match &answered {
                Ok(answer) => answer.is_passing(),
                Err(AwsCredentialError::Egress(error)) => {
                    matches!(
                        error,
                        EgressError::Connect { after: None, .. } | EgressError::Closed { .. }
                    )
                }
                Err(_) => false,
            };
            if passing && let Some(pause) = pauses.next() {
                sleep(pause).await;
                continue;
            }
            let answer = answered?;
            return match answer.status {
                StatusCode::OK => self.keys(&answer, action),
                _ if passing => Err(Failed::Other(AwsCredentialError::Unavailable {
                    host: self.host.clone(),
                    status: answer.status.as_u16(),
                })),
                _ => {
                    let (refusal, code) = answer.refusal();
                    Err(Failed::Refused(refusal, code))
                }
            };
        }
    }

    async fn ask_once(
        &self,
        form: Bytes,
        keys: Option<&AwsKeys>,
    ) -> Result<Answer, AwsCredentialError> {
        let authority = match (self.host.contains(':'), self.port) {
            (true, port) => format!("[{}]:{port}", self.host),
            (false, 443) => self.host.clone(),
            (false, port) => format!("{}:{port}", self.host),
        };
        let mut request = Request::post(format!("https://{authority}/"))
            .header(
                CONTENT_TYPE,
                "application/x-www-form-urlencoded; charset=utf-8",
            )
            .body(form)
            .map_err(|_| AwsCredentialError::Unsignable)?;
        let now = SystemTime::now();
        if let Some(keys) = keys {
            sign(&mut request, keys, "sts", &self.region, now)?;
        }
        let length = request.body().len().into();
        request.headers_mut().insert(CONTENT_LENGTH, length);
        let request = request.map(|form| {
            let body = Full::new(form).map_err(|never| match never {});
            RequestBody::new(body)
        });
        let exchange = async {
            let (head, body) = self.client.send(request).await?.into_parts();
            Ok(Answer {
                status: head.status,
                skew: seconds_ahead(&head.headers, now).map(|ahead| -ahead),
                body: self.read(body).await?,
                asked: now,
            })
        };
        match timeout(MOST_TIME, exchange).await {
            Ok(answered) => answered,
            Err(_) => Err(EgressError::Silent {
                host: self.host.clone(),
                after: MOST_TIME,
            }
            .into()),
        }
    }

    async fn read(&self, mut body: ResponseBody) -> Result<Bytes, AwsCredentialError> {
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if read.len() + data.len() > MOST_BYTES {
                return Err(self.unreadable());
            }
            read.extend_from_slice(&data);
        }
        Ok(read.freeze())
    }

    fn keys(&self, answer: &Answer, action: &str) -> Result<AwsKeys, Failed> {
        let (response, result) = (format!("{action}Response"), format!("{action}Result"));
        let text = |name| {
            let path = [response.as_str(), &result, "Credentials", name];
            element(&answer.body, &path).ok_or_else(|| self.unreadable())
        };
        let end: jiff::Timestamp = text("Expiration")?.parse().map_err(|_| self.unreadable())?;
        Ok(AwsKeys {
            id: text("AccessKeyId")?,
            secret: SecretText::new(text("SecretAccessKey")?),
            token: Some(SecretText::new(text("SessionToken")?)),
            life: Some((answer.asked, end.into())),
        })
    }

    fn unreadable(&self) -> AwsCredentialError {
        AwsCredentialError::Unreadable {
            host: self.host.clone(),
        }
    }
}

/// A form, wiped when the last copy of it is dropped.
fn form(pairs: &[(&str, &str)]) -> Bytes {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    Bytes::from_owner(SecretText::new(form.finish()))
}

/// What came back.
struct Answer {
    status: StatusCode,
    body: Bytes,
    /// By how many seconds the service's clock is ahead, where that is enough to matter.
    skew: Option<i64>,
    asked: SystemTime,
}

impl Answer {
    /// Whether the service says that it could answer another time.
    fn is_passing(&self) -> bool {
        self.status.is_server_error()
            || self.status == StatusCode::TOO_MANY_REQUESTS
            || self.code().as_deref() == Some("Throttling")
    }

    fn code(&self) -> Option<String> {
        element(&self.body, &["ErrorResponse", "Error", "Code"])
    }

    /// What the answer means, and its code where it is a known one.
    fn refusal(&self) -> (TokenRefusal, Option<&'static str>) {
        let other = TokenRefusal::Other {
            status: self.status.as_u16(),
        };
        let Some(code) = self.code() else {
            return (other, None);
        };
        let (code, refusal) = match code.as_str() {
            "AccessDenied" => ("AccessDenied", TokenRefusal::Denied),
            // This service says so of clocks, too.
            "SignatureDoesNotMatch" => ("SignatureDoesNotMatch", self.or_skewed()),
            "InvalidClientTokenId" => ("InvalidClientTokenId", TokenRefusal::UnknownKey),
            "ExpiredToken" => ("ExpiredToken", TokenRefusal::Expired),
            "ExpiredTokenException" => ("ExpiredTokenException", TokenRefusal::Expired),
            "RequestExpired" => ("RequestExpired", self.or_skewed()),
            "InvalidIdentityToken" => ("InvalidIdentityToken", TokenRefusal::Denied),
            "IDPRejectedClaim" => ("IDPRejectedClaim", TokenRefusal::Denied),
            "ValidationError" => ("ValidationError", TokenRefusal::BadRole),
            "RegionDisabledException" => ("RegionDisabledException", TokenRefusal::RegionDisabled),
            _ => return (other, None),
        };
        (refusal, Some(code))
    }

    fn or_skewed(&self) -> TokenRefusal {
        match self.skew {
            Some(seconds) => TokenRefusal::ClockSkew { seconds },
            None => TokenRefusal::WrongSecret,
        }
    }
}

/// The text of the first element at this path, from the root on. Namespaces are not looked at.
fn element(document: &[u8], path: &[&str]) -> Option<String> {
    let mut reader = Reader::from_reader(document);
    // How deep the reader is, and how many of the elements around it are those of the path.
    let (mut depth, mut matched) = (0, 0);
    let mut text = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = path.get(matched).map(|name| name.as_bytes());
                if depth == matched && Some(start.local_name().as_ref()) == name {
                    matched += 1;
                }
                depth += 1;
            }
            Event::End(_) => {
                if depth == path.len() && matched == path.len() {
                    return Some(text.trim().to_owned());
                }
                depth = usize::checked_sub(depth, 1)?;
                matched = matched.min(depth);
            }
            Event::Text(part) if depth == path.len() && matched == depth => {
                text.push_str(&part.decode().ok()?);
            }
            Event::GeneralRef(part) if depth == path.len() && matched == depth => {
                match part.resolve_char_ref().ok()? {
                    Some(character) => text.push(character),
                    None => {
                        let name = part.decode().ok()?;
                        text.push_str(quick_xml::escape::resolve_predefined_entity(&name)?);
                    }
                }
            }
            Event::Eof | Event::DocType(_) => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str, skew: Option<i64>) -> (TokenRefusal, Option<&'static str>) {
        let answer = Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            body: Bytes::copy_from_slice(body.as_bytes()),
            skew,
            asked: SystemTime::UNIX_EPOCH,
        };
        answer.refusal()
    }

    fn error(code: &str) -> String {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>hunter2</Message></Error>\
             </ErrorResponse>"
        )
    }

    #[test]
    fn a_refusal_is_told_by_its_code() {
        let cases = [
            ("AccessDenied", TokenRefusal::Denied),
            ("SignatureDoesNotMatch", TokenRefusal::WrongSecret),
            ("InvalidClientTokenId", TokenRefusal::UnknownKey),
            ("ExpiredToken", TokenRefusal::Expired),
            ("ValidationError", TokenRefusal::BadRole),
        ];
        for (code, expected) in cases {
            assert_eq!(refusal(403, &error(code), None), (expected, Some(code)));
        }
        assert_eq!(
            refusal(403, &error("SignatureDoesNotMatch"), Some(-3600)).0,
            TokenRefusal::ClockSkew { seconds: -3600 }
        );
        for body in [
            "",
            "AccessDenied",
            &error("hunter2"),
            "<Error><Code>AccessDenied</Code></Error>",
        ] {
            assert_eq!(
                refusal(403, body, None),
                (TokenRefusal::Other { status: 403 }, None)
            );
        }
    }

    #[test]
    fn an_element_is_found_at_its_path_alone() {
        let found = |document: &str| element(document.as_bytes(), &["a", "b", "c"]);
        assert_eq!(
            found("<a><b><c> x&amp;y </c></b></a>"),
            Some("x&y".to_owned())
        );
        assert_eq!(
            found("<a><z><b><c>1</c></b></z><b><c>2</c></b></a>"),
            Some("2".to_owned())
        );
        assert_eq!(found("<a><c>1</c></a>"), None);
        assert_eq!(found("<b><c>1</c></b>"), None);
        assert_eq!(found("<a><b><c>1"), None);
        assert_eq!(found("<!DOCTYPE a><a><b><c>1</c></b></a>"), None);
        assert_eq!(found("</a>"), None);
    }
}
