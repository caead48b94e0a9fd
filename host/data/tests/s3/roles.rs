//! Chains of roles, and what a host lends.
//!
//! The token service is a stand-in of this file: it recomputes every signature, body included, and
//! keeps who may take on what. What it does not prove: that AWS itself accepts the requests, or
//! answers in these words.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan_contract::AssumedRole;
use portolan_data::{Backends, Lent};
use portolan_egress::credentials::aws::HostEnvironment;
use portolan_egress::tls::TrustRoots;
use portolan_egress::{ConnectTo, Egress, EgressOptions};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use super::server::*;

const ROLE_ONE: &str = "arn:aws:iam::111111111111:role/one";
const ROLE_TWO: &str = "arn:aws:iam::222222222222:role/two";
const EXTERNAL_ID: &str = "known between the two";

/// What the stand-in knows.
struct TokenServer {
    /// Secrets and tokens by key.
    keys: Mutex<HashMap<String, (String, Option<String>)>>,
    /// Actions and roles, in order, with the key that asked.
    asked: Mutex<Vec<(String, String)>>,
    lifetime: i64,
    /// The sessions of the bucket, and how long they really live.
    sessions: Option<(Sessions, std::time::Duration)>,
    /// An answer in the place of every other.
    always: Option<(u16, &'static str)>,
}

impl TokenServer {
    fn new() -> Self {
        let known = (SECRET.to_owned(), None);
        Self {
            keys: Mutex::new(HashMap::from([(KEY.to_owned(), known)])),
            asked: Mutex::default(),
            lifetime: 3600,
            sessions: None,
            always: None,
        }
    }

    fn answer(&self, head: &Parts, body: &Bytes) -> Response<Body> {
        let form: HashMap<_, _> = url::form_urlencoded::parse(body).into_owned().collect();
        let action = form["Action"].clone();
        if let Some((status, code)) = self.always {
            return error(status, code);
        }
        let signer = match action.as_str() {
            "AssumeRole" => match self.verify(head, body) {
                Ok(signer) => signer,
                Err(code) => return error(403, code),
            },
            _ if form["WebIdentityToken"] == "the identity of this host" => "identity".to_owned(),
            _ => return error(400, "InvalidIdentityToken"),
        };
        let role = form["RoleArn"].clone();
        let external_id = form.get("ExternalId").map(String::as_str);
        let trusted = match role.as_str() {
            ROLE_ONE => external_id == Some(EXTERNAL_ID) || action != "AssumeRole",
            // Only the session of the first role may take on the second.
            ROLE_TWO => signer.starts_with("ASIAONE"),
            _ => false,
        };
        self.asked
            .lock()
            .expect("lock")
            .push((signer, role.clone()));
        if !trusted {
            return error(403, "AccessDenied");
        }
        let mut keys = self.keys.lock().expect("lock");
        let name = match role == ROLE_ONE {
            true => "ONE",
            false => "TWO",
        };
        let id = format!("ASIA{name}{:013}", keys.len());
        // The last role's session is a key that the bucket's server knows.
        let (id, secret) = match (role.as_str(), action.as_str()) {
            (ROLE_TWO, _) | (_, "AssumeRoleWithWebIdentity") => (KEY.to_owned(), SECRET.to_owned()),
            _ => (id.clone(), format!("secret-of-{id}")),
        };
        let mut token = format!("token-of-{name}");
        if let Some((sessions, lifetime)) = &self.sessions {
            let number = self.asked.lock().expect("lock").len();
            token = format!("{token}-{number}");
            sessions.begin(&token, *lifetime);
        }
        // The connection's own key stays one without a token.
        keys.entry(id.clone())
            .or_insert((secret.clone(), Some(token.clone())));
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(self.lifetime);
        xml(
            200,
            format!(
                "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                 <{action}Result><Credentials><AccessKeyId>{id}</AccessKeyId>\
                 <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
                 <Expiration>{end}</Expiration></Credentials></{action}Result></{action}Response>"
            ),
        )
    }

