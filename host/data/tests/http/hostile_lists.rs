//! What a server may write in the place of a list.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::TryStreamExt;
use object_store::ObjectStore;
use portolan_servers::{HttpServer, answer};

use super::server::*;

/// Answers every list with this, `{}` being the folder that it was asked for.
fn listing(body: &'static str) -> HttpServer {
    HttpServer::plain(move |request| {
        let folder = request.uri().path().to_owned();
        let told = answer(207, &[], body.replace("{}", &folder));
        Box::pin(async move { told })
    })
}

fn response(href: &str, more: &str) -> String {
    format!("<response><href>{href}</href><propstat><prop>{more}</prop></propstat></response>")
}

async fn listed(store: &dyn ObjectStore) -> Result<Vec<String>, object_store::Error> {
    let names = store.list(None).map_ok(|meta| meta.location.to_string());
    names.try_collect().await
}

/// A whole list with one entry.
fn list_of(href: &str, more: &str) -> &'static str {
    let list = format!("<multistatus>{}</multistatus>", response(href, more));
    Box::leak(list.into_boxed_str())
}

const FILE: &str = "<getcontentlength>1</getcontentlength>";

#[tokio::test]
async fn only_names_right_in_the_folder_are_taken() {
    for (href, expected) in [
        ("{}one", Ok("one")),
        ("http://other.example{}one", Ok("one")),
        ("{}a%20b", Ok("a b")),
        ("{}", Ok("")),
        ("/etc/passwd", Err("08P01")),
        ("{}deeper/one", Err("08P01")),
        ("/in/the%20harbour2/one", Err("08P01")),
        ("", Err("08P01")),
        ("{}%2e%2e/one", Err("22023")),
        ("{}%2e%2e", Err("22023")),
        ("{}a%2Fb", Err("22023")),
        ("{}a%5Cb", Err("22023")),
        ("{}a%00b", Err("22023")),
        ("{}a%0Ab", Err("22023")),
        ("{}%ff", Err("22023")),
    ] {
        let server = listing(list_of(href, FILE));
        let names = listed(&*store_at(server.address())).await;
        match (names, expected) {
            (Ok(names), Ok(expected)) => assert_eq!(names.concat(), expected, "{href}"),
            (Err(error), Err(sqlstate)) => {
                assert_eq!(failure(&error).class.sqlstate(), sqlstate, "{href}");
            }
            (names, _) => panic!("{href}: {names:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_list_is_told_without_a_word_of_it() {
    let deep: &str = Box::leak("<a>".repeat(100_000).into_boxed_str());
    for body in [
        "",
        "hunter2",
        "{\"names\":[\"hunter2\"]}",
        "<html><body>hunter2</body></html>",
        "<multistatus><response><href>/hunter2",
        "<!DOCTYPE m [<!ENTITY a \"hunter2\">]><multistatus>&a;</multistatus>",
        "<multistatus>&hunter2;</multistatus>",
        list_of("{}hunter2", ""),
        list_of("{}hunter2", "<getcontentlength>-1</getcontentlength>"),
        list_of("{}hunter2", "<getcontentlength>many</getcontentlength>"),
        deep,
    ] {
        let server = listing(body);
        let error = listed(&*store_at(server.address())).await;
        expect(
            &failure(&error.expect_err(body)),
            "08P01",
            "an answer of the service cannot be read",
            "check scheme, host and port: another service may answer there",
        );
    }
}

#[tokio::test]
async fn a_server_that_answers_a_list_as_it_would_any_request_speaks_no_webdav() {
    let server = HttpServer::plain(|_| {
        Box::pin(async { answer(200, &[], "<html>the page of the folder</html>") })
    });
    let error = listed(&*store_at(server.address())).await;
    expect(
        &failure(&error.expect_err("no list")),
        "0A000",
        "the service cannot do this",
        "do without, or use another service",
    );
}

#[tokio::test]
async fn folders_that_a_server_makes_up_for_ever_come_to_an_end() {
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&asked);
    let server = HttpServer::plain(move |request| {
        counted.fetch_add(1, Ordering::Relaxed);
        let folder = request.uri().path();
        let more = "<resourcetype><collection/></resourcetype>";
        let list = response(&format!("{folder}x/"), more);
        let told = answer(207, &[], format!("<multistatus>{list}</multistatus>"));
        Box::pin(async move { told })
    });
    let error = listed(&*store_at(server.address())).await;
    failure(&error.expect_err("endless"));
    assert!(asked.load(Ordering::Relaxed) < 300, "{asked:?}");
}

#[tokio::test]
async fn a_folder_that_is_said_to_be_in_itself_is_not_listed_again() {
    let folder = "<resourcetype><collection/></resourcetype>";
    let server = listing(list_of("{}", folder));
    let names = listed(&*store_at(server.address())).await;
    assert_eq!(names.expect("an empty list"), Vec::<String>::new());
}
