//! Servers of somebody's own, by `AWS_ENDPOINT`, and certificates that nobody vouches for, by
//! `AWS_SKIP_TLS_VERIFY`: from the statement to the content.

use object_store::ObjectStoreExt;
use portolan::{EgressOptions, Operation, TrustRoots};
use portolan_servers::s3::*;

use crate::moved::there_and_back;
use crate::support::{World, notices, refused, run};
use crate::told::{options, uri};

const UNTRUSTED: &str = "the server's certificate comes from an authority that is not trusted";

fn create(name: &str, uri: &str, validate: &str) -> String {
    format!("CREATE EXTERNAL CONNECTION {name} AS '{uri}' WITH VALIDATE = '{validate}'")
}

/// A host that trusts no authority at all, with a way to this server.
async fn trusting_nobody(server: &Server) -> World {
    let options = EgressOptions {
        roots: TrustRoots::nobody(),
        ..options(server)
    };
    World::with(|builder| builder.egress(options)).await
}

#[tokio::test]
async fn an_unknown_authority_is_refused_unless_the_uri_skips_the_look_at_it() {
    let server = start(Front::open()).await;
    let world = trusting_nobody(&server).await;
    let root = world.root();
    for skip in [None, Some("false")] {
        let given = skip.map(|skip| ("AWS_SKIP_TLS_VERIFY", skip));
        let strict = uri(given.as_slice());
        let error = refused(&root, &create("strict", &strict, "full")).await;
        assert_eq!(error.sqlstate().code(), "08001");
        assert!(error.message().ends_with(UNTRUSTED), "{error:?}");
    }
    assert!(server.requests().is_empty(), "nothing was sent");

    let skipping = uri(&[("AWS_SKIP_TLS_VERIFY", "true")]);
    let made = run(&root, &create("made", &skipping, "full")).await;
    assert_eq!(
        notices(&made),
        [
            "AWS_SKIP_TLS_VERIFY: whoever stands between here and the server can read and change \
             everything."
        ]
    );
    there_and_back(&root).await;

    // Another connection to the same server, in the same host, is as strict as before.
    let before = server.requests().len();
    run(&root, &create("strict", &uri(&[]), "none")).await;
    let opened = root.open("external://strict", Operation::Backup).await;
    let handle = opened.expect("opened").into_storage().expect("a store");
    let error = handle.object_store().get(&"one".into()).await;
    let told = portolan_data::failure_of(&error.expect_err("refused"));
    assert_eq!(told.class.sqlstate(), "08001");
    assert!(told.message.ends_with(UNTRUSTED), "{told:?}");
    assert_eq!(server.requests().len(), before);
}

#[tokio::test]
async fn a_server_of_ones_own_serves_the_bucket_in_the_path_and_before_its_name() {
    for (style, host) in [
        ("true", "minio.example:9000"),
        ("false", "harbour.minio.example:9000"),
    ] {
        let server = start(Front::open()).await;
        let world = World::with(|builder| builder.egress(options(&server))).await;
        let root = world.root();
        let uri = uri(&[
            ("AWS_ENDPOINT", "https://minio.example:9000"),
            ("AWS_USE_PATH_STYLE", style),
        ]);
        run(&root, &create("made", &uri, "full")).await;
        there_and_back(&root).await;
        let seen = server.requests();
        assert!(seen.len() > 8, "{seen:?}");
        for seen in seen {
            assert_eq!(seen.headers["host"], host);
            let in_path = seen.uri.path().starts_with("/harbour");
            assert_eq!(in_path, style == "true", "{}", seen.uri);
            assert!(seen.headers.contains_key("authorization"));
        }
        let objects = server.root.path().join(BUCKET).join("daily");
        let content = std::fs::read(objects.join("deep/two")).expect("in the bucket");
        assert_eq!(content, b"content");
    }
}