    /// The key that signed a request, its signature recomputed.
    fn verify(&self, head: &Parts, body: &Bytes) -> Result<String, &'static str> {
        let text = |name: &str| {
            let value = head.headers.get(name).expect(name);
            value.to_str().expect("text").to_owned()
        };
        let authorization = text("authorization");
        let part = |name: &str| {
            let rest = authorization.split(name).nth(1).expect(name);
            rest.split(',').next().expect("a part").trim().to_owned()
        };
        let (credential, signed) = (part("Credential="), part("SignedHeaders="));
        let (id, scope) = credential.split_once('/').expect("a scope");
        let (secret, token) = match self.keys.lock().expect("lock").get(id) {
            Some(known) => known.clone(),
            None => return Err("InvalidClientTokenId"),
        };
        for required in ["host", "x-amz-date", "x-amz-content-sha256"] {
            assert!(signed.split(';').any(|name| name == required), "{signed}");
        }
        let hash = hex::encode(Sha256::digest(body));
        let mut canonical = format!("{}\n/\n\n", head.method);
        for name in signed.split(';') {
            writeln!(canonical, "{name}:{}", text(name).trim()).expect("text");
        }
        write!(canonical, "\n{signed}\n{hash}").expect("text");
        let to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            text("x-amz-date"),
            hex::encode(Sha256::digest(canonical)),
        );
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in scope.split('/') {
            key = mac(&key, part.as_bytes());
        }
        assert!(scope.ends_with("/eu-north-1/sts/aws4_request"), "{scope}");
        if hex::encode(mac(&key, to_sign.as_bytes())) != part("Signature=") {
            return Err("SignatureDoesNotMatch");
        }
        if let Some(token) = token
            && head
                .headers
                .get("x-amz-security-token")
                .map(|value| value.as_bytes())
                != Some(token.as_bytes())
        {
            return Err("InvalidClientTokenId");
        }
        Ok(id.to_owned())
    }
}

fn mac(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}

fn error(status: u16, code: &str) -> Response<Body> {
    xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
             <Type>Sender</Type><Code>{code}</Code><Message>{CHATTER}</Message></Error>\
             </ErrorResponse>"
        ),
    )
}

/// Starts the stand-in; the way to it and to a bucket.
async fn start(tokens: TokenServer) -> (Arc<TokenServer>, Server, EgressOptions) {
    let front = Front {
        sessions: tokens
            .sessions
            .as_ref()
            .map(|(sessions, _)| sessions.clone()),
        ..Front::open()
    };
    let bucket = super::server::start(front).await;
    let tokens = Arc::new(tokens);
    let (acceptor, authority) = acceptor(&[TOKEN_HOST]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shared = Arc::clone(&tokens);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, tokens) = (acceptor.clone(), Arc::clone(&shared));
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.expect("TLS");
                let handle = |request: Request<Incoming>| {
                    let tokens = Arc::clone(&tokens);
                    async move {
                        let (head, body) = request.into_parts();
                        assert_eq!(head.method, Method::POST);
                        let body = body.collect().await.expect("a body").to_bytes();
                        Ok::<_, Infallible>(tokens.answer(&head, &body))
                    }
                };
                serve(stream, handle).await;
            });
        }
    });
    let mut connect_to = ConnectTo::default();
    for (host, address) in [(HOST, bucket.address), (TOKEN_HOST, address)] {
        connect_to
            .add(&format!("{host}:443"), &address.to_string())
            .expect("a line");
    }
    let roots = format!("{}{authority}", bucket.authority);
    let options = EgressOptions {
        connect_to,
        roots: TrustRoots::nobody()
            .with_pem(roots.as_bytes())
            .expect("authorities"),
        ..EgressOptions::default()
    };
    (tokens, bucket, options)
}

fn chain(external_id: Option<&str>) -> Planned {
    Planned {
        roles: vec![
            AssumedRole {
                role: ROLE_ONE.to_owned(),
                external_id: external_id.map(str::to_owned),
            },
            AssumedRole {
                role: ROLE_TWO.to_owned(),
                external_id: None,
            },
        ],
        ..Planned::default()
    }
}

fn store(options: EgressOptions, plan: &Planned) -> Arc<dyn ObjectStore> {
    backends(options).build(&plan.plan()).expect("built")
}

fn object() -> Path {
    Path::from("one")
}

#[tokio::test]
async fn roles_are_taken_on_one_after_the_other_and_once_against_a_stand_in_for_sts() {
    let (tokens, bucket, options) = start(TokenServer::new()).await;
    let store = store(options, &chain(Some(EXTERNAL_ID)));
    let puts = (0..8).map(|number| {
        let store = Arc::clone(&store);
        async move {
            let name = Path::from(format!("{number}"));
            store.put(&name, "content".into()).await.expect("put");
        }
    });
    futures::future::join_all(puts).await;
    let asked = tokens.asked.lock().expect("lock").clone();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0], (KEY.to_owned(), ROLE_ONE.to_owned()));
    assert!(asked[1].0.starts_with("ASIAONE") && asked[1].1 == ROLE_TWO);
    for seen in bucket.requests() {
        assert_eq!(seen.headers["x-amz-security-token"], "token-of-TWO");
    }
}

