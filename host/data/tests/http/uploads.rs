//! Objects that are written in parts: one body, sent while it comes.

use std::io::{Read, Write};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use portolan_contract::FailureClass;
use portolan_servers::RawServer;

use super::server::*;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn parts_become_one_object_in_the_order_in_which_they_were_given() {
    let server = Server::start();
    let store = server.store(&protected(&user()));
    let mut upload = store.put_multipart(&object()).await.expect("begun");
    let parts: Vec<_> = (0..8_u8)
        .map(|number| upload.put_part(vec![number; MIB].into()))
        .collect();
    // Waited for from the last one on.
    for part in parts.into_iter().rev() {
        part.await.expect("a part");
    }
    store.head(&object()).await.expect_err("not before its end");
    upload.complete().await.expect("completed");
    let got = store.get(&object()).await.expect("get").bytes().await;
    let got = got.expect("bytes");
    assert_eq!(got.len(), 8 * MIB);
    for (number, part) in (0..8_u8).zip(got.chunks(MIB)) {
        assert!(part.iter().all(|byte| *byte == number), "{number}");
    }
    let mut empty = store.put_multipart(&"empty".into()).await.expect("begun");
    empty.complete().await.expect("completed");
    assert_eq!(store.head(&"empty".into()).await.expect("there").size, 0);
}

#[tokio::test]
async fn an_upload_that_is_given_up_or_dropped_leaves_nothing() {
    let server = Server::start();
    let store = server.store(&encrypted());
    for give_up in [true, false] {
        let mut upload = store.put_multipart(&"gone".into()).await.expect("begun");
        upload.put_part(vec![1; MIB].into()).await.expect("a part");
        if give_up {
            upload.abort().await.expect("given up");
            let late = upload.put_part("late".into()).await;
            failure(&late.expect_err("it is over"));
            failure(&upload.complete().await.expect_err("it is over"));
        }
        drop(upload);
    }
    // The server sees the end of the connections before it serves another one to its end.
    store.put(&object(), "content".into()).await.expect("put");
    let uploads = server.nginx.files().with_file_name("uploads");
    for _ in 0..1000 {
        let left = std::fs::read_dir(&uploads).expect("nginx's folder").count();
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        std::fs::read_dir(&uploads).expect("nginx's folder").count(),
        0
    );
    let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
    let names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    assert_eq!(names, ["objects/one"]);
}

#[tokio::test]
async fn a_server_that_refuses_before_the_end_is_told_with_its_cause() {
    let server = Server::start();
    let store = server.store(&protected("nobody:hunter2"));
    let mut upload = store.put_multipart(&"one".into()).await.expect("begun");
    let error = loop {
        // Some of it may be on its way before the answer comes.
        if let Err(error) = upload.put_part(vec![1; MIB].into()).await {
            break error;
        }
    };
    assert_eq!(failure(&error).class, FailureClass::RefusedCredentials);
    let error = upload.complete().await.expect_err("refused");
    assert_eq!(failure(&error).class, FailureClass::RefusedCredentials);
}

#[tokio::test]
async fn a_server_that_dies_in_the_middle_of_an_upload_is_told() {
    let mut server = Server::start();
    let store = server.store(&encrypted());
    let mut upload = store.put_multipart(&object()).await.expect("begun");
    upload.put_part(vec![1; MIB].into()).await.expect("a part");
    server.nginx.kill();
    let error = loop {
        if let Err(error) = upload.put_part(vec![1; MIB].into()).await {
            break error;
        }
    };
    let told = failure(&error);
    assert_eq!(told.class, FailureClass::Protocol, "{told}");
    upload.complete().await.expect_err("it is dead");
}

#[tokio::test]
async fn a_success_before_the_end_is_none() {
    let server = RawServer::start(|stream, head| {
        // A folder is made, and an object there before it came.
        let _ = stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        if head.starts_with("PUT") {
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let store = store_at(server.address());
    let mut upload = store.put_multipart(&"one".into()).await.expect("begun");
    while upload.put_part(vec![1; MIB].into()).await.is_ok() {}
    let told = failure(&upload.complete().await.expect_err("not the whole"));
    assert_eq!(told.class, FailureClass::Protocol, "{told}");
}

#[tokio::test]
async fn a_download_ends_with_an_error_where_the_server_dies() {
    let mut server = Server::start();
    std::fs::create_dir_all(server.files()).expect("a folder");
    let large = vec![b'x'; 128 * MIB];
    std::fs::write(server.files().join("large"), large).expect("written");
    let store = server.store(&encrypted());
    let got = store.get(&"large".into()).await.expect("get");
    let mut content = got.into_stream();
    content.next().await.expect("a piece").expect("a piece");
    server.nginx.kill();
    let error = loop {
        match content.next().await.expect("no end without an error") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let told = failure(&error);
    assert_eq!(told.class, FailureClass::Protocol, "{told}");
}
