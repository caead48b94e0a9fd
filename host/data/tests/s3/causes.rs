//! Each cause, brought about, and its whole failure compared.

use std::sync::Arc;

use futures::TryStreamExt;
use http::{HeaderValue, Method, Response};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use portolan_contract::FailureClass;

use super::server::*;

fn object() -> Path {
    Path::from("objects/one")
}

async fn put(store: &Arc<dyn ObjectStore>) -> Error {
    let put = store.put(&object(), "content".into()).await;
    put.expect_err("refused")
}

async fn list(store: &Arc<dyn ObjectStore>) -> Error {
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    listed.expect_err("refused")
}

#[tokio::test]
async fn what_is_written_is_read_listed_copied_and_deleted() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    store.put(&object(), "content".into()).await.expect("put");
    let on_disk = server
        .root
        .path()
        .join("harbour/in/the harbour/objects/one");
    assert_eq!(std::fs::read(on_disk).expect("there"), b"content");
    let read = store.get(&object()).await.expect("get").bytes().await;
    assert_eq!(read.expect("bytes"), "content");
    let odd = Path::parse("two & 100%+/ü").expect("a path");
    store.copy(&object(), &odd).await.expect("copied");
    let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
    let names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    assert_eq!(names, ["objects/one", "two & 100%+/ü"]);
    for meta in listed {
        store.delete(&meta.location).await.expect("deleted");
    }
    assert!(store.head(&object()).await.is_err());
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_server() {
    let server = start(Front::open()).await;
    let plan = Planned::default().secret("secret-access-key", "not-the-secret-of-the-key");
    let store = server.store(&plan.plan());
    for error in [put(&store).await, list(&store).await] {
        assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
        expect(
            &failure(&error),
            "28000",
            "S3 refused AWS_SECRET_ACCESS_KEY: it is not that of AWS_ACCESS_KEY_ID \
             (SignatureDoesNotMatch)",
            "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of one and the same key; in a URI \
             a + is written %2B",
        );
    }
    assert_eq!(
        server.requests().len(),
        2,
        "a refusal is not asked for again"
    );
}

#[tokio::test]
async fn an_unknown_key_is_refused_by_the_server() {
    let server = start(Front::open()).await;
    let plan = Planned::default().set("access-key-id", "AKIANOBODYKNOWSTHIS1");
    let store = server.store(&plan.plan());
    let error = put(&store).await;
    assert!(matches!(error, Error::Unauthenticated { .. }), "{error:?}");
    expect(
        &failure(&error),
        "28000",
        "S3 does not know AWS_ACCESS_KEY_ID (InvalidAccessKeyId)",
        "check AWS_ACCESS_KEY_ID: it may have been deleted, or be one of another service",
    );
}

#[tokio::test]
async fn a_clock_that_is_an_hour_behind_is_told_in_seconds() {
    let server = start(Front::an_hour_ahead()).await;
    let store = server.store(&Planned::default().plan());
    let failure = failure(&put(&store).await);
    let seconds = failure.message.strip_prefix("this host's clock is ");
    let (seconds, rest) = seconds
        .expect("the skew")
        .split_once(' ')
        .expect("a number");
    // A few seconds may pass on the way.
    let seconds: u32 = seconds.parse().expect("a number");
    assert!((3590..=3600).contains(&seconds), "{seconds}");
    assert_eq!(rest, "s behind that of S3 (RequestTimeTooSkewed)");
    assert_eq!(failure.class, FailureClass::RefusedCredentials);
    assert_eq!(
        failure.hint.as_deref(),
        Some("set this host's clock, and keep it by NTP")
    );
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_object() {
    let server = start(Front::open()).await;
    let plan = Planned {
        host: HOST,
        ..Planned::default()
    };
    std::fs::remove_dir(server.root.path().join(BUCKET)).expect("removed");
    let store = server.store(&plan.plan());
    let error = list(&store).await;
    assert!(matches!(error, Error::Generic { .. }), "{error:?}");
    expect(
        &failure(&error),
        "42704",
        "the bucket does not exist (NoSuchBucket)",
        "check the name of the bucket, or create it",
    );
}

#[tokio::test]
async fn a_missing_object_is_named_as_the_caller_knows_it() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    let missing = [
        store.get(&object()).await.expect_err("missing"),
        store.head(&object()).await.expect_err("missing"),
        store
            .copy(&object(), &Path::from("b"))
            .await
            .expect_err("missing"),
    ];
    for error in missing {
        assert!(matches!(&error, Error::NotFound { path, .. } if path == "objects/one"));
        expect(
            &failure(&error),
            "42704",
            "`objects/one` does not exist",
            "write the object first, or check the path that was given",
        );
    }
}

