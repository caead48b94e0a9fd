//! Uploads in parts, also those that come to no end, and writes that have to wait.

use std::time::Duration;

use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_data::{DataError, failure_of};

use super::{MIB, confined, names, pattern, raw, store};

#[tokio::test]
async fn parts_that_fit_into_no_chunk_come_back_in_order_and_are_seen_at_the_end_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(directory.path());
    let name = Path::from("a");
    let mut upload = store.put_multipart(&name).await.expect("start");
    let mut written = 0;
    for size in [8 * MIB, 5 * MIB + 3, 1, 3 * MIB - 1, 777] {
        let part = pattern(written, size);
        upload.put_part(part.into()).await.expect("part");
        written += size;
    }
    store
        .head(&name)
        .await
        .expect_err("nothing is seen before the end");
    upload.complete().await.expect("complete");
    let mut chunks = store.get(&name).await.expect("get").into_stream();
    let mut at = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.expect("a chunk");
        assert!(chunk.len() <= MIB);
        assert!(chunk == pattern(at, chunk.len()), "at {at}");
        at += chunk.len();
    }
    assert_eq!(at, written);
}

#[tokio::test]
async fn an_upload_that_failed_or_was_given_up_leaves_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(directory.path());
    let name = Path::from("a");
    let left = || {
        let number = |sql| raw(directory.path()).query_row(sql, [], |row| row.get::<_, i64>(0));
        (
            number("SELECT count(*) FROM chunks").expect("counts"),
            number("SELECT count(*) FROM uploads").expect("counts"),
        )
    };
    let mut upload = store.put_multipart(&name).await.expect("start");
    upload.put_part("x".into()).await.expect("part");
    assert_eq!(left(), (1, 1));
    upload.abort().await.expect("abort");
    assert_eq!(left(), (0, 0));
    upload.complete().await.expect_err("over");
    upload.put_part("y".into()).await.expect_err("over");

    let mut upload = store.put_multipart(&name).await.expect("start");
    drop(upload.put_part("first".into()));
    upload.put_part("second".into()).await.expect("part");
    upload.complete().await.expect_err("a hole");
    drop(upload);
    for _ in 0..500 {
        if left() == (0, 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(left(), (0, 0), "a dropped upload is removed");
    assert!(names(&store).await.is_empty());
}

#[tokio::test]
async fn a_locked_store_is_told_as_such() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = confined(directory.path());
    let name = Path::from("a");
    store.put(&name, "x".into()).await.expect("put");
    let other = raw(directory.path());
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let error = store.put(&name, "y".into()).await.expect_err("locked");
    let failure = failure_of(&error);
    assert_eq!(failure.class.sqlstate(), "55P03");
    assert!(
        failure.message.contains("locked by another process"),
        "{failure}"
    );
    assert_eq!(DataError::from(error).sqlstate(), "55P03");
    let read = store.get(&name).await.expect("readers go on").bytes().await;
    assert_eq!(read.expect("read"), "x");
    other.execute_batch("ROLLBACK").expect("unlocks");
    store.put(&name, "y".into()).await.expect("put");
}
