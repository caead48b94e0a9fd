//! What uploads left that nobody finished.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_data::Fate;

use crate::server::*;

#[tokio::test]
async fn blocks_that_became_no_object_are_named_with_their_size_and_nothing_else_is() {
    let server = Server::start();
    for (folder, planned) in [("key", server.with_key()), ("client", with_client(SECRET))] {
        let uploads = backends(server.options())
            .unfinished_uploads(&planned.plan(), &Path::from(folder))
            .expect("built")
            .expect("kept");
        let store = server.store(&planned);
        let name = |name: &str| Path::parse(format!("{folder}{name}")).expect("a path");
        for (below, content) in [("/whole", "content"), ("/empty", "")] {
            store.put(&name(below), content.into()).await.expect("put");
        }
        let mut beside = store.put_multipart(&name("-beside")).await.expect("begun");
        beside.put_part("1234".into()).await.expect("a block");
        assert!(uploads.list().await.expect("told").uploads.is_empty());
        for below in ["/b & c", "/a"] {
            let mut upload = store.put_multipart(&name(below)).await.expect("begun");
            for part in ["12345", "678"] {
                upload.put_part(part.into()).await.expect("a block");
            }
        }
        let told = uploads.list().await.expect("told");
        let named: Vec<_> = told
            .uploads
            .iter()
            .map(|upload| (&*upload.path, upload.size, upload.id.is_some()))
            .collect();
        assert_eq!(
            named,
            [("a", Some(8), false), ("b & c", Some(8), false)],
            "{told:?}"
        );
        assert!(told.complete);
        assert_eq!(told.fate, Fate::DroppedAfterAWeek);
        let error = uploads.give_up(&told.uploads[0]).await;
        let failure = failure(&error.expect_err("there is no such call"));
        assert_eq!(failure.class.sqlstate(), "0A000");
        // Who writes the object takes them away.
        for below in ["/b & c", "/a"] {
            store.put(&name(below), "x".into()).await.expect("put");
        }
        assert!(uploads.list().await.expect("told").uploads.is_empty());
    }
}