/// What AWS answers, by its documentation; nobody but AWS has regions.
#[tokio::test]
async fn another_region_is_named_in_the_words_of_awss_documentation() {
    let elsewhere = |status, code: &'static str, more: &'static str, header: bool| {
        Front::answering(move |_, request| {
            let mut answer = match request.method == Method::HEAD {
                true => xml(status, String::new()),
                false => refusal(status, code, more),
            };
            if header {
                let region = HeaderValue::from_static("us-west-2");
                answer.headers_mut().insert("x-amz-bucket-region", region);
            }
            Some(answer)
        })
    };
    let region = "<Region>us-west-2</Region>";
    let cases = [
        (400, "AuthorizationHeaderMalformed", region, false),
        (301, "PermanentRedirect", "", true),
        (307, "TemporaryRedirect", "", true),
    ];
    for (status, code, more, header) in cases {
        let server = start(elsewhere(status, code, more, header)).await;
        let store = server.store(&Planned::default().plan());
        expect(
            &failure(&put(&store).await),
            "22023",
            &format!("the bucket is in the region us-west-2 ({code})"),
            "write AWS_REGION=us-west-2",
        );
        if header {
            // Without a body the header alone tells.
            let error = store.head(&object()).await.expect_err("elsewhere");
            expect(
                &failure(&error),
                "22023",
                "the bucket is in the region us-west-2",
                "write AWS_REGION=us-west-2",
            );
        }
    }
}

