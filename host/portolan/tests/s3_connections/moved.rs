//! Content there and back, through a connection that is open.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan::{Operation, Session};

/// Puts, reads, lists, copies and deletes through the connection `made`, each in every way that the
/// connection's parameters are about.
pub(crate) async fn there_and_back(session: &Session) {
    let opened = session.open("external://made", Operation::Backup).await;
    let handle = opened.expect("opened").into_storage().expect("a store");
    let store = handle.object_store();
    let [one, two, three] = ["one", "deep/two", "three"].map(Path::from);
    store.put(&one, "content".into()).await.expect("put");
    let mut upload = store.put_multipart(&two).await.expect("begun");
    upload.put_part("content".into()).await.expect("a part");
    upload.complete().await.expect("completed");
    store.copy(&one, &three).await.expect("copied");
    for path in [&one, &two, &three] {
        let got = store.get(path).await.expect("get").bytes().await;
        assert_eq!(got.expect("bytes"), "content", "{path}");
    }
    let listed = store.list_with_delimiter(None).await.expect("listed");
    let names = listed.objects.iter().map(|meta| meta.location.as_ref());
    let names: Vec<_> = names.filter(|name| !name.starts_with("crdb_")).collect();
    assert_eq!(names, ["one", "three"]);
    assert_eq!(listed.common_prefixes, [Path::from("deep")]);
    store.delete(&three).await.expect("deleted");
    store.head(&three).await.expect_err("it is gone");
}
