//! What the parameters of a URI say of objects, at the server: from the statement to the headers.

use portolan_servers::s3::*;

use crate::moved::there_and_back;
use crate::support::{World, run};
use crate::told::{options, uri};

/// A server that saw a connection with these parameters made, validated, and used.
async fn used(parameters: &[(&str, &str)]) -> Server {
    let server = start(Front::open()).await;
    let world = World::with(|builder| builder.egress(options(&server))).await;
    let root = world.root();
    let create = format!("CREATE EXTERNAL CONNECTION made AS '{}'", uri(parameters));
    run(&root, &create).await;
    there_and_back(&root).await;
    server
}

/// What every object was to be like that came to be, those of the probe included.
async fn noted(parameters: &[(&str, &str)]) -> [Option<String>; 3] {
    let server = used(parameters).await;
    let mut noted = server.noted();
    let operations: Vec<_> = noted.iter().map(|noted| noted.0).collect();
    assert_eq!(operations, ["put", "put", "upload", "copy"]);
    let (_, class, encryption, key) = noted.remove(0);
    let first = [class, encryption, key];
    for (operation, class, encryption, key) in noted {
        assert_eq!([class, encryption, key], first, "{operation}");
    }
    first
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn class_and_encryption_of_the_uri_are_those_of_every_object() {
    assert_eq!(noted(&[]).await, [None, None, None]);
    let class = [("S3_STORAGE_CLASS", "STANDARD_IA")];
    assert_eq!(noted(&class).await, [some("STANDARD_IA"), None, None]);
    let own = [("AWS_SERVER_ENC_MODE", "AES256")];
    assert_eq!(noted(&own).await, [None, some("AES256"), None]);
    let arn = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab";
    let key = [
        ("AWS_SERVER_ENC_MODE", "aws:kms"),
        ("AWS_SERVER_KMS_ID", arn),
        ("S3_STORAGE_CLASS", "GLACIER_IR"),
    ];
    assert_eq!(
        noted(&key).await,
        [some("GLACIER_IR"), some("aws:kms"), some(arn)]
    );
    // A key without the mode that it is for is one that nobody asked for.
    let idle = [("AWS_SERVER_KMS_ID", arn)];
    assert_eq!(noted(&idle).await, [None, None, None]);
}

#[tokio::test]
async fn checksums_go_with_every_content_unless_the_uri_skips_them() {
    let content = |seen: &Seen| {
        seen.method == http::Method::PUT && !seen.headers.contains_key("x-amz-copy-source")
    };
    let checksum = |seen: &Seen| {
        let mut names = seen.headers.keys();
        names.any(|name| name.as_str().contains("checksum"))
    };
    for (skip, expected) in [("false", true), ("true", false)] {
        let server = used(&[("AWS_SKIP_CHECKSUM", skip)]).await;
        let seen = server.requests();
        let contents: Vec<_> = seen.iter().filter(|seen| content(seen)).collect();
        assert_eq!(contents.len(), 3, "the marker, an object, a part");
        for seen in contents {
            let sum = seen.headers.contains_key("x-amz-checksum-sha256");
            assert_eq!(sum, expected, "{seen:?}");
        }
        assert_eq!(seen.iter().any(checksum), expected);
    }
}
