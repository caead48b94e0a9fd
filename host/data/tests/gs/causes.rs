//! Each cause, brought about, and its whole failure compared.

use std::sync::Arc;

use futures::TryStreamExt;
use http::Method;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use portolan_contract::FailureClass;
use portolan_egress::EgressOptions;
use portolan_egress::tls::TrustRoots;
use portolan_servers::{Answer, Authority, HttpServer, answer};

use crate::server::*;

fn object() -> Path {
    Path::from("objects/one")
}

async fn put(store: &Store) -> Error {
    let put = store.put(&object(), "content".into()).await;
    put.expect_err("refused")
}

async fn list(store: &Store) -> Error {
    let listed: Result<Vec<_>, _> = store.list(None).try_collect().await;
    listed.expect_err("refused")
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_object_in_an_emulator_and_a_stand_in() {
    for setting in [Setting::emulated(), Setting::new()] {
        let mut planned = setting.planned();
        planned.bucket = "nowhere";
        let store = setting.store(&planned);
        let error = list(&store).await;
        assert!(matches!(error, Error::Generic { .. }), "{error:?}");
        expect(
            &failure(&error),
            "42704",
            "the bucket does not exist (NoSuchBucket)",
            "check the name of the bucket, or create it",
        );
    }
}

#[tokio::test]
async fn a_missing_object_is_named_as_the_caller_knows_it_in_an_emulator_and_a_stand_in() {
    for setting in [Setting::emulated(), Setting::new()] {
        let store = setting.store(&setting.planned());
        let missing = [
            store.get(&object()).await.expect_err("missing"),
            store.head(&object()).await.expect_err("missing"),
            store.delete(&object()).await.expect_err("missing"),
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
    let setting = Setting::new();
    let store = setting.store(&setting.planned());
    let error = store.copy(&object(), &"b".into()).await;
    assert_eq!(
        failure(&error.expect_err("missing")).message,
        "`objects/one` does not exist"
    );
}

#[tokio::test]
async fn what_is_not_allowed_is_named_with_its_permission_by_a_stand_in() {
    let setting = Setting::new();
    setting.google.own_bucket("somebody@else.example");
    let store = setting.store(&setting.planned());
    let denied = [
        (put(&store).await, "storage.objects.create"),
        (list(&store).await, "storage.objects.list"),
        (
            store.get(&object()).await.expect_err("denied"),
            "storage.objects.get",
        ),
        (
            store.delete(&object()).await.expect_err("denied"),
            "storage.objects.delete",
        ),
        (
            store
                .copy(&object(), &"b".into())
                .await
                .expect_err("denied"),
            "storage.objects.get and storage.objects.create",
        ),
        (
            store.put_multipart(&object()).await.expect_err("denied"),
            "storage.objects.create",
        ),
    ];
    for (error, permission) in denied {
        assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
        expect(
            &failure(&error),
            "42501",
            &format!("Google Cloud Storage does not allow {permission} (AccessDenied)"),
            &format!(
                "grant the connection's credentials {permission} on the bucket, and look for a \
                 policy that denies it"
            ),
        );
    }
    // Without a body the status alone tells.
    let error = store.head(&object()).await.expect_err("denied");
    assert_eq!(failure(&error).class, FailureClass::Denied);
}

/// What Google answers, by its documentation.
#[tokio::test]
async fn refusals_in_the_words_of_googles_documentation_have_their_hints() {
    let billing = "name a project in GOOGLE_BILLING_PROJECT that the connection's credentials may \
                   bill: they need serviceusage.services.use there";
    let cases = [
        (
            (400, "UserProjectMissing"),
            "22023",
            "Google Cloud Storage does not take GOOGLE_BILLING_PROJECT (UserProjectMissing)",
            billing,
        ),
        (
            (403, "UserProjectAccessDenied"),
            "22023",
            "Google Cloud Storage does not take GOOGLE_BILLING_PROJECT (UserProjectAccessDenied)",
            billing,
        ),
        (
            (400, "InvalidBucketName"),
            "42704",
            "the bucket does not exist (InvalidBucketName)",
            "check the name of the bucket, or create it",
        ),
        (
            (403, "AccountProblem"),
            "42501",
            "the account of the bucket cannot use Google Cloud Storage (AccountProblem)",
            "look at the state of the account with the provider of Google Cloud Storage",
        ),
        (
            (400, "EntityTooLarge"),
            "53200",
            "the object is larger than Google Cloud Storage takes (EntityTooLarge)",
            "write the object in several parts, or in several objects",
        ),
        (
            (400, "BadDigest"),
            "08P01",
            "Google Cloud Storage did not receive the content as it was sent (BadDigest)",
            "try again; if it stays so, look for what changes bytes on the way",
        ),
        (
            (405, "MethodNotAllowed"),
            "0A000",
            "storage.googleapis.com cannot do this (MethodNotAllowed)",
            "use a server that implements this part of Google Cloud Storage",
        ),
        (
            (418, "ImATeapot"),
            "08P01",
            "Google Cloud Storage answered with status 418",
            "look at the log of Google Cloud Storage for the reason",
        ),
    ];
    for ((status, code), sqlstate, message, hint) in cases {
        let server = answering(move |_, _| refusal(status, code));
        expect(&failure(&put(&server.store).await), sqlstate, message, hint);
        assert_eq!(server.asked(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_host_is_named() {
    let server = answering(|_, _| {
        let to = "https://user:hunter2-of-the-server@evil.example/";
        answer(307, &[("location", to)], "")
    });
    expect(
        &failure(&put(&server.store).await),
        "08P01",
        "storage.googleapis.com redirects to evil.example",
        "name the host that is meant: redirects are not followed, so that credentials go nowhere \
         else",
    );
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn what_is_not_cloud_storage_is_told_from_a_refusal_and_from_an_empty_list() {
    let page = "<html><body>hunter2-of-the-server</body></html>";
    for status in [200, 400, 403, 404] {
        let server = answering(move |_, _| answer(status, &[], page));
        let error = match status {
            200 => list(&server.store).await,
            _ => put(&server.store).await,
        };
        expect(
            &failure(&error),
            "08P01",
            "what answers at storage.googleapis.com is not Google Cloud Storage",
            "check scheme, host and port: something other than Google Cloud Storage may answer \
             there",
        );
    }
}

#[tokio::test]
async fn a_list_that_is_none_is_unreadable() {
    let broken = "<ListBucketResult><Contents>hunter2-of-the-server</Contents>";
    let server = answering(move |_, _| answer(200, &[], broken));
    expect(
        &failure(&list(&server.store).await),
        "08P01",
        "an answer of the service cannot be read",
        "check scheme, host and port: another service may answer there",
    );
}

#[tokio::test]
async fn an_error_in_a_success_is_an_error() {
    let server = answering(|_, request| {
        let query = request.uri().query().unwrap_or_default();
        match (request.method(), query) {
            (&Method::POST, "uploads=") => answer(
                200,
                &[],
                "<InitiateMultipartUploadResult><UploadId>u</UploadId>\
                 </InitiateMultipartUploadResult>",
            ),
            (&Method::PUT, query) if query.contains("partNumber") => {
                answer(200, &[("etag", "\"e\"")], "")
            }
            _ => refusal(200, "AccessDenied"),
        }
    });
    let error = server.store.copy(&object(), &"b".into()).await;
    let copy = failure(&error.expect_err("denied"));
    let started = server.store.put_multipart(&object()).await;
    let mut upload = started.expect("started");
    upload.put_part("content".into()).await.expect("a part");
    let completion = failure(&upload.complete().await.expect_err("denied"));
    for (failure, permission) in [
        (copy, "storage.objects.get and storage.objects.create"),
        (completion, "storage.objects.create"),
    ] {
        assert_eq!(failure.class, FailureClass::Denied);
        assert_eq!(
            failure.message,
            format!("Google Cloud Storage does not allow {permission} (AccessDenied)")
        );
    }
}

#[tokio::test]
async fn names_that_lead_nowhere_or_inside_are_told() {
    let cases = [
        (
            vec![],
            "08001",
            "the name storage.googleapis.com does not resolve",
            "check the spelling of the host, and the DNS of this host",
        ),
        (
            vec![[127, 0, 0, 1].into()],
            "42501",
            "the policy denies storage.googleapis.com:443: the name stands for a loopback address",
            "if it is meant, allow it with the rule storage.googleapis.com:443 in the host's policy",
        ),
    ];
    for (addresses, sqlstate, message, hint) in cases {
        let options = EgressOptions {
            resolver: Arc::new(Names(addresses)),
            ..EgressOptions::default()
        };
        let error = put(&store(options, &Planned::given())).await;
        expect(&failure(&error), sqlstate, message, hint);
    }
}

#[tokio::test]
async fn certificates_that_do_not_fit_are_told_and_not_tried_again() {
    let authority = Authority::new("tests");
    let unasked = |_| -> futures::future::BoxFuture<'static, Answer> {
        panic!("nothing is asked over such a connection")
    };
    let server = HttpServer::encrypted(&authority, &["other.googleapis.com"], unasked);
    let elsewhere = options(&authority, server.address());
    let untrusted = EgressOptions {
        roots: TrustRoots::nobody(),
        ..elsewhere.clone()
    };
    let cases = [
        (
            untrusted,
            "storage.googleapis.com:443: the server's certificate comes from an authority that is \
             not trusted",
            "give the connection the certificate of the server's own authority, or add it to \
             [tls] extra_ca; if the authority should be known, look for a proxy that breaks TLS",
        ),
        (
            elsewhere,
            "storage.googleapis.com:443: the server's certificate is for another name",
            "write the host as the server's certificate names it, or have the certificate issued \
             for this name",
        ),
    ];
    for (options, message, hint) in cases {
        let error = put(&store(options, &Planned::given())).await;
        expect(&failure(&error), "08001", message, hint);
    }
}

#[tokio::test]
async fn an_attribute_that_cannot_be_sent_is_refused_and_does_not_panic() {
    use object_store::{Attribute, Attributes, PutOptions};
    let setting = Setting::new();
    let store = setting.store(&setting.planned());
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, "text\r\nX-Evil: 1".into());
    let options = PutOptions {
        attributes,
        ..PutOptions::default()
    };
    let error = store.put_opts(&object(), "content".into(), options).await;
    let failure = failure(&error.expect_err("a line break"));
    assert_eq!(failure.class, FailureClass::InvalidUri);
    assert!(setting.methods().is_empty());
}

#[tokio::test]
async fn a_range_that_the_object_does_not_have_is_the_callers_fault_in_an_emulator_and_a_stand_in()
{
    for setting in [Setting::emulated(), Setting::new()] {
        let store = setting.store(&setting.planned());
        store.put(&object(), "content".into()).await.expect("put");
        for range in [5..5, 100..200] {
            let error = store.get_range(&object(), range).await;
            expect(
                &failure(&error.expect_err("no such bytes")),
                "22023",
                "the range is empty, or lies behind the end of the object",
                "ask for bytes that the object has",
            );
        }
    }
}
