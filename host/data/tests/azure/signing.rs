//! Signatures with the account's key. The library signs by the clock of the moment, so that no
//! published signature can be had from it. What is compared with what Microsoft publishes is the form
//! here, and with the form whatever is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::TryStreamExt;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use portolan_servers::{AZURITE_ACCOUNT, Answer, HttpServer, answer};
use sha2::Sha256;
use url::form_urlencoded;

use crate::server::*;

/// The headers whose values are signed, each on a line, before those of Azure's own.
const STANDARD: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// What is signed of a request, as `authorize-with-shared-key` of Azure's documentation says.
fn string_to_sign<B>(request: &Request<B>, account: &str) -> String {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    };
    let mut text = format!("{}\n", request.method());
    for name in STANDARD {
        let value = match (name, header(name)) {
            ("content-length", "0") => "",
            ("date", _) if request.headers().contains_key("x-ms-date") => "",
            (_, value) => value,
        };
        text.push_str(&format!("{value}\n"));
    }
    let own = request.headers().keys().map(http::HeaderName::as_str);
    for name in BTreeSet::from_iter(own.filter(|name| name.starts_with("x-ms-"))) {
        text.push_str(&format!("{name}:{}\n", header(name).trim()));
    }
    text.push_str(&format!("/{account}{}", request.uri().path()));
    let mut query = BTreeMap::<_, BTreeSet<_>>::new();
    let asked = request.uri().query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(asked.as_bytes()) {
        let values = query.entry(name.to_lowercase()).or_default();
        values.insert(value.into_owned());
    }
    for (name, values) in query {
        let values: Vec<_> = values.into_iter().collect();
        text.push_str(&format!("\n{name}:{}", values.join(",")));
    }
    text
}

fn signature(key: &str, text: &str) -> String {
    let key = BASE64_STANDARD.decode(key).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// The example of the documentation, and the signature that the tests of Microsoft's SDK for Node.js
/// have, whose path lacks its slash.
#[test]
fn the_form_is_the_published_one() {
    let request = Request::get(
        "http://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=metadata&timeout=20",
    )
    .header("x-ms-version", "2015-02-21")
    .header("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT")
    .body(())
    .expect("a request");
    assert_eq!(
        string_to_sign(&request, "myaccount"),
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n\
         x-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\n\
         timeout:20"
    );
    let of_the_emulator =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    assert_eq!(
        signature(
            of_the_emulator,
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 23 Sep 2011 01:37:34 GMT\n\
             x-ms-version:2011-08-18\n/devstoreaccount1container\nrestype:container"
        ),
        "Y5R86+6XE5MH602SIyjeTwlJuQjbawv20PT4kb/F/04="
    );
}

/// A stand-in that refuses what is not signed with this key in that form, and keeps nothing; and the
/// requests that it took, each as its method and the names in its query.
fn recomputing(key: &'static str) -> (HttpServer, Arc<Mutex<BTreeSet<String>>>) {
    let taken: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let seen = Arc::clone(&taken);
    let server = HttpServer::plain(move |request: Request<Bytes>| {
        let ours = signature(key, &string_to_sign(&request, AZURITE_ACCOUNT));
        let ours = format!("SharedKey {AZURITE_ACCOUNT}:{ours}");
        let theirs = request.headers().get("authorization");
        let answered = match theirs.is_some_and(|theirs| *theirs == ours) {
            true => {
                let asked = request.uri().query().unwrap_or_default();
                let names = form_urlencoded::parse(asked.as_bytes()).map(|(name, _)| name);
                let names: Vec<_> = names.collect();
                let line = format!("{} {}", request.method(), names.join(" "));
                seen.lock()
                    .expect("no panic")
                    .insert(line.trim().to_owned());
                taking(&request)
            }
            false => refusal(403, "AuthenticationFailed"),
        };
        Box::pin(async move { answered })
    });
    (server, taken)
}

fn taking(request: &Request<Bytes>) -> Answer {
    let lists = request
        .uri()
        .query()
        .is_some_and(|query| query.contains("comp=list"));
    let (status, body) = match *request.method() {
        Method::GET if lists => (
            200,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs/><NextMarker/>\
             </EnumerationResults>",
        ),
        Method::GET => (206, "cont"),
        Method::PUT => (201, ""),
        Method::DELETE => (202, ""),
        _ => (200, ""),
    };
    let headers = [
        ("content-range", "bytes 0-3/7"),
        ("etag", "\"1\""),
        ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-ms-copy-status", "success"),
    ];
    answer(status, &headers, body)
}

#[tokio::test]
async fn whatever_is_sent_is_signed_in_the_published_form_against_a_stand_in() {
    let (server, taken) = recomputing(OTHER_KEY);
    let store = store_at(server.address());
    let name = Path::from("a b/ü+%&=~/one");
    let put = store.put(&name, "content".into()).await;
    put.expect("written");
    let new = store.put_opts(&name, "content".into(), PutMode::Create.into());
    new.await.expect("written where nothing was");
    let read = store.get_range(&name, 0..4).await.expect("read");
    assert_eq!(&*read, b"cont");
    let folder = Path::from("a b");
    let listed: Result<Vec<_>, _> = store.list(Some(&folder)).try_collect().await;
    assert!(listed.expect("listed").is_empty());
    let listed = store.list_with_delimiter(Some(&folder)).await;
    listed.expect("listed by folders");
    let mut upload = store.put_multipart(&name).await.expect("begun");
    upload.put_part("part".into()).await.expect("a block");
    upload.complete().await.expect("completed");
    let copied = store.copy(&name, &Path::from("b")).await;
    copied.expect("copied");
    store.delete(&name).await.expect("deleted");
    let taken = taken.lock().expect("no panic").clone();
    assert_eq!(
        Vec::from_iter(taken),
        [
            "DELETE",
            "GET",
            "GET restype comp prefix",
            "GET restype comp prefix delimiter",
            "PUT",
            "PUT comp",
            "PUT comp blockid",
        ]
    );
}

#[tokio::test]
async fn a_stand_in_with_another_key_takes_nothing() {
    let (server, taken) = recomputing("YW5vdGhlciBrZXk=");
    let store = store_at(server.address());
    let put = store.put(&object(), "content".into()).await;
    assert_eq!(
        failure(&put.expect_err("refused")).class.sqlstate(),
        "28000"
    );
    assert!(taken.lock().expect("no panic").is_empty());
}