#[tokio::test]
async fn keys_that_are_about_to_end_are_renewed_against_a_stand_in_for_sts() {
    let mut tokens = TokenServer::new();
    tokens.lifetime = 2;
    let (tokens, _bucket, options) = start(tokens).await;
    let store = store(options, &chain(Some(EXTERNAL_ID)));
    store.put(&object(), "content".into()).await.expect("put");
    assert_eq!(tokens.asked.lock().expect("lock").len(), 2);
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    store.put(&object(), "content".into()).await.expect("put");
    assert_eq!(tokens.asked.lock().expect("lock").len(), 4);
}

/// `s3s` ends the sessions of these tests a second after they began, whatever was said of them.
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

#[tokio::test]
async fn keys_that_the_server_ends_before_their_time_are_replaced_in_every_operation() {
    use futures::TryStreamExt;

    let mut tokens = TokenServer::new();
    tokens.sessions = Some((Sessions::default(), SECOND));
    let (tokens, _bucket, options) = start(tokens).await;
    let store = store(options, &chain(Some(EXTERNAL_ID)));
    let other = Path::from("other");
    let mut taken = 0;
    let mut ended = async || {
        tokio::time::sleep(SECOND + SECOND / 10).await;
        let asked = tokens.asked.lock().expect("lock").len();
        let new = asked - taken;
        taken = asked;
        new
    };
    store.put(&object(), "content".into()).await.expect("put");
    assert_eq!(ended().await, 2, "both roles");
    store.head(&object()).await.expect("head");
    assert_eq!(ended().await, 2, "both again, and once");
    store.put(&other, "content".into()).await.expect("put");
    assert_eq!(ended().await, 2);
    let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
    assert_eq!((listed.len(), ended().await), (2, 2));
    store.copy(&object(), &other).await.expect("copied");
    assert_eq!(ended().await, 2);
    let mut upload = store.put_multipart(&other).await.expect("begun");
    upload.put_part("content".into()).await.expect("a part");
    upload.complete().await.expect("completed");
    assert_eq!(ended().await, 2);
    let paths = [object(), other].map(Ok);
    let deleted = store.delete_stream(futures::StreamExt::boxed(futures::stream::iter(paths)));
    assert_eq!(
        deleted
            .try_collect::<Vec<_>>()
            .await
            .expect("deleted")
            .len(),
        2
    );
    assert_eq!(ended().await, 2);
}

#[tokio::test]
async fn a_session_of_the_connection_that_the_server_ends_is_told() {
    let sessions = Sessions::default();
    sessions.begin("a session", SECOND);
    let front = Front {
        sessions: Some(sessions),
        ..Front::open()
    };
    let bucket = super::server::start(front).await;
    let store = bucket.store(
        &Planned::default()
            .secret("session-token", "a session")
            .plan(),
    );
    store.put(&object(), "content".into()).await.expect("put");
    tokio::time::sleep(SECOND + SECOND / 10).await;
    let before = bucket.requests().len();
    let error = store.put(&object(), "content".into()).await;
    expect(
        &failure(&error.expect_err("over")),
        "28000",
        "the temporary credentials have expired (ExpiredToken)",
        "give new temporary credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
         AWS_SESSION_TOKEN",
    );
    assert_eq!(bucket.requests().len() - before, 1, "asked once");
    let wrong = bucket.store(&Planned::default().secret("session-token", "another").plan());
    let error = wrong.put(&object(), "content".into()).await;
    expect(
        &failure(&error.expect_err("no session")),
        "28000",
        "S3 refused AWS_SESSION_TOKEN (InvalidToken)",
        "give AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN as they were issued \
         together",
    );
}

#[tokio::test]
async fn a_role_that_is_denied_is_named_with_its_number_against_a_stand_in_for_sts() {
    let denied = "let the role's trust policy name the one before it, grant that one \
                  sts:AssumeRole, and check the role's ARN and external_id";
    for external_id in [None, Some("another one")] {
        let (_tokens, bucket, options) = start(TokenServer::new()).await;
        let store = store(options, &chain(external_id));
        let error = store.put(&object(), "content".into()).await;
        expect(
            &failure(&error.expect_err("denied")),
            "28000",
            &format!(
                "role 1 of 2, `{ROLE_ONE}`: the key before it may not take it on (AccessDenied)"
            ),
            denied,
        );
        assert!(bucket.requests().is_empty());
    }
    let mut plan = chain(Some(EXTERNAL_ID));
    plan.roles.swap(0, 1);
    let (_tokens, _bucket, options) = start(TokenServer::new()).await;
    let error = store(options, &plan).put(&object(), "content".into()).await;
    expect(
        &failure(&error.expect_err("denied")),
        "28000",
        &format!("role 1 of 2, `{ROLE_TWO}`: the key before it may not take it on (AccessDenied)"),
        denied,
    );
}

