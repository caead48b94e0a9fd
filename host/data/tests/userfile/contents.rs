//! What comes back of a content: whole, in ranges, replaced meanwhile, or damaged.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use portolan_catalog::SqliteUserFiles;
use portolan_data::{Confined, DataError, OpenGate, UserfileStore, failure_of, user_files_error};
use portolan_files::UserFilesError;

use super::{MIB, confined, file, names, pattern, raw, store};

#[tokio::test]
async fn content_of_every_size_comes_back_in_every_range() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(directory.path());
    let name = Path::from("a");
    for size in [0, 1, MIB - 1, MIB, MIB + 1, 9 * MIB + 17] {
        let content = pattern(0, size);
        // In pieces that do not fit into chunks.
        let payload: PutPayload = content
            .chunks(777_777)
            .map(Bytes::copy_from_slice)
            .collect();
        store.put(&name, payload).await.expect("put");
        let read = store.get(&name).await.expect("get").bytes().await;
        assert!(read.expect("read") == content, "{size}");
        let all = size as u64;
        for (start, end) in [
            (0, all),
            (all / 2, all),
            (0, all / 3),
            (all / 3, all / 3 + 5),
        ] {
            let (start, end) = (start.min(all), end.min(all));
            if start == end {
                continue;
            }
            let read = store.get_range(&name, start..end).await.expect("range");
            let expected = content.slice(start as usize..end as usize);
            assert!(read == expected, "{size} {start}..{end}");
        }
    }
    let ranges = [0..3, (MIB - 2) as u64..(MIB + 2) as u64, 5..5 * MIB as u64];
    let read = store.get_ranges(&name, &ranges).await.expect("ranges");
    for (range, bytes) in ranges.into_iter().zip(read) {
        let expected = pattern(range.start as usize, (range.end - range.start) as usize);
        assert!(bytes == expected, "{range:?}");
    }
}

#[tokio::test]
async fn who_reads_an_object_that_is_replaced_reads_the_old_one_to_its_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(directory.path());
    let name = Path::from("a");
    let old = pattern(0, 5 * MIB);
    store.put(&name, old.clone().into()).await.expect("put");
    let mut chunks = store.get(&name).await.expect("get").into_stream();
    let first = chunks.next().await.expect("some").expect("a chunk");
    store.put(&name, "new".into()).await.expect("replaced");
    store.delete(&name).await.expect("deleted");
    let mut read = first.to_vec();
    while let Some(chunk) = chunks.next().await {
        read.extend_from_slice(&chunk.expect("a chunk of the old one"));
    }
    assert!(read == old);
}

#[tokio::test]
async fn what_was_replaced_too_long_ago_is_an_error_and_never_a_mix() {
    let directory = tempfile::tempdir().expect("a directory");
    let files = SqliteUserFiles::new(file(directory.path())).keep_replaced_for(Duration::ZERO);
    let below: Arc<dyn ObjectStore> = Arc::new(UserfileStore::new(Arc::new(files), "a.b.c"));
    let store: Confined = Confined::new(below, Path::from("hidden"), Arc::new(OpenGate));
    let name = Path::from("a");
    let old = pattern(0, 40 * MIB);
    store.put(&name, old.into()).await.expect("put");
    let mut chunks = store.get(&name).await.expect("get").into_stream();
    let _first = chunks.next().await.expect("some").expect("a chunk");
    store.delete(&name).await.expect("deleted");
    // Another process sweeps at its first use.
    let other = SqliteUserFiles::new(file(directory.path())).keep_replaced_for(Duration::ZERO);
    let other = UserfileStore::new(Arc::new(other), "a.b.c");
    assert!(names(&other).await.is_empty());
    let error = loop {
        match chunks.next().await.expect("an error comes before the end") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(
        user_files_error(&error),
        Some(&UserFilesError::Replaced {
            path: "a".to_owned()
        })
    );
    assert_eq!(DataError::from(error).sqlstate(), "40001");
}

#[tokio::test]
async fn an_update_needs_the_tag_of_what_it_replaces_even_after_the_same_content() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store(directory.path());
    let (a, b) = (Path::from("a"), Path::from("b"));
    let first = store.put(&a, "x".into()).await.expect("put");
    store.copy(&a, &b).await.expect("copy");
    store.copy(&b, &a).await.expect("the same content again");
    let update = |e_tag: Option<String>| {
        PutMode::Update(UpdateVersion {
            e_tag,
            version: None,
        })
    };
    for tag in [
        first.e_tag,
        None,
        Some("x".to_owned()),
        Some("\"zz\"".to_owned()),
    ] {
        let error = store
            .put_opts(&a, "y".into(), update(tag).into())
            .await
            .expect_err("another version");
        assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
    }
    let now = store.head(&a).await.expect("head").e_tag;
    store
        .put_opts(&a, "y".into(), update(now).into())
        .await
        .expect("the version that is there");
}

#[tokio::test]
async fn a_damaged_file_is_named_and_the_others_are_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = confined(directory.path());
    let (good, bad) = (Path::from("good"), Path::from("bad"));
    for name in [&good, &bad] {
        store
            .put(name, pattern(0, 3 * MIB).into())
            .await
            .expect("put");
    }
    let changed = raw(directory.path())
        .execute(
            "UPDATE chunks SET bytes = zeroblob(length(bytes)) WHERE start > 2000000 AND content = \
             (SELECT content FROM files WHERE path = 'hidden/place/bad')",
            [],
        )
        .expect("changes");
    assert_eq!(changed, 1);
    let read = store.get(&bad).await.expect("its beginning").bytes().await;
    let error = read.expect_err("damaged");
    let failure = failure_of(&error);
    assert_eq!(failure.message, "the content of `bad` is damaged");
    assert_eq!(DataError::from(error).sqlstate(), "XX001");
    let read = store.get(&good).await.expect("get").bytes().await;
    assert!(read.expect("read") == pattern(0, 3 * MIB));

    // A chunk that is gone.
    raw(directory.path())
        .execute("DELETE FROM chunks WHERE start = 0", [])
        .expect("changes");
    let error = store.get(&good).await.expect_err("nothing is there");
    assert_eq!(
        failure_of(&error).message,
        "the content of `good` is damaged"
    );
}
