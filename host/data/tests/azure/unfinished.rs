//! What uploads left that nobody finished.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_data::Fate;

use super::server::*;

#[tokio::test]
async fn blocks_that_became_no_object_are_named_with_their_size_and_nothing_else_is() {
    let server = Server::start();
    for planned in [server.with_key(), with_client(SECRET)] {
        let uploads = backends(server.options())
            .unfinished_uploads(&planned.plan(), &Path::from("deep"))
            .expect("built")
            .expect("kept");
        let store = server.store(&planned);
        for (name, content) in [("deep/whole", "content"), ("deep/empty", "")] {
            store.put(&name.into(), content.into()).await.expect("put");
        }
        // Beside it.
        let mut beside = store.put_multipart(&"deeper".into()).await.expect("begun");
        beside.put_part("1234".into()).await.expect("a block");
        assert!(uploads.list().await.expect("told").uploads.is_empty());
        for name in ["deep/b & c", "deep/a"] {
            let mut upload = store.put_multipart(&name.into()).await.expect("begun");
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
        for name in ["deep/b & c", "deep/a", "deeper"] {
            store.put(&name.into(), "x".into()).await.expect("put");
        }
        assert!(uploads.list().await.expect("told").uploads.is_empty());
    }
}