#[tokio::test]
async fn a_key_that_sts_refuses_is_told_by_its_code_against_a_stand_in_for_sts() {
    let (_tokens, _bucket, options) = start(TokenServer::new()).await;
    let plan = chain(Some(EXTERNAL_ID)).secret("secret-access-key", "not-the-secret");
    let error = store(options, &plan).head(&object()).await;
    expect(
        &failure(&error.expect_err("refused")),
        "28000",
        &format!(
            "role 1 of 2, `{ROLE_ONE}`: the secret key before it is wrong (SignatureDoesNotMatch)"
        ),
        "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of one and the same key; in a URI a + \
         is written %2B",
    );
    let cases = [
        (
            (403, "ExpiredToken"),
            "28000",
            format!(
                "role 1 of 2, `{ROLE_ONE}`: the temporary credentials before it have expired \
                 (ExpiredToken)"
            ),
        ),
        (
            (503, "ServiceUnavailable"),
            "08001",
            format!("{TOKEN_HOST} gives no keys for the moment (status 503)"),
        ),
    ];
    for ((status, code), sqlstate, message) in cases {
        let mut tokens = TokenServer::new();
        tokens.always = Some((status, code));
        let (_tokens, _bucket, options) = start(tokens).await;
        let error = store(options, &chain(Some(EXTERNAL_ID)))
            .head(&object())
            .await;
        let failure = failure(&error.expect_err("refused"));
        assert_eq!(failure.class.sqlstate(), sqlstate);
        assert_eq!(failure.message, message);
    }
}

fn lending(options: EgressOptions, environment: HostEnvironment) -> Backends {
    Backends::new(None)
        .with_egress(Egress::new(options))
        .lending(Lent::default().with_environment(environment))
}

fn implicit() -> Planned {
    let mut plan = Planned {
        secrets: Vec::new(),
        ..Planned::default()
    }
    .set("credentials", "implicit");
    plan.unset("access-key-id");
    plan
}

#[tokio::test]
async fn the_hosts_own_key_is_lent_to_a_connection_that_asks_for_it() {
    let (_tokens, _bucket, options) = start(TokenServer::new()).await;
    let environment = HostEnvironment::of([
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ]);
    let store = lending(options, environment)
        .build(&implicit().plan())
        .expect("built");
    store.put(&object(), "content".into()).await.expect("put");
}

#[tokio::test]
async fn the_hosts_identity_is_shown_to_a_stand_in_for_sts_and_to_nobody_else() {
    let (_tokens, bucket, options) = start(TokenServer::new()).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "the identity of this host").expect("written");
    let path = file.path().to_str().expect("text");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path),
        ("AWS_ROLE_ARN", ROLE_ONE),
    ];
    let backends = lending(options.clone(), HostEnvironment::of(variables));
    let store = backends.build(&implicit().plan()).expect("built");
    store.put(&object(), "content".into()).await.expect("put");
    for seen in bucket.requests() {
        assert!(!format!("{seen:?}").contains("the identity"));
    }

    std::fs::write(file.path(), "another identity").expect("written");
    let backends = lending(options.clone(), HostEnvironment::of(variables));
    let store = backends.build(&implicit().plan()).expect("built");
    let failure = failure(&store.head(&object()).await.expect_err("refused"));
    assert_eq!(failure.class.sqlstate(), "28000");
    assert_eq!(
        failure.message,
        "the web identity of this host: the key before it may not take it on (InvalidIdentityToken)"
    );

    let gone = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere"),
        ("AWS_ROLE_ARN", ROLE_ONE),
    ];
    let backends = lending(options, HostEnvironment::of(gone));
    let store = backends.build(&implicit().plan()).expect("built");
    let error = store.head(&object()).await.expect_err("no file");
    assert_eq!(
        portolan_data::failure_of(&error).message,
        "the file that AWS_WEB_IDENTITY_TOKEN_FILE names cannot be read"
    );
}

#[tokio::test]
async fn variables_that_hold_no_key_lend_none() {
    let (_tokens, _bucket, options) = start(TokenServer::new()).await;
    let environment =
        HostEnvironment::of([("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", "")]);
    let store = lending(options, environment)
        .build(&implicit().plan())
        .expect("built");
    let failure = failure(&store.head(&object()).await.expect_err("nothing"));
    assert_eq!(
        failure.message,
        "this host lends its connections no credentials of AWS"
    );
}
