//! The key that AWS gives to the machine itself: an instance, a task of ECS or a pod of EKS.

use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use portolan_secret::SecretText;
use serde::Deserialize;

use super::{AwsCredentialError, AwsKeys, AwsSource, HostEnvironment};
use crate::credentials::identity_file;
use crate::{MetadataAnswer, MetadataClient, MetadataService};

/// How long a session with the instance metadata service lives, in seconds: its longest.
const SESSION_SECONDS: &str = "21600";

/// Where the instance metadata service tells its role, and below it the role's key.
const ROLE: &str = "/latest/meta-data/iam/security-credentials/";

/// What a pod's variable holds before the path: the pod identity agent, and nobody else.
const POD_AGENT: &str = "http://169.254.170.23";

/// The key of the machine, in the order of AWS's own tools: of the task whose path
/// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` holds, of the pod that
/// `AWS_CONTAINER_CREDENTIALS_FULL_URI` leads to its agent, or of the instance, in sessions
/// (IMDSv2). It is asked for through the guard of metadata services, so whatever a variable holds,
/// only their fixed addresses are dialled.
#[derive(Debug)]
pub struct MachineKeys {
    client: MetadataClient,
    environment: HostEnvironment,
}

/// The document with a key, of which every service writes the same members.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<jiff::Timestamp>,
}

impl MachineKeys {
    /// Asks this client; the variables say where.
    #[must_use]
    pub fn new(client: MetadataClient, environment: HostEnvironment) -> Self {
        Self {
            client,
            environment,
        }
    }

    async fn of_instance(&self) -> Result<MetadataAnswer, AwsCredentialError> {
        let service = MetadataService::AwsInstance;
        let session = Request::builder()
            .method(Method::PUT)
            .uri("/latest/api/token")
            .header("x-aws-ec2-metadata-token-ttl-seconds", SESSION_SECONDS);
        let session = self.ask(service, session).await?;
        let session = text(&session)?;
        let with_session = |path: &str| {
            let request = Request::builder().uri(path);
            request.header("x-aws-ec2-metadata-token", session.expose())
        };
        let role = self.ask(service, with_session(ROLE)).await?;
        let role = text(&role)?;
        let role = role.expose().lines().next().unwrap_or_default();
        // It becomes part of a path.
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if role.is_empty() || !role.bytes().all(in_name) {
            return Err(AwsCredentialError::NoMachine);
        }
        self.ask(service, with_session(&format!("{ROLE}{role}")))
            .await
    }

    async fn of_pod(&self, path: &str) -> Result<MetadataAnswer, AwsCredentialError> {
        let mut request = Request::builder().uri(path);
        if let Some(identity) = self.pod_identity().await? {
            request = request.header("authorization", identity.expose());
        }
        self.ask(MetadataService::AwsPod, request).await
    }

    async fn pod_identity(&self) -> Result<Option<SecretText>, AwsCredentialError> {
        let name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
        let Some(file) = self.environment.get(name) else {
            return Ok(self.environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
        };
        match identity_file::read(file).await {
            Some(identity) => Ok(Some(identity)),
            None => Err(AwsCredentialError::NoMachine),
        }
    }

    async fn ask(
        &self,
        service: MetadataService,
        request: http::request::Builder,
    ) -> Result<MetadataAnswer, AwsCredentialError> {
        let request = request
            .body(Bytes::new())
            .map_err(|_| AwsCredentialError::NoMachine)?;
        let answer = self.client.send(service, request).await?;
        match answer.status {
            StatusCode::OK => Ok(answer),
            _ => Err(AwsCredentialError::NoMachine),
        }
    }
}

#[async_trait]
impl AwsSource for MachineKeys {
    async fn fetch(&self) -> Result<AwsKeys, AwsCredentialError> {
        let variable = |name| self.environment.get(name);
        let answer = if let Some(path) = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            let request = Request::builder().uri(path.expose());
            self.ask(MetadataService::AwsTask, request).await?
        } else if let Some(uri) = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            let path = uri.expose().strip_prefix(POD_AGENT);
            let path = path.filter(|path| path.starts_with('/'));
            self.of_pod(path.ok_or(AwsCredentialError::NoMachine)?)
                .await?
        } else {
            self.of_instance().await?
        };
        let document: Document = serde_json::from_slice(answer.body.expose())
            .map_err(|_| AwsCredentialError::NoMachine)?;
        Ok(AwsKeys {
            id: document.access_key_id,
            secret: SecretText::new(document.secret_access_key),
            token: document.token.map(SecretText::new),
            life: document
                .expiration
                .map(|end| (SystemTime::now(), SystemTime::from(end))),
        })
    }
}

