//! Servers on which one step of a check fails: nginx, with what it was told to refuse or to get wrong,
//! and, for an answer that breaks off, a server that writes half of one.

use std::io::Write as _;
use std::net::SocketAddr;

use portolan::{ConnectTo, EgressOptions};
use portolan_servers::{Authority, Nginx, RawServer};

use super::support::{World, refused, rows, run};

fn nginx() -> Nginx {
    let authority = Authority::new("of the servers");
    Nginx::start(&authority, &["files.example"], &authority)
}

/// The row of a check of `http://files.example/PATH`, without the node and the speeds: ok, error,
/// transferred, can_delete.
async fn checked(server: SocketAddr, path: &str) -> [String; 4] {
    let mut connect_to = ConnectTo::default();
    connect_to
        .add("files.example:80", &server.to_string())
        .expect("a line");
    let options = EgressOptions {
        connect_to,
        ..EgressOptions::default()
    };
    let world = World::with(|builder| builder.egress(options)).await;
    let root = world.root();
    let create = format!(
        "CREATE EXTERNAL CONNECTION c AS 'http://files.example/{path}' WITH VALIDATE = 'none'"
    );
    run(&root, &create).await;
    let mut checked = rows(&root, "CHECK EXTERNAL CONNECTION c WITH TRANSFER = '1 KiB'").await;
    let row = checked.pop().expect("a row");
    assert!(checked.is_empty(), "one worker");
    [2, 3, 4, 7].map(|column| row[column].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_delete_is_told_so_and_the_rest_is_well() {
    let nginx = nginx();
    let row = checked(nginx.plain(), "keep/in").await;
    assert_eq!(
        row,
        [
            "true",
            "deleting file: the server does not allow DELETE",
            "1.0 KiB",
            "false"
        ]
    );
    let kept = std::fs::read_dir(nginx.files().join("keep/in")).expect("the folder");
    assert_eq!(kept.count(), 1, "what could not be deleted is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_is_refused_short_or_wrong_fails_and_the_object_is_deleted() {
    let nginx = nginx();
    for (path, error) in [
        (
            "write-only/in",
            "opening reader: the server does not allow GET",
        ),
        (
            "forgets/in",
            "reading content: 0 bytes came back of the 1024 that were written",
        ),
        ("confuses/in", "reading content: it is not what was written"),
    ] {
        let row = checked(nginx.plain(), path).await;
        assert_eq!(row, ["false", error, "1.0 KiB", "false"], "{path}");
        let left = std::fs::read_dir(nginx.files().join(path)).expect("the folder");
        assert_eq!(left.count(), 0, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_breaks_off_fails_over_a_server_that_writes_half_an_answer() {
    let server = RawServer::start(|stream, head| {
        let answer = match head.split(' ').next() {
            Some("PUT") => "201 Created\r\ncontent-length: 0",
            Some("GET") => "200 OK\r\ncontent-length: 1024",
            _ => "204 No Content",
        };
        let _ = write!(stream, "HTTP/1.1 {answer}\r\nconnection: close\r\n\r\n");
    });
    let row = checked(server.address(), "in").await;
    assert_eq!(
        row,
        [
            "false",
            "reading content: files.example closed the connection before its answer was complete",
            "1.0 KiB",
            "false"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_uri_that_leads_to_no_storage_of_this_host_is_an_error_of_the_statement() {
    let world = World::with(|builder| builder.external_io_dir("/nowhere/at/all")).await;
    let error = refused(
        &world.root(),
        "CHECK EXTERNAL CONNECTION 'nodelocal://1/a' WITH TRANSFER = '1 KiB'",
    )
    .await;
    assert_eq!(error.sqlstate().code(), "42704");
    assert!(
        error.message().starts_with("connect to external storage: "),
        "{error:?}"
    );
    assert!(error.hint().is_some(), "{error:?}");
}
