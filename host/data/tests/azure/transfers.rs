//! Many objects, and large ones.

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::server::*;

const MIB: usize = 1 << 20;

/// A page of Azure's has 5,000 names; so has Azurite's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_objects_are_listed_over_more_pages_than_one() {
    const MANY: usize = 10_000;
    let server = Server::start();
    let store = server.store(&server.with_key());
    futures::stream::iter(0..MANY)
        .map(|number| {
            let store = &store;
            async move {
                let name = Path::from(format!("many/{number:05}"));
                store.put(&name, "x".into()).await
            }
        })
        .buffer_unordered(32)
        .try_for_each(|_| async { Ok(()) })
        .await
        .expect("written");
    let listed: Vec<_> = store
        .list(Some(&"many".into()))
        .try_collect()
        .await
        .expect("listed");
    let mut names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), MANY);
    assert_eq!((names[0], names[MANY - 1]), ("many/00000", "many/09999"));
}

#[tokio::test]
async fn blocks_become_one_object_and_are_none_before() {
    let server = Server::start();
    let store = server.store(&with_client(SECRET));
    let mut upload = store.put_multipart(&object()).await.expect("begun");
    for number in 0..3 {
        let part = vec![number; 5 * MIB];
        upload.put_part(part.into()).await.expect("a block");
    }
    store.head(&object()).await.expect_err("not before its end");
    upload.complete().await.expect("completed");
    let got = store.get(&object()).await.expect("get").bytes().await;
    let got = got.expect("bytes");
    assert_eq!(got.len(), 15 * MIB);
    for (number, part) in (0..).zip(got.chunks(5 * MIB)) {
        assert!(part.iter().all(|byte| *byte == number), "{number}");
    }
}

/// The service has no call for it: what is left are blocks that no list shows, and that it throws
/// away after a week.
#[tokio::test]
async fn an_upload_that_is_given_up_leaves_no_object() {
    let server = Server::start();
    let store = server.store(&server.with_key());
    store.put(&object(), "content".into()).await.expect("put");
    for name in [object(), Path::from("other")] {
        let mut upload = store.put_multipart(&name).await.expect("begun");
        upload.put_part(vec![1; MIB].into()).await.expect("a block");
        upload.abort().await.expect("given up");
    }
    let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
    let names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    assert_eq!(names, ["objects/one"]);
    let got = store.get(&object()).await.expect("get").bytes().await;
    assert_eq!(got.expect("bytes"), "content", "as it was");
}
