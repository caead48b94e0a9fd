//! What uploads left that nobody finished.

use std::time::{Duration, SystemTime};

use object_store::ObjectStoreExt;
use object_store::path::Path;
use portolan_data::Fate;

use crate::server::*;

#[tokio::test]
async fn uploads_that_nobody_finished_are_named_and_given_up_in_a_stand_in() {
    let setting = Setting::new();
    let planned = setting.planned();
    let uploads = backends(setting.options())
        .unfinished_uploads(&planned.plan(), &Path::from("deep"))
        .expect("built")
        .expect("kept");
    let store = setting.store(&planned);
    assert!(uploads.list().await.expect("told").uploads.is_empty());
    for name in ["deep/b & c", "deep/a", "deeper"] {
        let mut upload = store.put_multipart(&name.into()).await.expect("begun");
        upload.put_part("12345".into()).await.expect("a part");
        // As if the process had been killed: who is dropped is given up.
        std::mem::forget(upload);
    }
    let told = uploads.list().await.expect("told");
    let named: Vec<_> = told.uploads.iter().map(|upload| &*upload.path).collect();
    assert_eq!(named, ["a", "b & c"]);
    assert_eq!((told.complete, told.fate), (true, Fate::Stay));
    let since = told.uploads[0].since.expect("a time");
    let age = SystemTime::now().duration_since(since).unwrap_or_default();
    assert!(age < Duration::from_secs(60), "{age:?}");
    for upload in &told.uploads {
        uploads.give_up(upload).await.expect("given up");
    }
    assert!(uploads.list().await.expect("told").uploads.is_empty());
    assert_eq!(setting.google.uploads(), 1, "the one beside it");
    let error = uploads.give_up(&told.uploads[0]).await;
    let failure = failure(&error.expect_err("it is gone"));
    assert_eq!(failure.class.sqlstate(), "42704");
}

#[tokio::test]
async fn who_may_not_list_uploads_is_told_the_permission_in_the_words_of_the_documentation() {
    let scripted = answering(|_, _| refusal(403, "AccessDenied"));
    let error = scripted.uploads.list().await.expect_err("denied");
    expect(
        &failure(&error),
        "42501",
        "Google Cloud Storage does not allow storage.multipartUploads.list (AccessDenied)",
        "grant the connection's credentials storage.multipartUploads.list on the bucket, and look \
         for a policy that denies it",
    );
}