/// What AWS answers, by its documentation.
#[tokio::test]
async fn refusals_in_the_words_of_awss_documentation_have_their_hints() {
    let cases = [
        (
            (400, "ExpiredToken"),
            "28000",
            "the temporary credentials have expired (ExpiredToken)",
            "give new temporary credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
             AWS_SESSION_TOKEN",
        ),
        (
            (400, "InvalidToken"),
            "28000",
            "S3 refused AWS_SESSION_TOKEN (InvalidToken)",
            "give AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN as they were \
             issued together",
        ),
        (
            (403, "AccessDenied"),
            "42501",
            "S3 does not allow s3:PutObject (AccessDenied)",
            "grant the connection's credentials s3:PutObject on the bucket, and look for a policy \
             that denies it",
        ),
        (
            (403, "AllAccessDisabled"),
            "42501",
            "the account of the bucket cannot use S3 (AllAccessDisabled)",
            "look at the state of the account with the provider of S3",
        ),
        (
            (400, "KMS.DisabledException"),
            "42501",
            "S3 cannot use the key that objects are encrypted with (KMS.DisabledException)",
            "check that the key that the bucket encrypts with is enabled, and let the \
             connection's credentials use it",
        ),
        (
            (400, "InvalidStorageClass"),
            "22023",
            "S3 does not take S3_STORAGE_CLASS (InvalidStorageClass)",
            "check the value of S3_STORAGE_CLASS",
        ),
        (
            (400, "EntityTooLarge"),
            "53200",
            "the object is larger than S3 takes (EntityTooLarge)",
            "write the object in several parts, or in several objects",
        ),
        (
            (400, "BadDigest"),
            "08P01",
            "S3 did not receive the content as it was sent (BadDigest)",
            "try again; if it stays so, look for what changes bytes on the way",
        ),
        (
            (501, "NotImplemented"),
            "0A000",
            "harbour.s3.eu-north-1.amazonaws.com cannot do this (NotImplemented)",
            "use a server that implements this part of S3",
        ),
        (
            (418, "ImATeapot"),
            "08P01",
            "S3 answered with status 418",
            "look at the log of S3 for the reason",
        ),
    ];
    for ((status, code), sqlstate, message, hint) in cases {
        let front = Front::answering(move |_, _| Some(refusal(status, code, "")));
        let server = start(front).await;
        let store = server.store(&Planned::default().plan());
        let failure = failure(&put(&store).await);
        expect(&failure, sqlstate, message, hint);
        assert_eq!(server.requests().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_denied_list_names_the_permission() {
    let server = start(Front::denying(&["ListObjectsV2"])).await;
    let store = server.store(&Planned::default().plan());
    let error = list(&store).await;
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    expect(
        &failure(&error),
        "42501",
        "S3 does not allow s3:ListBucket (AccessDenied)",
        "grant the connection's credentials s3:ListBucket on the bucket, and look for a policy \
         that denies it",
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_host_is_named() {
    let front = Front::answering(|_, _| {
        let mut answer = xml(307, String::new());
        let location = HeaderValue::from_static("https://user:hunter2-of-the-server@evil.example/");
        answer.headers_mut().insert("location", location);
        Some(answer)
    });
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    expect(
        &failure(&put(&store).await),
        "08P01",
        "harbour.s3.eu-north-1.amazonaws.com redirects to evil.example",
        "name the host that is meant: redirects are not followed, so that credentials go nowhere \
         else",
    );
    assert_eq!(server.requests().len(), 1);
}

/// A server that knows a token of the connection tries to have it shown as the name of a host.
#[tokio::test]
async fn a_redirect_to_a_host_that_holds_a_secret_does_not_name_it() {
    let front = Front::answering(|_, _| {
        let mut answer = xml(307, String::new());
        let location = HeaderValue::from_static("https://tokenofthesession.example/");
        answer.headers_mut().insert("location", location);
        Some(answer)
    });
    let server = start(front).await;
    let plan = Planned::default().secret("session-token", "tokenofthesession");
    let store = server.store(&plan.plan());
    let failure = failure(&put(&store).await);
    assert_eq!(
        failure.message,
        "harbour.s3.eu-north-1.amazonaws.com redirects elsewhere"
    );
}

#[tokio::test]
async fn what_is_not_s3_is_told_from_a_refusal() {
    let page = "<html><body>hunter2-of-the-server</body></html>";
    for status in [400, 403, 404] {
        let front = Front::answering(move |_, _| Some(xml(status, page.to_owned())));
        let server = start(front).await;
        let store = server.store(&Planned::default().plan());
        expect(
            &failure(&put(&store).await),
            "08P01",
            "what answers at harbour.s3.eu-north-1.amazonaws.com is not S3",
            "check scheme, host and port: something other than S3 may answer there",
        );
    }
    let front = Front::answering(move |_, _| Some(xml(200, page.to_owned())));
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    expect(
        &failure(&list(&store).await),
        "08P01",
        "what answers at harbour.s3.eu-north-1.amazonaws.com is not S3",
        "check scheme, host and port: something other than S3 may answer there",
    );
}

#[tokio::test]
async fn a_list_that_is_none_is_unreadable() {
    let broken = "<ListBucketResult><Contents>hunter2-of-the-server</Contents>";
    let front = Front::answering(move |_, _| Some(xml(200, broken.to_owned())));
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    expect(
        &failure(&list(&store).await),
        "08P01",
        "an answer of the service cannot be read",
        "check scheme, host and port: another service may answer there",
    );
}

/// S3 answers a copy and the completion of an upload with 200 before it is done.
#[tokio::test]
async fn an_error_in_a_success_is_an_error() {
    let front = Front::answering(|_, request| {
        let copy = request.headers.contains_key("x-amz-copy-source");
        copy.then(|| refusal(200, "AccessDenied", ""))
    });
    let server = start(front).await;
    let store = server.store(&Planned::default().plan());
    store.put(&object(), "content".into()).await.expect("put");
    let error = store.copy(&object(), &Path::from("b")).await;
    expect(
        &failure(&error.expect_err("denied")),
        "42501",
        "S3 does not allow s3:GetObject and s3:PutObject (AccessDenied)",
        "grant the connection's credentials s3:GetObject and s3:PutObject on the bucket, and look \
         for a policy that denies it",
    );
}

#[tokio::test]
async fn a_policy_that_denies_the_bucket_says_how_to_allow_it() {
    let plan = Planned {
        host: "127.0.0.1",
        ..Planned::default()
    }
    .set("path-style", "true");
    let store = backends(portolan_egress::EgressOptions::default())
        .build(&plan.plan())
        .expect("built");
    let error = put(&store).await;
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    let failure = failure(&error);
    assert_eq!(failure.class, FailureClass::Denied);
    assert!(failure.hint.expect("a hint").contains("127.0.0.1:443"));
}

/// Knows no name, or only an address that the policy denies.
#[derive(Debug)]
struct Names(Vec<std::net::IpAddr>);

#[async_trait::async_trait]
impl portolan_egress::Resolve for Names {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
        match self.0.is_empty() {
            true => Err(std::io::ErrorKind::NotFound.into()),
            false => Ok(self.0.clone()),
        }
    }
}

#[tokio::test]
async fn a_bucket_before_the_host_of_an_own_server_suggests_the_path_first() {
    for (addresses, class) in [
        (vec![], FailureClass::Unreachable),
        (vec![[127, 0, 0, 1].into()], FailureClass::Denied),
    ] {
        for (style, suggested) in [("false", true), ("true", false)] {
            let options = portolan_egress::EgressOptions {
                resolver: Arc::new(Names(addresses.clone())),
                ..Default::default()
            };
            let plan = Planned {
                host: "harbour.minio.example",
                ..Planned::default()
            };
            let plan = plan.set("custom-endpoint", "true").set("path-style", style);
            let store = backends(options).build(&plan.plan()).expect("built");
            let failure = failure(&put(&store).await);
            assert_eq!(failure.class, class);
            let hint = failure.hint.expect("a hint");
            let first = "if the server has its buckets in the path, as MinIO does, write \
                         AWS_USE_PATH_STYLE=true; else ";
            assert_eq!(hint.starts_with(first), suggested, "{hint}");
        }
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_told_and_not_tried_again() {
    let server = start(Front::open()).await;
    let mut options = server.options();
    options.roots = portolan_egress::tls::TrustRoots::nobody();
    let store = backends(options)
        .build(&Planned::default().plan())
        .expect("built");
    let failure = failure(&put(&store).await);
    assert_eq!(failure.class, FailureClass::Unreachable);
    assert_eq!(
        failure.message,
        "harbour.s3.eu-north-1.amazonaws.com:443: the server's certificate comes from an authority \
         that is not trusted"
    );
}

#[tokio::test]
async fn the_operators_switches_refuse_what_they_forbid() {
    let cases = [
        (
            Planned::default().set("credentials", "implicit"),
            "implicit credentials disallowed for s3 due to \
             --external-io-disable-implicit-credentials flag",
        ),
        (
            Planned::default().set("custom-endpoint", "true"),
            "custom endpoints disallowed for s3 due to --external-io-disable-http flag",
        ),
    ];
    for (plan, message) in cases {
        let options = portolan_egress::EgressOptions {
            disable_http: true,
            disable_implicit_credentials: true,
            ..Default::default()
        };
        let refused = backends(options).build(&plan.plan());
        let error = refused.expect_err("refused");
        assert_eq!(
            (error.sqlstate(), error.to_string()),
            ("42501".to_owned(), message.to_owned())
        );
    }
}

#[tokio::test]
async fn a_host_that_lends_nothing_says_so() {
    let plan = Planned::default().set("credentials", "implicit").plan();
    let refused = backends(portolan_egress::EgressOptions::default()).build(&plan);
    let error = refused.expect_err("nothing is lent");
    assert_eq!(error.sqlstate(), "0A000");
    assert_eq!(
        error.to_string(),
        "this host lends its connections no credentials"
    );
}

#[tokio::test]
async fn a_bucket_of_an_unknown_region_is_asked_once_without_a_signature() {
    let front = Front::answering(|_, request| {
        let discovery = request.method == Method::HEAD && request.uri.path() == "/";
        discovery.then(|| {
            let mut answer = xml(403, String::new());
            let region = HeaderValue::from_static(REGION);
            answer.headers_mut().insert("x-amz-bucket-region", region);
            answer
        })
    });
    let server = start(front).await;
    let mut plan = Planned {
        host: "harbour.s3.amazonaws.com",
        ..Planned::default()
    }
    .set("region-discovery", "true");
    plan.unset("region");
    let store = server.store(&plan.plan());
    assert!(server.requests().is_empty(), "not before it is used");
    store.put(&object(), "content".into()).await.expect("put");
    store.get(&object()).await.expect("get");
    let seen = server.requests();
    assert_eq!(seen.len(), 3);
    assert!(!seen[0].headers.contains_key("authorization"));
    assert_eq!(seen[0].headers["host"], "harbour.s3.amazonaws.com");
    for request in &seen[1..] {
        assert_eq!(request.headers["host"], HOST);
        let signed = request.headers["authorization"].to_str().expect("text");
        assert!(signed.contains("/eu-north-1/s3/aws4_request"), "{signed}");
    }
}

#[tokio::test]
async fn a_region_that_cannot_be_found_is_said_in_the_ancestors_words() {
    let answers: [fn() -> Response<Body>; 3] = [
        || xml(403, String::new()),
        || {
            let mut answer = xml(301, String::new());
            let region = HeaderValue::from_static("evil.example/");
            answer.headers_mut().insert("x-amz-bucket-region", region);
            answer
        },
        || xml(404, String::new()),
    ];
    let expected = [
        "could not find s3 bucket's region: the server does not name one",
        "could not find s3 bucket's region: the server does not name one",
        "the bucket does not exist",
    ];
    for (answer, message) in answers.into_iter().zip(expected) {
        let server = start(Front::answering(move |_, _| Some(answer()))).await;
        let mut plan = Planned {
            host: "harbour.s3.amazonaws.com",
            ..Planned::default()
        }
        .set("region-discovery", "true");
        plan.unset("region");
        let store = server.store(&plan.plan());
        assert_eq!(failure(&put(&store).await).message, message);
    }
}
