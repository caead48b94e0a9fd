//! Buckets of which the URI does not say where they are. Nobody but AWS has regions: a front in
//! front of the server tells them in the words of AWS's documentation.

use http::{HeaderValue, Method};
use portolan_servers::s3::*;

use crate::causes::reached;
use crate::moved::there_and_back;
use crate::support::{World, run};
use crate::told::{Told, options, step, told, uri_of};

/// The host that every bucket has, wherever it is.
const ANYWHERE: &str = "harbour.s3.amazonaws.com";

fn uri() -> String {
    uri_of(&[
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ])
}

/// A server that names this region to whoever asks the bucket.
async fn in_region(region: &'static str) -> Server {
    let front = Front::answering(move |_, request| {
        let asked = request.method == Method::HEAD && request.uri.path() == "/";
        asked.then(|| {
            let mut answer = xml(403, String::new());
            let region = HeaderValue::from_static(region);
            answer.headers_mut().insert("x-amz-bucket-region", region);
            answer
        })
    });
    start(front).await
}

#[tokio::test]
async fn a_bucket_is_asked_where_it_is_and_used_there_in_the_words_of_awss_documentation() {
    let server = in_region(REGION).await;
    let world = World::with(|builder| builder.egress(options(&server))).await;
    let root = world.root();
    let create = format!("CREATE EXTERNAL CONNECTION made AS '{}'", uri());
    run(&root, &create).await;
    let of_probe = server.requests().len();
    there_and_back(&root).await;
    for seen in [
        &server.requests()[..of_probe],
        &server.requests()[of_probe..],
    ] {
        let (asked, used): (Vec<_>, Vec<_>) = seen
            .iter()
            .partition(|seen| seen.headers["host"] == ANYWHERE);
        assert_eq!(asked.len(), 1, "once for the probe, once for the handle");
        assert_eq!(asked[0].method, Method::HEAD);
        assert!(!asked[0].headers.contains_key("authorization"));
        assert!(used.len() >= 3, "{used:?}");
        for seen in used {
            assert_eq!(seen.headers["host"], HOST);
            let signed = seen.headers["authorization"].to_str().expect("text");
            assert!(signed.contains("/eu-north-1/s3/aws4_request"), "{signed}");
        }
    }
}

/// Up to the server of all regions, and no further.
fn asked(told: &Told) {
    let mut before = reached();
    before[2] = step("resolve", "ok", &format!("host: {ANYWHERE}, addresses: 1"));
    told.is(
        &before,
        "write",
        "22023",
        "failed to write a sentinel ExternalStorage file: could not find s3 bucket's region: the \
         server does not name one",
        "give the connection AWS_REGION",
    );
}

#[tokio::test]
async fn a_region_that_would_lead_elsewhere_is_none_and_nothing_is_signed_for_it() {
    for region in [
        "evil.example/",
        "eu-north-1.evil.example",
        "eu-north-1:8443",
        "@evil",
        "-",
        "EU-NORTH-1",
        "",
    ] {
        let server = in_region(region).await;
        asked(&told(options(&server), &uri(), "full").await);
        let seen = server.requests();
        assert!(!seen.is_empty());
        for seen in seen {
            assert_eq!((seen.method.as_str(), seen.uri.path()), ("HEAD", "/"));
            assert_eq!(seen.headers["host"], ANYWHERE);
            assert!(!seen.headers.contains_key("authorization"), "{region}");
        }
    }
}
