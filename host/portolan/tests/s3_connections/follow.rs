//! Handles that follow their connection.

use futures::stream::{self, StreamExt, TryStreamExt};
use http::Method;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan::{OpenOptions, Operation};
use portolan_servers::s3::{Front, start};

use crate::support::World;
use crate::told::{options, uri};

#[tokio::test]
async fn many_objects_are_deleted_by_one_request_through_a_handle_that_follows() {
    let server = start(Front::open()).await;
    let world = World::with(|builder| builder.egress(options(&server))).await;
    let create = format!("CREATE EXTERNAL CONNECTION made AS '{}'", uri(&[]));
    world.run(&[create.as_str()]).await;
    let follow = OpenOptions { follow: true };
    let opened = world
        .root()
        .open_with("external://made", Operation::Backup, follow)
        .await;
    let handle = opened.expect("opened").into_storage().expect("a store");
    let store = handle.object_store();
    let paths: Vec<_> = (0..50)
        .map(|number| Path::from(format!("{number}")))
        .collect();
    for path in &paths {
        store.put(path, "x".into()).await.expect("put");
    }
    let before = server.requests().len();
    let deleted = store.delete_stream(stream::iter(paths.clone()).map(Ok).boxed());
    let deleted: Vec<_> = deleted.try_collect().await.expect("deleted");
    assert_eq!(deleted, paths);
    let methods: Vec<_> = server.requests()[before..]
        .iter()
        .map(|seen| seen.method.clone())
        .collect();
    assert_eq!(methods, [Method::POST]);

    // What is refused is told of each, and nothing of it reaches the service.
    world.run(&["DROP EXTERNAL CONNECTION made"]).await;
    let before = server.requests().len();
    let deleted = store.delete_stream(stream::iter(paths).map(Ok).boxed());
    let deleted: Vec<_> = deleted.collect().await;
    assert_eq!(deleted.len(), 50);
    assert!(deleted.iter().all(Result::is_err));
    assert_eq!(server.requests().len(), before);
}