fn text(answer: &MetadataAnswer) -> Result<SecretText, AwsCredentialError> {
    let text = str::from_utf8(answer.body.expose()).map_err(|_| AwsCredentialError::NoMachine)?;
    Ok(SecretText::new(text.trim()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const KEY: &str = r#"{"Code":"Success","AccessKeyId":"ASIAMACHINE","SecretAccessKey":"hunter2hunter2","Token":"tok","Expiration":"2126-01-01T00:00:00Z"}"#;

    /// Answers as the metadata services are documented to; proves nothing of the real ones.
    #[expect(
        clippy::disallowed_methods,
        reason = "the services of this test are on loopback"
    )]
    async fn stand_in() -> MetadataClient {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a client");
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(stream.read_u8().await.expect("a request"));
                }
                let asked = String::from_utf8(asked).expect("text");
                let line = asked.lines().next().expect("a line");
                let in_session = asked.contains("x-aws-ec2-metadata-token: session\r\n");
                let body = match line {
                    "PUT /latest/api/token HTTP/1.1" => "session",
                    "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1" if in_session => {
                        "backup-role"
                    }
                    "GET /latest/meta-data/iam/security-credentials/backup-role HTTP/1.1"
                        if in_session =>
                    {
                        KEY
                    }
                    "GET /v2/credentials/1 HTTP/1.1" => KEY,
                    "GET /v1/credentials HTTP/1.1"
                        if asked.contains("authorization: identity\r\n") =>
                    {
                        KEY
                    }
                    _ => "",
                };
                let status = if body.is_empty() { "401 No" } else { "200 OK" };
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        MetadataClient::on_loopback(port, Duration::from_secs(5))
    }

    async fn fetched(variables: &[(&str, &str)]) -> Result<AwsKeys, AwsCredentialError> {
        let environment = HostEnvironment::of(variables.iter().copied());
        MachineKeys::new(stand_in().await, environment)
            .fetch()
            .await
    }

    #[tokio::test]
    async fn each_machine_has_its_key_from_its_own_service() {
        for variables in [
            &[][..],
            &[(
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "/v2/credentials/1",
            )],
            &[
                (
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    "http://169.254.170.23/v1/credentials",
                ),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "identity"),
            ],
        ] {
            let keys = fetched(variables).await.expect("a key");
            assert_eq!(keys.id, "ASIAMACHINE");
            assert_eq!(keys.secret.expose(), "hunter2hunter2");
            assert!(keys.life.is_some() && keys.token.is_some());
            assert!(!format!("{keys:?}").contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn a_variable_leads_to_no_other_server_than_the_agent_of_pods() {
        for uri in [
            "http://attacker.example/v1/credentials",
            "http://169.254.170.23@attacker.example/",
            "http://169.254.170.23.attacker.example/",
            "https://169.254.170.23/v1/credentials",
        ] {
            let refused = fetched(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)]).await;
            assert_eq!(refused, Err(AwsCredentialError::NoMachine), "{uri}");
        }
    }

    #[tokio::test]
    async fn a_service_that_refuses_gives_no_key_and_says_what_to_do() {
        let variables = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/other")];
        let error = fetched(&variables).await.expect_err("refused");
        assert_eq!(
            error.to_string(),
            "the metadata service of this machine gives no credentials of AWS"
        );
        assert_eq!(error.class().sqlstate(), "0A000");
        assert!(error.hint().contains("attach a role"), "{}", error.hint());
    }
}
