//! moto, an emulator of AWS, with a user, two roles and a bucket, its signatures and policies in
//! force: S3, the token service and their policies in one process beside this one.

#![allow(
    clippy::disallowed_methods,
    reason = "the test starts a server, and talks to it before a host does"
)]

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use portolan::{ConnectTo, EgressOptions, TrustRoots};
use rcgen::{CertificateParams, KeyPair};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::front::{BUCKET, HOST, REGION, TOKEN_HOST};

/// The first role, which trusts the user with this external id.
pub(crate) const ROLE_ONE: &str = "arn:aws:iam::123456789012:role/one";
/// The second role, which trusts the first, and may do everything in the bucket.
pub(crate) const ROLE_TWO: &str = "arn:aws:iam::123456789012:role/two";
pub(crate) const EXTERNAL_ID: &str = "harbour/17";

/// The session of the first role as moto names it.
const SESSION_ONE: &str = "arn:aws:sts::123456789012:assumed-role/one/portolan";

/// How many requests are answered without a signature: those of [`Moto::furnish`].
const UNSIGNED: usize = 9;

/// How long a busy machine may take to start Python.
const MOST_START: Duration = Duration::from_secs(120);

/// The parts of a key.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Of a session.
    pub(crate) token: Option<String>,
}

/// A running emulator; it ends with this.
pub(crate) struct Moto {
    process: Child,
    address: SocketAddr,
    /// Its certificate, which is its own authority.
    certificate: String,
    connector: TlsConnector,
    /// The user's, who may write and read objects and take on the first role.
    pub(crate) user: Key,
    /// A session of the second role.
    pub(crate) session: Key,
    _directory: TempDir,
}

impl Moto {
    pub(crate) async fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../target/servers/moto-5.2.5/bin/moto_server");
        let missing = "moto is not there: run tests/servers/install";
        let program = program.canonicalize().expect(missing);
        let directory = tempfile::tempdir().expect("a directory");
        let key = KeyPair::generate().expect("a key");
        let names = [HOST, TOKEN_HOST].map(str::to_owned);
        let parameters = CertificateParams::new(names).expect("names");
        let certificate = parameters.self_signed(&key).expect("signed");
        let root = directory.path().to_owned();
        let path = |name: &str| root.join(name);
        std::fs::write(path("certificate.pem"), certificate.pem()).expect("written");
        std::fs::write(path("key.pem"), key.serialize_pem()).expect("written");
        // Free now; whoever takes it meanwhile makes the start fail.
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = free.expect("a free port");
        let log = File::create(path("log")).expect("a file");
        let mut command = Command::new(program);
        command
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .arg("-c")
            .arg(path("certificate.pem"))
            .arg("-k")
            .arg(path("key.pem"))
            .env("INITIAL_NO_AUTH_ACTION_COUNT", UNSIGNED.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log);
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.der().clone()).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let nobody = || Key {
            id: String::new(),
            secret: String::new(),
            token: None,
        };
        let mut moto = Self {
            process: command.spawn().expect("it starts"),
            address,
            certificate: certificate.pem(),
            connector: TlsConnector::from(Arc::new(config)),
            user: nobody(),
            session: nobody(),
            _directory: directory,
        };
        moto.listens(&path("log")).await;
        moto.furnish().await;
        moto
    }

    async fn listens(&mut self, log: &Path) {
        let started = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            let ended = self.process.try_wait().expect("a process");
            assert!(
                ended.is_none() && started.elapsed() < MOST_START,
                "moto does not start: {}",
                std::fs::read_to_string(log).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes the user, the roles and the bucket, before signatures are asked for.
    async fn furnish(&mut self) {
        let user = "arn:aws:iam::123456789012:user/ana";
        let trust = |principal: &str, condition: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"{principal}"}}{condition}}}]}}"#
            )
        };
        let allow = |actions: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
            )
        };
        let condition =
            format!(r#","Condition":{{"StringEquals":{{"sts:ExternalId":"{EXTERNAL_ID}"}}}}"#);
        let made = |answer: &str, token: bool| Key {
            id: element(answer, "AccessKeyId"),
            secret: element(answer, "SecretAccessKey"),
            token: token.then(|| element(answer, "SessionToken")),
        };

        let ana = ("UserName", "ana");
        self.iam("CreateUser", &[ana]).await;
        self.user = made(&self.iam("CreateAccessKey", &[ana]).await, false);
        let policy = allow(r#""s3:PutObject","s3:GetObject","sts:AssumeRole""#);
        let policy = [ana, ("PolicyName", "p"), ("PolicyDocument", &policy)];
        self.iam("PutUserPolicy", &policy).await;
        for (role, trust, actions) in [
            ("one", trust(user, &condition), r#""sts:AssumeRole""#),
            ("two", trust(SESSION_ONE, ""), r#""s3:*""#),
        ] {
            let role = ("RoleName", role);
            self.iam("CreateRole", &[role, ("AssumeRolePolicyDocument", &trust)])
                .await;
            let policy = allow(actions);
            let policy = [role, ("PolicyName", "p"), ("PolicyDocument", &policy)];
            self.iam("PutRolePolicy", &policy).await;
        }
        let session = [("RoleArn", ROLE_TWO), ("RoleSessionName", "by-hand")];
        let session = self.form("sts", "AssumeRole", "2011-06-15", &session).await;
        self.session = made(&session, true);
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        self.ask(Method::PUT, "s3", &format!("/{BUCKET}"), place)
            .await;
    }

    async fn iam(&self, action: &str, form: &[(&str, &str)]) -> String {
        self.form("iam", action, "2010-05-08", form).await
    }

    async fn form(
        &self,
        service: &str,
        action: &str,
        version: &str,
        form: &[(&str, &str)],
    ) -> String {
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in form {
            let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            body.push_str(&format!("&{name}={value}"));
        }
        self.ask(Method::POST, service, "/", body).await
    }

    async fn ask(&self, method: Method, service: &str, path: &str, body: String) -> String {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        let name = ServerName::try_from(HOST).expect("a name");
        let stream = self.connector.connect(name, stream).await.expect("TLS");
        let stream = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream)
            .await
            .expect("HTTP");
        let connection = tokio::spawn(connection);
        // It finds the service by the scope of a signature, which it does not verify yet.
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=NOBODY/20261125/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        let content = match method {
            Method::POST => "application/x-www-form-urlencoded",
            _ => "application/xml",
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, format!("{service}.{REGION}.amazonaws.com"))
            .header(header::AUTHORIZATION, scope)
            .header(header::CONTENT_TYPE, content)
            .body(Full::<bytes::Bytes>::from(body))
            .expect("a request");
        let answer: Response<_> = sender.send_request(request).await.expect("an answer");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a body");
        drop(sender);
        let _ = connection.await;
        let body = String::from_utf8(body.to_bytes().to_vec()).expect("text");
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    /// How the client gets there.
    pub(crate) fn options(&self) -> EgressOptions {
        let mut connect_to = ConnectTo::default();
        for host in [HOST, TOKEN_HOST, "nowhere.s3.eu-north-1.amazonaws.com"] {
            connect_to
                .add(&format!("{host}:443"), &self.address.to_string())
                .expect("a line");
        }
        EgressOptions {
            connect_to,
            roots: TrustRoots::nobody()
                .with_pem(self.certificate.as_bytes())
                .expect("an authority"),
            ..EgressOptions::default()
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The text of an element.
fn element(document: &str, name: &str) -> String {
    let (_, rest) = document.split_once(&format!("<{name}>")).expect(name);
    let (text, _) = rest.split_once("</").expect(name);
    text.to_owned()
}
